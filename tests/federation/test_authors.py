"""Local actors and their keys."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
import sqlalchemy as sa

from federation.authors import (
    Authors,
    create_local_actor,
    ensure_instance_actor,
    make_keys,
    save_local_actor,
)
from federation.errors import NotFound, Refused
from federation.storage import Database
from federation.tables import actor_keys, actors
from keys.errors import WrongMasterKey
from keys.proofs import read_proof
from keys.vault import Vault, new_master_key
from tests.federation.outgoing import HOME, new_keys, profile

ALICE = HOME.actor("alice")


@pytest.fixture
def authors() -> Authors:
    return Authors(Vault(new_master_key()), HOME)


async def rows(db: Database, table: sa.Table) -> list[sa.Row]:
    return list(await db.read(lambda tx: tx.rows(sa.select(table).order_by(table.c.id))))


async def test_a_new_actor_has_two_sealed_keys_and_a_signed_document(db: Database, authors: Authors) -> None:
    keys = new_keys("alice")
    author = await db.write(create_local_actor, authors, "alice", keys, profile)
    (row,) = await rows(db, actors)
    assert (row.id, row.local, row.acct, row.username) == (ALICE, True, "alice@127.0.0.1:1", "alice")
    claim = read_proof(msgspec.json.decode(row.document))
    assert claim is not None
    claim.verify(keys.ed25519.public)
    sealed = await rows(db, actor_keys)
    assert [key.algorithm for key in sealed] == ["ed25519", "rsa"]
    for key in sealed:
        assert keys.rsa.der not in key.sealed
        assert keys.ed25519.der not in key.sealed
    loaded = await db.read(authors.load, ALICE)
    assert loaded.rsa.public == author.rsa.public
    assert (loaded.rsa_key_id, loaded.ed25519_key_id) == (f"{ALICE}#main-key", f"{ALICE}#ed25519-key")
    assert (loaded.inbox, loaded.followers) == (f"{ALICE}/inbox", f"{ALICE}/followers")


async def test_188_the_seal_of_one_key_does_not_fit_another(db: Database, authors: Authors) -> None:
    await db.write(create_local_actor, authors, "alice", new_keys("alice"), profile)
    (ed25519, rsa) = await rows(db, actor_keys)
    await db.write(
        lambda tx: tx.execute(sa.update(actor_keys).where(actor_keys.c.id == rsa.id).values(sealed=ed25519.sealed))
    )
    with pytest.raises(WrongMasterKey):
        await db.read(Authors(authors.vault, HOME).load, ALICE)


async def test_another_master_key_opens_nothing(db: Database, authors: Authors) -> None:
    await db.write(create_local_actor, authors, "alice", new_keys("alice"), profile)
    with pytest.raises(WrongMasterKey):
        await db.read(Authors(Vault(new_master_key()), HOME).load, ALICE)


async def test_opened_keys_stay_in_memory(db: Database, authors: Authors) -> None:
    await db.write(create_local_actor, authors, "alice", new_keys("alice"), profile)
    first, second = [await db.read(authors.load, ALICE) for _ in range(2)]
    assert first.rsa is second.rsa


async def test_059_a_handle_is_taken_for_ever(db: Database, authors: Authors) -> None:
    await db.write(create_local_actor, authors, "alice", new_keys("alice"), profile)
    await db.write(lambda tx: tx.execute(sa.update(actors).values(gone_at=tx.now)))
    before = await rows(db, actor_keys)
    with pytest.raises(Refused):
        await db.write(create_local_actor, authors, "alice", new_keys("mallory"), profile)
    assert await rows(db, actor_keys) == before


@pytest.mark.parametrize("handle", ["", "Alice", "a b", "a/b", "a@b", "-a", "x" * 31, "instance.actor", "a\n"])
async def test_handles_that_cannot_be_are_refused(db: Database, authors: Authors, handle: str) -> None:
    with pytest.raises(Refused):
        await db.write(create_local_actor, authors, handle, new_keys("alice"), profile)
    assert await rows(db, actors) == []


async def test_187_of_two_who_ask_at_once_one_makes_the_key(db: Database, authors: Authors) -> None:
    other = await Database.open(db.url, db.clock)
    made = await asyncio.gather(
        *(database.write(ensure_instance_actor, authors, new_keys(name)) for database, name in
          ((db, "one"), (other, "two"), (db, "three"), (other, "four")))
    )  # fmt: skip
    await other.close()
    assert len({author.rsa.public.pem for author in made}) == 1
    assert len(await rows(db, actor_keys)) == 2
    (row,) = await rows(db, actors)
    assert row.type == "Application"
    assert row.id == HOME.instance_actor


async def test_187_of_two_who_take_a_handle_at_once_one_gets_it(db: Database, authors: Authors) -> None:
    other = await Database.open(db.url, db.clock)
    results = await asyncio.gather(
        db.write(create_local_actor, authors, "alice", new_keys("one"), profile),
        other.write(create_local_actor, authors, "alice", new_keys("two"), profile),
        return_exceptions=True,
    )
    await other.close()
    assert sum(isinstance(result, Refused) for result in results) == 1
    (winner,) = [result for result in results if not isinstance(result, BaseException)]
    loaded = await db.read(authors.load, ALICE)
    assert loaded.rsa.public == winner.rsa.public


async def test_who_has_ended_is_loaded_only_to_sign_its_last_words(db: Database, authors: Authors) -> None:
    await db.write(create_local_actor, authors, "alice", new_keys("alice"), profile)
    await db.write(lambda tx: tx.execute(sa.update(actors).values(gone_at=tx.now)))
    with pytest.raises(NotFound):
        await db.read(authors.load, ALICE)
    assert (await db.read(authors.sender, ALICE)).actor_id == ALICE
    with pytest.raises(NotFound):
        await db.read(authors.sender, HOME.actor("nobody"))


async def test_184_a_revoked_key_signs_nothing(db: Database, authors: Authors) -> None:
    await db.write(create_local_actor, authors, "alice", new_keys("alice"), profile)
    await db.read(authors.load, ALICE)
    revoked = sa.update(actor_keys).where(actor_keys.c.algorithm == "rsa")
    await db.write(lambda tx: tx.execute(revoked.values(revoked_at=tx.now)))
    with pytest.raises(NotFound):
        await db.read(authors.load, ALICE)


async def test_saving_what_says_nothing_new_changes_nothing(db: Database, authors: Authors) -> None:
    author = await db.write(create_local_actor, authors, "alice", new_keys("alice"), profile)
    (before,) = await rows(db, actors)
    assert await db.write(save_local_actor, author, profile(author)) == before.document
    changed = await db.write(save_local_actor, author, profile(author) | {"name": "Alice Example"})
    (after,) = await rows(db, actors)
    assert (after.name, after.document) == ("Alice Example", changed)
    claim = read_proof(msgspec.json.decode(changed))
    assert claim is not None
    claim.verify(author.ed25519.public)


def test_new_keys_are_new() -> None:
    keys = make_keys()
    assert (keys.rsa.algorithm, keys.ed25519.algorithm) == ("rsa", "ed25519")
