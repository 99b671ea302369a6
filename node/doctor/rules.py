"""What the doctor finds, and how what was seen is judged. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from node.language import Sentence, _, _n

Health = Literal["ok", "attend", "broken"]

CERTIFICATE_SOON = 0.2  # of its time
SKEW_ATTEND = timedelta(seconds=30)
SKEW_BROKEN = timedelta(minutes=5)
DISK_ATTEND = 1_000_000_000
DISK_BROKEN = 100_000_000
BACKUP_OLD = timedelta(hours=48)
QUEUE_OLD = timedelta(days=1)
INBOX_OLD = timedelta(minutes=10)


class Finding(NamedTuple):
    """One line. key: a name that stays, for scripts; mend: what to do, empty when nothing is."""

    key: str
    health: Health
    words: str
    mend: str = ""


class Seen(NamedTuple):
    """A request of the doctor as it arrived through whatever stands in front. https, peer: as the node believes.

    direct: nothing forwarded it. told: a proxy said how the request came (X-Forwarded-Proto), and is believed.
    """

    host: str
    path: str
    https: bool
    direct: bool
    told: bool
    trusted: bool


def ok(key: str, words: Sentence) -> Finding:
    """As it should be."""
    return Finding(key, "ok", words)


def attend(key: str, words: Sentence, mend: Sentence) -> Finding:
    """It works, and will not for ever, or not as well as it could."""
    return Finding(key, "attend", words, mend)


def broken(key: str, words: Sentence, mend: Sentence) -> Finding:
    """It does not work."""
    return Finding(key, "broken", words, mend)


def worst(findings: Sequence[Finding]) -> Health:
    """Of all lines."""
    found = {finding.health for finding in findings}
    return "broken" if "broken" in found else "attend" if "attend" in found else "ok"


def judge_seen(seen: Seen, origin: str) -> list[Finding]:
    """What the proxy in front passes on, for a request that was sent to the node's own address."""
    host = urlsplit(origin).netloc
    found = [_judge_host(seen, host)]
    if origin.startswith("https://"):
        found.append(_judge_proto(seen))
    if seen.path != "/healthz":
        found.append(
            broken(
                "proxy.path",
                _("The proxy changes paths: /healthz arrived as {path}.", path=seen.path[:100]),
                _("Let it pass paths on as they came: other servers sign them."),
            )
        )
    return found


def _judge_host(seen: Seen, host: str) -> Finding:
    if seen.host.lower() == host:
        return ok("proxy.host", _("The Host header arrives as it was sent."))
    return broken(
        "proxy.host",
        _("The proxy changes the Host header: {host} arrived as {seen}.", host=host, seen=seen.host[:100]),
        _("Let it pass Host on as it came (nginx: proxy_set_header Host $host;). Every signature fails until then."),
    )


def _judge_proto(seen: Seen) -> Finding:
    if seen.direct and seen.https:
        return ok("proxy.headers", _("Requests come straight over https."))
    if not seen.trusted:
        return broken(
            "proxy.headers",
            _("A proxy stands in front, and FREEHOLD_TRUSTED_PROXIES does not name it."),
            _("Set it to the proxy’s network, such as 127.0.0.1/32. Until then every visitor seems to be the proxy."),
        )
    if not seen.told or not seen.https:
        return broken(
            "proxy.headers",
            _("The proxy does not say that requests came over https."),
            _("Let it set X-Forwarded-Proto and X-Forwarded-For (Caddy does so by itself)."),
        )
    return ok("proxy.headers", _("The proxy says who asks, and that they came over https."))


def judge_redirect(asked: str, location: str) -> Finding:
    """An answer elsewhere than asked: a proxy that adds a slash, or sends to another name."""
    return broken(
        "proxy.redirect",
        _("Whatever stands in front redirects {asked} to {location}.", asked=asked, location=location[:200]),
        _("Let it answer at once: servers that deliver do not follow redirects."),
    )


def judge_certificate(begin: datetime, end: datetime, now: datetime) -> Finding:
    """It is renewed when a third of its time is left; some last 90 days, some one."""
    left = end - now
    if left < (end - begin) * CERTIFICATE_SOON:
        mend = _("It should have been renewed by now. Look at the log of your proxy.")
        if left < timedelta(days=1):
            return attend("tls", _("The certificate ends within a day."), mend)
        words = _n("The certificate ends in {count} day.", "The certificate ends in {count} days.", left.days)
        return attend("tls", words, mend)
    return ok("tls", _("The certificate is good, and not about to end."))


def judge_clock(skews: Sequence[timedelta]) -> Finding:
    """How far our clock is from those of other servers (SECURITY 175); skews: theirs less ours."""
    if not skews:
        return ok("clock", _("No other server is known yet to compare the clock with."))
    middle = sorted(skews)[len(skews) // 2]
    seconds = round(abs(middle).total_seconds())
    words = _n("The clock is {count} second off.", "The clock is {count} seconds off.", seconds)
    mend = _(
        "Let the system keep its time (timedatectl set-ntp true). Other servers refuse signatures from another time."
    )
    if abs(middle) > SKEW_BROKEN:
        return broken("clock", words, mend)
    return attend("clock", words, mend) if abs(middle) > SKEW_ATTEND else ok("clock", _("The clock is right."))


def judge_disk(free: int) -> Finding:
    """free: bytes."""
    words = _("{size} GB of the disk are free.", size=f"{free / 1e9:.1f}")
    mend = _("Make room, or move the data folder to a larger disk. A full disk stops the node.")
    if free < DISK_BROKEN:
        return broken("disk", words, mend)
    return attend("disk", words, mend) if free < DISK_ATTEND else ok("disk", words)


def judge_backup(made_at: datetime | None, failure: str | None, now: datetime) -> Finding:
    """made_at: of the newest whole backup; failure: why the very last one is none."""
    back_up = _("Run freehold backup FILE, or choose a folder on the page /setup/keys.")
    if failure:
        return broken("backup", _("The last backup failed: {why}", why=failure), _("Mend that, then make one anew."))
    if made_at is None:
        return attend("backup", _("There is no backup."), back_up)
    days = (now - made_at).days
    if now - made_at > BACKUP_OLD:
        return attend(
            "backup",
            _n("The newest backup is {count} day old.", "The newest backup is {count} days old.", days),
            back_up,
        )
    return ok("backup", _("The newest backup is less than two days old."))


class Queue(NamedTuple):
    """What waits. parked: messages that a fault of ours kept from their effect; oldest_*: seconds."""

    oldest_delivery: float
    oldest_message: float
    parked: int
    silent: int


def judge_queue(queue: Queue) -> list[Finding]:
    """Deliveries out, and messages in."""
    found = []
    if queue.oldest_message > INBOX_OLD.total_seconds():
        found.append(
            broken(
                "inbox",
                _("Messages wait, and nobody takes them in."),
                _("Run the worker: freehold serve with --role all or worker."),
            )
        )
    if queue.parked:
        found.append(
            attend(
                "inbox",
                _n("{count} message could not be taken in.", "{count} messages could not be taken in.", queue.parked),
                _("A fault of ours: the log says which. It is tried again after an update."),
            )
        )
    if queue.silent:
        words = _n("{count} server does not answer.", "{count} servers do not answer.", queue.silent)
        if queue.oldest_delivery > QUEUE_OLD.total_seconds():
            mend = _("Look at them with freehold queue. What waits is tried for 14 days.")
            found.append(attend("deliveries", words, mend))
    return found or [ok("queue", _("Nothing waits longer than it should."))]
