"""The pages of the identity key, from set-up on, and what others may do there: nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from federation.known_identities import identity_of
from keys.identity import new_identity, seal_identity
from keys.phrases import new_phrase
from node.accounts.tables import accounts, sessions
from node.app import web_application
from node.backup.pages import place_of
from node.doctor.inside import look_inside
from node.identity.queries import identities_here
from node.identity.rules import parse_sealed, text_of
from tests.node.house import serving, settle_in, state, token_in
from tests.node.test_sweep import House, second_person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from node.context import Ground
    from tests.visitors import Page


@pytest.fixture
def environ() -> dict[str, str]:
    """SQLite alone: `tests/scenarios/test_identity.py` asks both kinds of database."""
    return {}


@pytest.fixture
async def house(ground: Ground) -> AsyncIterator[House]:
    """Alice, who has just set the node up, and Carol."""
    node, account = await settle_in(ground)
    alice = await node.author(account.actor_id)
    carol = await node.db.write(second_person(node))
    async with serving(web_application(node)) as visitor:
        made = House(node, alice, carol, visitor, {})
        await made.be(alice)
        yield made
    await node.client.close()


def code_in(page: Page) -> str:
    found = re.search(r'name="phrase" value="([a-z ]+)"', page.text)
    assert found, page.text
    return found[1]


async def known(house: House) -> Any:
    return await house.node.db.read(identities_here, house.alice.actor_id)


async def made(house: House) -> str:
    """Made and tried by the pages; returns the code."""
    page = await house.visitor.get("/setup/identity")
    await house.visitor.post("/setup/identity", csrf=token_in(page.text), phrase=code_in(page))
    code = code_in(page)
    answer = await house.visitor.submit("/setup/identity/try", page="/setup/identity", code=code)
    assert answer.url == f"{house.visitor.origin}/setup/hello"
    return code


async def proved_long_ago(house: House) -> None:
    await house.node.db.write(lambda tx: tx.execute(sa.update(sessions).values(proved_at=tx.now - timedelta(hours=1))))


async def test_a_key_is_made_and_tried_at_set_up_and_its_code_is_kept_nowhere(house: House):
    page = await house.visitor.get("/setup/identity")
    code = code_in(page)
    assert page.headers["Cache-Control"] == "no-store"
    assert "Later" in page.text
    assert code_in(await house.visitor.get("/setup/identity")) != code  # nothing is made by looking
    assert not (await known(house)).any
    asked = await house.visitor.post("/setup/identity", csrf=token_in(page.text), phrase=code)
    assert asked.url == f"{house.visitor.origin}/setup/identity"
    assert code not in asked.text
    assert await house.node.db.read(identity_of, house.alice.actor_id) is None
    words = code.split()
    for wrong, why in {
        "": "The code has 9 words",
        " ".join(words[:8]): "The code has 9 words",
        " ".join(["qqqq", *words[1:]]): "Word 1 is in no code",
        " ".join([*words[:8], "zero" if words[8] != "zero" else "vault"]): "do not belong together",
        new_phrase(): "opens another key",
    }.items():
        before = await state(house.node.db)
        refused = await house.visitor.post("/setup/identity/try", csrf=token_in(asked.text), code=wrong)
        assert (refused.status, why in refused.text) == (422, True), wrong
        assert await state(house.node.db) == before
    short = " ".join(word[:4].upper() for word in words)
    opened = await house.visitor.post("/setup/identity/try", csrf=token_in(asked.text), code=short)
    assert opened.url == f"{house.visitor.origin}/setup/hello"
    did = (await known(house)).claimed.did
    assert await house.node.db.read(identity_of, house.alice.actor_id) == did
    tables = accounts.metadata.sorted_tables
    rows = await house.node.db.read(lambda tx: repr([tx.rows(sa.select(table)) for table in tables]))
    assert code not in rows
    assert did in (await house.visitor.get("/settings/identity")).text
    actor = await house.visitor.get("/users/alice", Accept="application/activity+json")
    assert did in actor.text


async def test_it_may_be_put_off_and_is_asked_for_until_then(house: House):
    assert 'href="/setup/identity"' in (await house.visitor.get("/home")).text
    assert "You have no identity key yet" in (await house.visitor.get("/settings/identity")).text
    found = {one.key: one for one in await look_inside(house.node)}
    assert (found["identity"].health, "2 people" in found["identity"].words) == ("attend", True)
    await made(house)
    assert 'href="/setup/identity"' not in (await house.visitor.get("/home")).text
    assert (await house.visitor.get("/setup/identity")).url == f"{house.visitor.origin}/settings/identity"
    found = {one.key: one for one in await look_inside(house.node)}
    assert "1 person" in found["identity"].words


async def test_a_code_that_was_not_written_down_is_made_anew_before_anybody_hears_of_it(house: House):
    page = await house.visitor.get("/setup/identity")
    await house.visitor.post("/setup/identity", csrf=token_in(page.text), phrase=code_in(page))
    first = (await known(house)).untried.did
    page = await house.visitor.get("/setup/identity?new=1")
    await house.visitor.post("/setup/identity", csrf=token_in(page.text), phrase=code_in(page))
    assert (await known(house)).untried.did != first
    assert (await known(house)).former == ()


@pytest.mark.parametrize("phrase", ["", "one two three", "x" * 5_000])
async def test_a_page_that_lost_its_code_changes_nothing(house: House, phrase: str):
    token = await house.token()
    before = await state(house.node.db)
    assert (await house.visitor.post("/setup/identity", csrf=token, phrase=phrase)).status == 400
    assert await state(house.node.db) == before


async def test_the_paper_can_be_tried_again(house: House):
    code = await made(house)
    wrong = await house.visitor.submit("/settings/identity/try", page="/settings/identity", code=new_phrase())
    assert (wrong.status, "opens another key" in wrong.text) == (422, True)
    good = await house.visitor.submit("/settings/identity/try", page="/settings/identity", code=code)
    assert "The code opens your key" in good.text


async def test_guessing_a_code_is_slow(house: House):
    await made(house)
    token = await house.token()
    tried = [
        (await house.visitor.post("/settings/identity/try", csrf=token, code=new_phrase())).status for _ in range(12)
    ]
    assert (tried[0], tried[-1]) == (422, 429)


async def test_another_key_takes_its_place_and_is_named_by_it(house: House):
    code = await made(house)
    first = (await known(house)).claimed.did
    page = await house.visitor.get("/settings/identity/change")
    new_code = code_in(page)
    word = new_code.split()[place_of(new_code) - 1]
    path = "/settings/identity/change"
    before = await state(house.node.db)
    for form in ({"code": code, "word": "kay"}, {"code": new_phrase(), "word": word}, {"code": "", "word": word}):
        refused = await house.visitor.post(path, csrf=token_in(page.text), phrase=new_code, **form)
        assert (refused.status, new_code in refused.text) == (422, True)
    assert await state(house.node.db) == before
    done = await house.visitor.post(path, csrf=token_in(page.text), phrase=new_code, code=code, word=word.upper())
    assert "the old one says so" in done.text
    assert "It names its successor" in done.text
    held = await known(house)
    assert [one.did for one in held.former] == [first]
    assert held.claimed.did != first
    assert (
        await house.visitor.submit("/settings/identity/try", page="/settings/identity", code=new_code)
    ).status == 200


async def test_who_has_lost_the_code_starts_anew_and_is_told_what_that_costs(house: House):
    await made(house)
    first = (await known(house)).claimed.did
    page = await house.visitor.get("/setup/identity?new=1")
    assert "starts from nothing" in page.text
    code = code_in(page)
    await house.visitor.post("/setup/identity", csrf=token_in(page.text), phrase=code)
    assert await house.node.db.read(identity_of, house.alice.actor_id) == first  # until the new one was tried
    await house.visitor.submit("/setup/identity/try", page="/setup/identity", code=code)
    held = await known(house)
    assert await house.node.db.read(identity_of, house.alice.actor_id) == held.claimed.did != first
    assert [(one.did, one.succession) for one in held.former] == [(first, None)]
    assert "Given up without its code" in (await house.visitor.get("/settings/identity")).text


async def test_a_key_from_another_server_is_claimed_with_its_text_and_code(house: House):
    key, code = new_identity()
    text = text_of(seal_identity(key, code))
    path = "/settings/identity/claim"
    token = await house.visitor.token(path)
    before = await state(house.node.db)
    for sealed, words in ((text, new_phrase()), (text[:-8], code), ("no text", code), ("x" * 5_000, code), (text, "")):
        assert (await house.visitor.post(path, csrf=token, sealed=sealed, code=words)).status == 422
    assert await state(house.node.db) == before
    folded = "\r\n ".join((text[:40], text[40:]))
    assert parse_sealed(folded) == parse_sealed(text)
    done = await house.visitor.post(path, csrf=token, sealed=folded, code=code)
    assert key.did in done.text
    assert await house.node.db.read(identity_of, house.alice.actor_id) == key.did


async def test_a_key_that_was_given_up_comes_back_with_its_code_and_one_that_was_succeeded_does_not(house: House):
    code = await made(house)
    first = (await known(house)).claimed
    key, other = new_identity()
    path = "/settings/identity/claim"
    await house.visitor.submit(path, sealed=text_of(seal_identity(key, other)), code=other)
    assert [one.did for one in (await known(house)).former] == [first.did]
    await house.visitor.submit(path, sealed=text_of(first.sealed), code=code)
    assert await house.node.db.read(identity_of, house.alice.actor_id) == first.did

    page = await house.visitor.get("/settings/identity/change")
    new = code_in(page)
    form = {"phrase": new, "code": code, "word": new.split()[place_of(new) - 1]}
    await house.visitor.post("/settings/identity/change", csrf=token_in(page.text), **form)
    before = await state(house.node.db)
    refused = await house.visitor.submit(path, sealed=text_of(first.sealed), code=code)
    assert (refused.status, "has named another one" in refused.text) == (422, True)
    assert await state(house.node.db) == before


async def test_112_who_has_not_proved_who_they_are_changes_no_key(house: House):
    code = await made(house)
    key, other = new_identity()
    await proved_long_ago(house)
    token = await house.token()
    before = await state(house.node.db)
    for path in ("/settings/identity/change", "/settings/identity/claim", "/setup/identity?new=1"):
        assert "/settings/proof" in (await house.visitor.get(path)).url, path
    forms: dict[str, dict[str, str]] = {
        "/settings/identity/change": {"phrase": other, "code": code, "word": other.split()[place_of(other) - 1]},
        "/settings/identity/claim": {"sealed": text_of(seal_identity(key, other)), "code": other},
        "/setup/identity": {"phrase": other},
    }
    for path, form in forms.items():
        assert "/settings/proof" in (await house.visitor.post(path, csrf=token, **form)).url, path
    assert await state(house.node.db) == before


async def test_a_neighbour_sees_and_changes_only_her_own(house: House):
    code = await made(house)
    did = (await known(house)).claimed.did
    await house.be(house.carol)
    assert did not in (await house.visitor.get("/settings/identity")).text
    token = await house.token()
    before = await state(house.node.db)
    assert (await house.visitor.post("/settings/identity/try", csrf=token, code=code)).status == 422
    assert await state(house.node.db) == before
