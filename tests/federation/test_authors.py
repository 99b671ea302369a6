"""Local actors and their keys."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from federation import authors as authors_module
from federation import operate
from federation.authors import (
    Author,
    Authors,
    create_local_actor,
    ensure_instance_actor,
    make_keys,
    save_local_actor,
    says_more,
)
from federation.errors import NotFound, Refused
from federation.storage import Database
from federation.tables import actor_keys, actors
from keys.errors import WrongMasterKey
from keys.proofs import read_proof
from keys.vault import Vault, new_master_key
from schemas.strict_json import dumps
from tests.federation.outgoing import HOME, new_keys, profile
from tests.federation.world import SQLITE

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


@SQLITE
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


async def test_124_no_private_key_shows_in_words(db: Database) -> None:
    """In no repr, as a traceback or a log line would have it, and in nothing that an operator is told of a node."""
    master_key = new_master_key()
    authors = Authors(Vault(master_key), HOME)
    author = await db.write(create_local_actor, authors, "alice", new_keys("alice"), profile)
    loaded = await db.read(authors.load, ALICE)
    told = [await db.read(operate.local_keys), await db.read(operate.state)]
    keys = new_keys("alice")
    words = "".join(map(repr, (author, loaded, keys, keys.rsa, keys.ed25519, authors, authors.vault, told)))
    words += "".join(map(str, (author, keys, authors.vault)))
    assert "PrivateKey" in words
    for secret in (keys.rsa.der, keys.ed25519.der, keys.ed25519.der[-32:], master_key):
        for form in (repr(secret)[2:-1], secret.hex(), base64.b64encode(secret).decode()):
            assert form not in words


async def test_wrong_keys_open_nothing_and_leave_everything_as_it_is(db: Database, authors: Authors) -> None:
    await db.write(create_local_actor, authors, "alice", new_keys("alice"), profile)
    before = await db.read(operate.state)
    stranger = Authors(Vault(new_master_key()), HOME)
    for read in (stranger.load, stranger.sender):
        with pytest.raises(WrongMasterKey) as raised:
            await db.write(read, ALICE)
        assert "backup" in str(raised.value)
    assert await db.read(operate.state) == before
    assert (await db.read(authors.load, ALICE)).rsa.public == new_keys("alice").rsa.public


async def test_a_row_that_was_sealed_anew_is_opened_anew(db: Database, authors: Authors) -> None:
    """What is in memory counts only for the very bytes that it was opened from."""
    await db.write(create_local_actor, authors, "alice", new_keys("alice"), profile)
    first = await db.read(authors.load, ALICE)
    sealed = authors.vault.seal(new_keys("other").rsa.der, first.rsa_key_id)
    row = sa.update(actor_keys).where(actor_keys.c.id == first.rsa_key_id)
    await db.write(lambda tx: tx.execute(row.values(sealed=sealed)))
    assert (await db.read(authors.load, ALICE)).rsa.public == new_keys("other").rsa.public


async def test_not_more_keys_are_kept_open_than_fit(db: Database, authors: Authors, monkeypatch: Any) -> None:
    monkeypatch.setattr(authors_module, "MAX_OPENED", 2)
    names = ("alice", "bob", "carol")
    for name in names:
        await db.write(create_local_actor, authors, name, new_keys(name), profile)
    for name in names * 2:
        assert (await db.read(authors.load, HOME.actor(name))).rsa.public == new_keys(name).rsa.public
        assert len(authors._opened) <= 2


@SQLITE
@pytest.mark.parametrize(
    "who", [HOME.actor("nobody"), "https://elsewhere.example/users/alice", "", "http://127.0.0.1:1"]
)
async def test_who_is_not_here_has_no_author(db: Database, authors: Authors, who: str) -> None:
    await db.write(create_local_actor, authors, "alice", new_keys("alice"), profile)
    with pytest.raises(NotFound):
        await db.read(authors.load, who)
    with pytest.raises(NotFound):
        await db.read(authors.sender, who)


async def test_059_a_taken_handle_is_refused_in_words_and_changes_nothing(db: Database, authors: Authors) -> None:
    await db.write(create_local_actor, authors, "alice", new_keys("alice"), profile)
    before = await db.read(operate.state)
    with pytest.raises(Refused) as raised:
        await db.write(create_local_actor, authors, "alice", new_keys("mallory"), profile)
    assert "taken" in raised.value.safe
    assert await db.read(operate.state) == before


async def test_the_handle_of_the_instance_actor_is_nobodys(db: Database, authors: Authors) -> None:
    made = await db.write(ensure_instance_actor, authors, new_keys("one"))
    before = await db.read(operate.state)
    assert (await db.write(ensure_instance_actor, authors, new_keys("two"))).rsa.public == made.rsa.public
    with pytest.raises(Refused):
        await db.write(create_local_actor, authors, "instance.actor", new_keys("mallory"), profile)
    assert await db.read(operate.state) == before


async def test_nobody_who_is_not_here_is_saved(db: Database, authors: Authors) -> None:
    author = await db.write(create_local_actor, authors, "alice", new_keys("alice"), profile)
    await db.write(lambda tx: tx.execute(sa.delete(actors)))
    with pytest.raises(NotFound):
        await db.write(save_local_actor, author, profile(author) | {"name": "Alice Example"})
    assert await rows(db, actors) == []


async def test_a_broken_document_makes_nobody(db: Database, authors: Authors) -> None:
    """Keys and document are one: when the document cannot be, there are no keys either, and the handle is free."""

    def broken(author: Author) -> dict[str, Any]:
        raise Refused("after all")

    with pytest.raises(Refused):
        await db.write(create_local_actor, authors, "alice", new_keys("alice"), broken)
    assert (await rows(db, actors), await rows(db, actor_keys)) == ([], [])
    await db.write(create_local_actor, authors, "alice", new_keys("alice"), profile)


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({}, False),
        ({"updated": "2026-11-25T00:00:00Z"}, False),
        ({"proof": {"proofValue": "another"}}, False),
        ({"name": "Alice Example"}, True),
        ({"summary": None}, True),
        ({"attachment": []}, True),
    ],
)
def test_a_document_says_more_when_its_words_differ(change: dict[str, Any], more: bool) -> None:
    held = {"id": ALICE, "name": "Alice", "tags": ["a", "b"], "updated": "2026-11-01T00:00:00Z", "proof": {"a": 1}}
    assert says_more(held | change, dumps(held)) is more


def test_the_order_of_members_says_nothing_and_that_of_a_list_does() -> None:
    held = {"id": ALICE, "tags": ["a", "b"]}
    assert not says_more(dict(reversed(held.items())), dumps(held))
    assert says_more(held | {"tags": ["b", "a"]}, dumps(held))
