"""What an operator decides about whole servers: block, limit, allow; and what a block ends (SECURITY 150).

A block ends every follow between here and there, subdomains included, but for those that have a rule of their own.
Whom that parted is written down, for the people here: when the rule is taken back, nothing follows again by itself.
`federation.policy` applies the rules.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple, get_args

import sqlalchemy as sa

from federation import queue
from federation.errors import Unsafe
from federation.policy import TOPIC
from federation.storage import Tx
from federation.tables import actors, deliveries, follows, host_rules, severed_follows
from schemas.errors import SchemaError
from schemas.urls import parse_url

Rule = Literal["block", "limit", "allow"]
RULES: tuple[Rule, ...] = get_args(Rule)

MAX_REASON = 500
SHOWN = 500


class HostRule(NamedTuple):
    """One rule, and how many follows it has ended."""

    host: str
    rule: str
    reason: str
    created_at: datetime
    severed: int


class Severed(NamedTuple):
    """A follow that a block has ended, or would end."""

    follower: str
    followee: str


def parse_host(text: str, own: str) -> str:
    """The name of a server as somebody types it: a name, a handle's end or an address; without its port.

    own: `host[:port]` of this node. Raises Unsafe when it is no name, or our own or above it.
    """
    text = text.strip().lower()
    if "://" not in text:
        text = text.rpartition("@")[2]
    try:
        host = parse_url(text if "://" in text else f"https://{text}/").host
    except SchemaError as error:
        raise Unsafe(f"{text[:200]!r} is no server's name") from error
    name = own.partition(":")[0]
    if name == host or name.endswith(f".{host}"):
        raise Unsafe(f"{host} is this server itself")
    return host


def rules(tx: Tx) -> list[HostRule]:
    """All of them, by name."""
    count = sa.select(sa.func.count()).where(severed_follows.c.host == host_rules.c.host).scalar_subquery()
    columns = (host_rules.c.host, host_rules.c.rule, host_rules.c.reason, host_rules.c.created_at, count)
    return [HostRule._make(row) for row in tx.rows(sa.select(*columns).order_by(host_rules.c.host))]


def rule_of(tx: Tx, host: str) -> HostRule | None:
    """The rule that stands at exactly this name."""
    return next((rule for rule in rules(tx) if rule.host == host), None)


def would_sever(tx: Tx, host: str) -> list[Severed]:
    """The follows between people here and this server, as a block would end them; up to 500."""
    return [Severed._make(row) for row in tx.rows(_touched(tx, host).limit(SHOWN))]


def severed(tx: Tx, host: str) -> list[Severed]:
    """Those that a block of this server has ended; up to 500."""
    columns = (severed_follows.c.follower, severed_follows.c.followee)
    order = (severed_follows.c.at.desc(), *columns)
    mine = sa.select(*columns).where(severed_follows.c.host == host)
    return [Severed._make(row) for row in tx.rows(mine.order_by(*order).limit(SHOWN))]


def set_rule(tx: Tx, host: str, rule: Rule, reason: str) -> int:
    """Put a rule in force, in place of another one. Returns how many follows it has ended."""
    values = {"rule": rule, "reason": reason[:MAX_REASON], "created_at": tx.now}
    insert = tx.insert(host_rules).values(host=host, **values)
    tx.execute(insert.on_conflict_do_update(index_elements=["host"], set_=values))
    tx.notify(TOPIC)
    return _sever(tx, host) if rule == "block" else 0


def forget_rule(tx: Tx, host: str) -> bool:
    """Take a rule back; False when there was none. The list of whom it parted stays."""
    gone = tx.execute(sa.delete(host_rules).where(host_rules.c.host == host)).rowcount
    tx.notify(TOPIC)
    return bool(gone)


def _sever(tx: Tx, host: str) -> int:
    ended = [Severed._make(row) for row in tx.rows(_touched(tx, host))]
    rows = [{"host": host, "follower": one.follower, "followee": one.followee, "at": tx.now} for one in ended]
    if rows:
        tx.execute(tx.insert(severed_follows).on_conflict_do_nothing(), rows)
    for one in ended:
        tx.execute(sa.delete(follows).where(follows.c.follower == one.follower, follows.c.followee == one.followee))
    waiting = sa.select(deliveries.c.host).where(deliveries.c.state == "pending", _at(deliveries.c.host, tx, host))
    queue.give_up_hosts(tx, [row.host for row in tx.rows(waiting.distinct())], "its server is blocked here")
    return len(ended)


def _touched(tx: Tx, host: str) -> sa.Select[tuple[str, str]]:
    """Follows of which one side is there."""
    there = sa.select(actors.c.id).where(~actors.c.local, _at(actors.c.host, tx, host))
    either = sa.or_(follows.c.follower.in_(there), follows.c.followee.in_(there))
    return sa.select(follows.c.follower, follows.c.followee).where(either).order_by(follows.c.follower)


def _at(column: sa.Column[str], tx: Tx, host: str) -> sa.ColumnElement[bool]:
    """Whether `host[:port]` is covered by a rule for this name, and not by a nearer one for a name below it."""
    others = [row.host for row in tx.rows(sa.select(host_rules.c.host).where(host_rules.c.host != host))]
    nearer = [_below(column, name) for name in others if name.endswith(f".{host}")]
    return sa.and_(_below(column, host), *(~one for one in nearer))


def _below(column: sa.Column[str], host: str) -> sa.ColumnElement[bool]:
    return sa.or_(
        column == host,
        column.startswith(f"{host}:", autoescape=True),
        column.endswith(f".{host}", autoescape=True),
        column.contains(f".{host}:", autoescape=True),
    )
