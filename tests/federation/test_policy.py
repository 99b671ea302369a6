from __future__ import annotations

import asyncio

import pytest

from federation.policy import Policy
from federation.storage import Database, Tx
from federation.tables import host_rules

RULES = {"bad.example": "block", "good.bad.example": "allow", "loud.example": "limit", "[::1]": "block"}


@pytest.mark.parametrize(
    ("host", "blocked"),
    [
        ("bad.example", True),
        ("BAD.example.", True),
        ("bad.example:8443", True),
        ("sub.bad.example", True),
        ("good.bad.example", False),
        ("deep.good.bad.example", False),
        ("notbad.example", False),
        ("example", False),
        ("loud.example", False),
        ("[::1]:8080", True),
        ("", False),
    ],
)
def test_the_nearest_rule_counts(host: str, blocked: bool) -> None:
    assert Policy(RULES).blocked(host) is blocked


def test_limited() -> None:
    assert Policy(RULES).limited("loud.example")
    assert not Policy().limited("loud.example")


async def test_rules_are_read_again_when_they_change(db: Database) -> None:
    policy = Policy()
    await db.read(policy.load)
    policy.watch(db)
    heard = asyncio.Event()
    db.subscribe("policy", lambda payload: heard.set())

    def block(tx: Tx) -> None:
        tx.execute(tx.insert(host_rules).values(host="Bad.Example", rule="block", created_at=tx.now))
        tx.notify("policy")

    assert policy.is_empty
    await db.write(block)
    await asyncio.wait_for(heard.wait(), 5)
    await policy.settled()
    assert policy.blocked("bad.example")


async def test_a_change_during_a_reload_is_not_missed(db: Database) -> None:
    policy = Policy()
    policy.watch(db)
    heard = asyncio.Semaphore(0)
    db.subscribe("policy", lambda payload: heard.release())

    def block(tx: Tx, host: str) -> None:
        tx.execute(tx.insert(host_rules).values(host=host, rule="block", created_at=tx.now))
        tx.notify("policy")

    hosts = [f"{number}.example" for number in range(5)]
    for host in hosts:  # each lands somewhere in the reload that the one before has started
        await db.write(block, host)
    for _ in hosts:
        await asyncio.wait_for(heard.acquire(), 5)
    await policy.settled()
    assert all(policy.blocked(host) for host in hosts)
