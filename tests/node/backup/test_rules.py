"""What a backup may hold and is called, when the next one is due, and which ones go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from node.backup.rules import (
    BackupError,
    Manifest,
    Part,
    file_name,
    is_due,
    is_known_name,
    next_nightly,
    parse_manifest,
    superfluous,
)

NIGHT = datetime(2026, 11, 25, 3, tzinfo=UTC)
MANIFEST = Manifest(
    "freehold-backup", 1, "https://alice.example", "alice.example", "2026-11-25T03:00:00Z", "Freehold 0.1.0",
    "sqlite", "0001", {"accounts": 1}, (Part("master.key", 44, "00"), Part("media/aa.webp", 9, "11")),
)  # fmt: skip


def test_a_manifest_is_read_as_it_was_written():
    read = parse_manifest(msgspec.json.encode(MANIFEST), "0001")
    assert read == MANIFEST
    assert (read.pictures, read.size) == (1, 53)


@pytest.mark.parametrize("change", [{"schema": "0002"}, {"version": 2}, {"format": "freehold-export"}])
def test_one_that_is_newer_or_another_kind_is_refused(change):
    with pytest.raises(BackupError, match="newer Freehold"):
        parse_manifest(msgspec.json.encode(msgspec.structs.replace(MANIFEST, **change)), "0001")


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"[" * 5000, b'{"format": 1}', b"\xff"])
def test_what_is_no_manifest_is_refused(raw):
    with pytest.raises(BackupError, match="cannot be read"):
        parse_manifest(raw, "0001")


@pytest.mark.parametrize(
    "name", ["manifest.json", "master.key", "database.sqlite", "media/0a.webp", "media/ab/0a-small.webp"]
)
def test_102_names_of_ours_are_known(name):
    assert is_known_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "/etc/passwd", "../x", "media/../../x", "media/..", "media//x", "media/.x", "media/a\\b", "server.lock",
     "media/A.webp", "media/a\x00.webp", "media/" + "a" * 300, "freehold.db", "media/a/b/c/d/e.webp", "./master.key",
     "master.key\n"],
)  # fmt: skip
def test_102_no_other_name_is(name):
    assert not is_known_name(name)


@pytest.mark.parametrize(
    ("hours", "last", "due"),
    [
        (0, None, True),
        (-1, -26, True),
        (-1, -24, False),
        (0, -24, True),
        (0, 0, False),
        (23.9, 0, False),
        (24, 0, True),
    ],
)
def test_one_is_due_once_a_night_begins(hours, last, due):
    before = None if last is None else NIGHT + timedelta(hours=last)
    assert is_due(NIGHT + timedelta(hours=hours), before) is due


def test_a_night_begins_at_three():
    assert next_nightly(NIGHT - timedelta(seconds=1)) == NIGHT
    assert next_nightly(NIGHT) == NIGHT + timedelta(days=1)


def test_of_many_backups_the_newest_stay_and_nothing_else_goes():
    names = [file_name(NIGHT + timedelta(days=day)) for day in range(5)]
    others = ["freehold.backup", "notes.txt", f".{names[0]}.part", "freehold-2020-01-01T000000Z.backup.old"]
    assert superfluous([*reversed(names), *others], 2) == names[:3]
    assert superfluous(names, 0) == names[:4]
    assert superfluous(others, 1) == []
