"""Somebody is who they are, whichever server they live on: claimed both ways, taken along, succeeded, never forged."""

from __future__ import annotations

import asyncio
import zipfile
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import sqlalchemy as sa

from federation import outbox
from federation.authors import make_keys
from federation.known_actors import forget_strangers
from federation.known_identities import actors_of, identities_of, identity_of, person_of, same_person
from federation.rotating import rotate
from federation.tables import actors, follows, known_identities, known_successions
from keys.identity import new_identity, open_identity, write_statement, write_succession
from keys.phrases import new_phrase
from node.errors import Invalid
from node.identity import opening
from node.identity.queries import identities_here
from node.identity.tables import identities
from node.portability import working
from node.portability.leaving import leave
from schemas.identities import with_identity
from tests.nodes import Home, cluster, settled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.people import Somebody


async def identify(somebody: Somebody) -> tuple[str, str]:
    """A new identity, made and tried as the pages do; returns its did:key and its code."""
    node, author, code = somebody.home.node, await somebody.author(), new_phrase()
    did = await opening.make(node, author, code)
    assert (await opening.try_code(node, author, code)).did == did
    return did, code


async def known(home: Home, who: Somebody) -> str | None:
    return await home.node.db.read(identity_of, who.id)


async def listed(somebody: Somebody) -> list[Any]:
    """What the actor's document says of identities."""
    [row] = await somebody.home.rows(sa.select(actors.c.document).where(actors.c.id == somebody.id))
    document = msgspec.json.decode(row.document)
    return [item["subject"] for item in document["attachment"] if item["type"] == "VerifiableIdentityStatement"]


async def test_an_identity_is_claimed_both_ways_and_stays_through_every_change(databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        code = new_phrase()
        did = await opening.make(a.node, await alice.author(), code)
        await settled(a, b)
        assert await listed(alice) == []  # made, and not tried yet: nobody hears of it
        with pytest.raises(Invalid):
            await opening.try_code(a.node, await alice.author(), new_phrase())
        await settled(a, b)
        assert await known(b, alice) is None
        await opening.try_code(a.node, await alice.author(), code)
        await settled(a, b)
        assert await known(b, alice) == did == await known(a, alice)
        await alice.save_profile(name="Alice Okafor", links="https://alice.example/")
        await settled(a, b)
        assert await listed(alice) == [did]
        assert await known(b, alice) == did
        [row] = await b.rows(sa.select(known_identities))
        assert row.gone_at is None
        rows = await a.node.db.read(lambda tx: repr(tx.rows(sa.select(known_identities))))
        assert code not in rows


async def test_a_succession_is_believed_elsewhere_and_of_two_the_first(databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        first, first_code = await identify(alice)
        await settled(a, b)
        with pytest.raises(Invalid):
            await opening.succeed(a.node, await alice.author(), new_phrase(), new_phrase())
        assert await known(b, alice) == first
        second_code = new_phrase()
        second = await opening.succeed(a.node, await alice.author(), first_code, second_code)
        third = await opening.succeed(a.node, await alice.author(), second_code, new_phrase())
        await settled(a, b)
        assert await listed(alice) == [third]
        assert await known(b, alice) == third
        for did in (first, second, third):
            assert await b.node.db.read(person_of, did) == third
            assert await b.node.db.read(actors_of, did) == [alice.id]
        assert set(await b.node.db.read(identities_of, second)) == {first, second, third}
        await alice.save_profile(name="Alice Okafor")
        await settled(a, b)
        assert len(await b.rows(sa.select(known_successions))) == 2

        stolen = open_identity((await own(alice)).former[-1].sealed, first_code)
        assert stolen.did == first
        thief, _code = new_identity()
        now = a.clock.now()
        await says(alice, [write_statement(thief, alice.id, now)], [text(stolen, thief, now)])
        await settled(a, b)
        assert await known(b, alice) == thief.did  # the server says so: that is a claim, and both sides make it
        assert await b.node.db.read(person_of, first) == third  # but nobody else's past comes with it


async def own(somebody: Somebody) -> Any:
    return await somebody.home.node.db.read(identities_here, somebody.id)


async def says(somebody: Somebody, statements: list[Any], successions: Sequence[str] = ()) -> None:
    """What a server can say that does not play by the rules."""
    author = await somebody.author()

    def lie(tx: Any) -> None:
        held = msgspec.json.decode(tx.scalar(sa.select(actors.c.document).where(actors.c.id == somebody.id)))
        outbox.update_actor(tx, author, with_identity(held, statements, successions))

    await somebody.home.node.db.write(lie)


def text(one: Any, other: Any, now: Any) -> str:
    return msgspec.json.encode(write_succession(one, other, now)).decode()


async def test_what_a_hostile_document_says_is_bounded_and_changes_nobody_else(databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, mallory, bob = await a.set_up("alice"), await a.add("mallory"), await b.set_up("bob")
        for who in (alice, mallory):
            await bob.follow(who)
        await settled(a, b)
        did, _code = await identify(alice)
        await settled(a, b)
        [document] = await a.rows(sa.select(actors.c.document).where(actors.c.id == alice.id))
        hers = next(item for item in msgspec.json.decode(document.document)["attachment"] if item.get("subject") == did)

        async def lies(*statements: Any, succession: Sequence[str] = ()) -> None:
            await says(mallory, list(statements), succession)
            await settled(a, b)

        junk = [new_identity()[0] for _number in range(9)]
        now = a.clock.now()
        await lies(hers)  # somebody else's statement
        assert await known(b, mallory) is None
        await lies(hers | {"alsoKnownAs": mallory.id})  # changed
        assert await known(b, mallory) is None
        await lies(write_statement(junk[0], alice.id, now))  # of alice, who does not list it
        assert await known(b, mallory) is None
        assert await known(b, alice) == did
        await lies(
            *(write_statement(key, mallory.id, now) for key in junk),
            succession=["no json", "[1]", "x" * 9_000, "{}", '{"type":"IdentitySuccession"}'],
        )
        rows = await b.rows(sa.select(known_identities).where(known_identities.c.actor_id == mallory.id))
        assert len(rows) == 5  # as many as are read
        texts = [text(one, other, now) for one, other in pairwise(junk[3:])]
        await lies(write_statement(junk[0], mallory.id, now), succession=texts)  # that lead to nothing claimed
        assert await b.rows(sa.select(known_successions)) == []
        assert await known(b, mallory) == junk[0].did
        assert await b.node.db.read(actors_of, did) == [alice.id]
        assert not await b.node.db.read(same_person, alice.id, mallory.id)
        for _round in range(3):  # others each time: nothing grows with them
            keys = [new_identity()[0] for _number in range(8)]
            chains = [text(one, keys[0], now) for one in keys[1:4]] + [text(keys[4], keys[1], now)]
            await lies(*(write_statement(key, mallory.id, now) for key in keys[:1] + keys[5:]), succession=chains)
        rows = await b.rows(sa.select(known_identities).where(known_identities.c.actor_id == mallory.id))
        assert (len(rows), sum(row.gone_at is not None for row in rows)) == (12, 8)
        assert len(await b.rows(sa.select(known_successions))) == 2 * 3
        await lies()
        assert await known(b, mallory) is None


async def test_a_person_moves_and_is_the_same_to_a_third_server_when_the_old_one_is_dead(databases, tmp_path):
    async with cluster("a.example", "b.example", "c.example", databases=databases) as (a, b, c):
        alice, carol = await a.set_up("alice"), await c.set_up("carol")
        await carol.follow(alice)
        await settled(a, b, c)
        first, first_code = await identify(alice)
        code = new_phrase()
        did = await opening.succeed(a.node, await alice.author(), first_code, code)
        await settled(a, b, c)
        archive = tmp_path / "archive.zip"
        await working.write_archive(a.node, alice.id, archive)
        with zipfile.ZipFile(archive) as made:
            assert not any(code.encode() in made.read(name) for name in made.namelist())
        await a.go_dark()

        amara = await b.set_up("amara")
        report = await working.read_archive(b.node, amara.id, archive)
        assert [part["restored"] for part in report if part["section"] == "identity"] == [2]
        await carol.follow(amara)
        await settled(b, c)
        assert await listed(amara) == []  # it waits for its code
        assert (await own(amara)).untried.did == did
        with pytest.raises(Invalid):
            await opening.try_code(b.node, await amara.author(), first_code)
        await opening.try_code(b.node, await amara.author(), code)
        await settled(b, c)
        assert await known(c, amara) == did
        assert await c.node.db.read(actors_of, first) == [alice.id, amara.id]
        assert await c.node.db.read(same_person, alice.id, amara.id)
        await c.node.db.write(lambda tx: tx.execute(sa.delete(follows).where(follows.c.followee == alice.id)))
        c.later(days=31)
        await c.node.db.write(forget_strangers)  # the dead account of somebody whom one follows is no stranger's
        assert await c.node.db.read(same_person, alice.id, amara.id)
        again = await working.read_archive(b.node, amara.id, archive)
        assert [part["skipped"] for part in again if part["section"] == "identity"] == [{"here already": 2}]


async def test_with_the_sealed_text_and_its_code_another_account_is_the_same_person(databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        did, code = await identify(alice)
        sealed = (await own(alice)).claimed.sealed
        before = await b.state()
        with pytest.raises(Invalid):
            await opening.claim(b.node, await bob.author(), sealed, new_phrase())
        assert await b.state() == before
        assert await opening.claim(b.node, await bob.author(), sealed, code) == did
        await settled(a, b)
        assert await b.node.db.read(same_person, alice.id, bob.id)
        async with b.visitor() as visitor:
            assert f"@{alice.handle.lstrip('@')}</bdi></a>" in (await visitor.get("/@bob")).text


async def test_what_is_known_of_somebody_goes_with_them(databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        _did, code = await identify(alice)
        await opening.succeed(a.node, await alice.author(), code, new_phrase())
        await settled(a, b)
        assert len(await b.rows(sa.select(known_identities))) == 1
        await bob.unfollow(alice)
        await settled(a, b)
        b.later(days=31)
        await b.node.db.write(forget_strangers)
        assert await b.rows(sa.select(known_identities)) == []
        assert await b.rows(sa.select(known_successions)) == []
        await alice.do(leave)
        await settled(a)
        assert await a.rows(sa.select(known_identities)) == []
        assert await a.rows(sa.select(identities)) == []


async def test_183_who_takes_over_the_name_of_a_server_is_not_its_people(databases):
    """A statement is public: listed again under new keys it proves nothing, until the identity key says it anew."""
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        did, code = await identify(alice)
        await settled(a, b)
        assert await known(b, alice) == did
        a.later(minutes=5)
        b.later(minutes=5)

        keys = await asyncio.to_thread(make_keys)
        await a.node.db.write(rotate, a.node.authors, await alice.author(), keys, compromised=a.clock.now())
        await settled(a, b)
        assert await listed(alice) == [did]
        assert await known(b, alice) is None
        assert await b.node.db.read(actors_of, did) == []
        await says(alice, [])
        await settled(a, b)
        [old] = await b.rows(sa.select(known_identities))
        await says(alice, [msgspec.json.decode(old.statement)])  # taken away, and listed again
        await settled(a, b)
        assert await known(b, alice) is None

        await opening.try_code(a.node, await alice.author(), code)
        await settled(a, b)
        assert await known(b, alice) == did
        [new] = await b.rows(sa.select(known_identities))
        assert (new.first_seen, new.gone_at) == (old.first_seen, None)


async def test_of_two_changes_at_once_one_has_its_effect(databases):
    async with cluster("a.example", databases=databases) as (a,):
        alice = await a.set_up("alice")
        first, code = await identify(alice)
        author = await alice.author()
        changes = [opening.succeed(a.node, author, code, new_phrase()) for _number in range(3)]
        done = await asyncio.gather(*changes, return_exceptions=True)
        new = [one for one in done if isinstance(one, str)]
        assert [type(one) for one in done if not isinstance(one, str)] == [Invalid, Invalid]
        held = await own(alice)
        assert ([held.claimed.did], [one.did for one in held.former]) == (new, [first])
        assert await listed(alice) == new
