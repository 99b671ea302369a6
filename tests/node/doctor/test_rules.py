"""What was seen, and what the doctor makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from node.doctor import rules
from node.doctor.rules import Queue, Seen, worst

NOW = datetime(2026, 11, 25, tzinfo=UTC)
ORIGIN = "https://alice.example"
GOOD = {"host": "alice.example", "path": "/healthz", "https": True, "direct": False, "told": True, "trusted": True}


def healths(findings):
    return {finding.key: finding.health for finding in findings}


def test_a_proxy_that_passes_everything_on_is_fine():
    assert set(healths(rules.judge_seen(Seen(**GOOD), ORIGIN)).values()) == {"ok"}


@pytest.mark.parametrize(
    ("change", "key", "mend"),
    [
        ({"host": "127.0.0.1:8420"}, "proxy.host", "pass Host on"),
        ({"trusted": False}, "proxy.headers", "Set it to the proxy"),
        ({"told": False}, "proxy.headers", "X-Forwarded-Proto"),
        ({"https": False}, "proxy.headers", "X-Forwarded-Proto"),
        ({"path": "/healthz/"}, "proxy.path", "pass paths on"),
    ],
)
def test_each_way_in_which_a_proxy_goes_wrong_has_its_mend(change, key, mend):
    found = {finding.key: finding for finding in rules.judge_seen(Seen(**GOOD | change), ORIGIN)}
    assert found[key].health == "broken"
    assert mend in found[key].mend
    assert {finding.health for name, finding in found.items() if name != key} == {"ok"}


def test_on_this_machine_alone_nobody_asks_for_https():
    seen = Seen(**GOOD | {"host": "127.0.0.7:8420", "https": False, "trusted": False, "told": False})
    assert healths(rules.judge_seen(seen, "http://127.0.0.7:8420")) == {"proxy.host": "ok"}


@pytest.mark.parametrize(
    ("lasts", "left", "health"),
    [(90, 90, "ok"), (90, 19, "ok"), (90, 17, "attend"), (90, -1, "attend"), (0.5, 0.4, "ok"), (0.5, 0.05, "attend")],
)
def test_a_certificate_ends(lasts, left, health):
    end = NOW + timedelta(days=left)
    assert rules.judge_certificate(end - timedelta(days=lasts), end, NOW).health == health


@pytest.mark.parametrize(
    ("seconds", "health"),
    [([], "ok"), ([0], "ok"), ([29, 29, 29], "ok"), ([-31], "attend"), ([7200], "broken"), ([0, 0, 7200], "ok")],
)
def test_175_the_clock_is_held_against_those_of_others(seconds, health):
    """One server whose own clock is wrong is outvoted."""
    assert rules.judge_clock([timedelta(seconds=number) for number in seconds]).health == health


@pytest.mark.parametrize(("free", "health"), [(50e9, "ok"), (500e6, "attend"), (50e6, "broken")])
def test_a_disk_fills(free, health):
    assert rules.judge_disk(int(free)).health == health


@pytest.mark.parametrize(
    ("hours", "failure", "health"),
    [(1, None, "ok"), (47, None, "ok"), (49, None, "attend"), (None, None, "attend"), (1, "no room", "broken")],
)
def test_a_backup_grows_old(hours, failure, health):
    made_at = None if hours is None else NOW - timedelta(hours=hours)
    assert rules.judge_backup(made_at, failure, NOW).health == health


@pytest.mark.parametrize(
    ("queue", "expected"),
    [
        (Queue(0, 0, 0, 0), {"queue": "ok"}),
        (Queue(0, 601, 0, 0), {"inbox": "broken"}),
        (Queue(0, 0, 2, 0), {"inbox": "attend"}),
        (Queue(3600, 0, 0, 3), {"queue": "ok"}),
        (Queue(90_000, 0, 0, 3), {"deliveries": "attend"}),
    ],
)
def test_182_a_queue_that_stands_still_is_noticed(queue, expected):
    assert healths(rules.judge_queue(queue)) == expected


def test_the_worst_of_all_lines_counts():
    ok, attend, broken = (rules.Finding("x", health, "") for health in ("ok", "attend", "broken"))
    assert (worst([]), worst([ok]), worst([ok, attend]), worst([attend, broken, ok])) == (
        "ok",
        "ok",
        "attend",
        "broken",
    )
