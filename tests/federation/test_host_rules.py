"""Rules about servers, on both databases: what they cover, and whom a block parts (SECURITY 150)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from federation import host_rules, operate
from federation.errors import Unsafe
from federation.policy import Policy
from federation.tables import deliveries, follows, peers
from tests.node.neighbours import actor, follow, know

ALICE = "https://alice.example/users/alice"
THEIRS = (
    "https://bo.example/users/bo",
    "https://bo.example:8443/users/bo",
    "https://deep.bo.example/users/eve",
    "https://a.deep.bo.example:8443/users/eve",
    "https://notbo.example/users/x",
    "https://bo.example.org/users/x",
)


@pytest.fixture
async def met(db):
    """Somebody here follows people on servers whose names look alike."""
    await db.write(lambda tx: [follow(tx, ALICE, know(tx, actor(one))) for one in THEIRS])
    return db


async def left(db):
    return {row.followee for row in await db.read(lambda tx: tx.rows(sa.select(follows.c.followee)))}


async def test_a_block_parts_a_server_with_all_names_below_it_and_no_other(met):
    would = await met.read(host_rules.would_sever, "bo.example")
    assert await met.write(host_rules.set_rule, "bo.example", "block", "spam") == len(would) == 4
    assert await left(met) == set(THEIRS[4:])
    assert await met.read(host_rules.severed, "bo.example") == sorted(would)
    policy = Policy()
    await met.read(policy.load)
    assert [policy.blocked(one.split("/")[2]) for one in THEIRS] == [True] * 4 + [False] * 2


async def test_a_name_with_a_rule_of_its_own_is_not_parted(met):
    await met.write(host_rules.set_rule, "deep.bo.example", "allow", "")
    assert await met.write(host_rules.set_rule, "bo.example", "block", "") == 2
    assert await left(met) == set(THEIRS[2:])


async def test_what_waits_for_a_blocked_server_is_given_up(met):
    def wait(tx):
        for number, host in enumerate(("bo.example:8443", "notbo.example")):
            tx.execute(sa.insert(deliveries).values(
                activity_id=str(number), sender=ALICE, inbox=f"https://{host}/inbox", host=host, object_id="x",
                state="pending", created_at=tx.now, due_at=tx.now))  # fmt: skip

    await met.write(wait)
    await met.write(host_rules.set_rule, "bo.example", "block", "")
    queue = {row.host: (row.pending, row.given_up) for row in await met.read(operate.queue)}
    assert queue == {"notbo.example": (1, 0), "bo.example:8443": (0, 1)}


async def test_a_paused_host_is_in_the_queue_though_nothing_waits(db):
    await db.write(lambda tx: tx.execute(sa.insert(peers).values(host="quiet.example", paused=True)))
    [row] = await db.read(operate.queue)
    assert (row.host, row.pending, row.given_up, row.paused, row.waiting_since) == ("quiet.example", 0, 0, True, None)


async def test_a_rule_that_is_taken_back_brings_no_follow_back(met):
    await met.write(host_rules.set_rule, "bo.example", "block", "")
    assert await met.write(host_rules.forget_rule, "bo.example")
    assert not await met.write(host_rules.forget_rule, "bo.example")
    assert await met.read(host_rules.rule_of, "bo.example") is None
    assert len(await left(met)) == 2
    assert len(await met.read(host_rules.severed, "bo.example")) == 4


@pytest.mark.parametrize(
    "text", ["bo.example", "BO.example:8443", "https://bo.example/@x", "@x@bo.example", " bo.example "]
)
def test_a_server_is_named_in_many_ways(text):
    assert host_rules.parse_host(text, "alice.example") == "bo.example"


@pytest.mark.parametrize("text", ["", "a b", "https://", "alice.example", "example", "\x00"])
def test_ourselves_and_what_is_no_name_is_refused(text):
    with pytest.raises(Unsafe):
        host_rules.parse_host(text, "alice.example:8443")
