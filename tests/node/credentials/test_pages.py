"""The pages, as their owner and as strangers meet them; and what hostile files do there: nothing."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import sqlalchemy as sa

from federation.rates import Limiter, Rate
from node.app import web_application
from node.credentials import check_pages, commands, holding, queries
from node.credentials.signing import Statement
from node.credentials.tables import credentials, kept_lists
from schemas.strict_json import dumps, loads_object
from tests.node.house import serving, settle_in, sign_in, state
from tests.node.test_sweep import author_as_actor, second_person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from federation.authors import Author
    from node.context import Ground, Node
    from tests.visitors import Page, Visitor

KIND = Statement("badge", "Kind", "Is kind to everybody.", "I saw it.")


class Place:
    """Alice is signed in; Carol lives there too."""

    def __init__(self, node: Node, alice: Author, carol: Author, visitor: Visitor) -> None:
        self.node, self.alice, self.carol, self.visitor = node, alice, carol, visitor

    async def given_by_carol(self) -> str:
        """The name under which Alice was offered it."""
        await self.node.db.write(lambda tx: commands.issue(tx, self.carol, author_as_actor(tx, self.alice), KIND))
        [one, *_] = await self.node.db.read(queries.of_owner, self.alice.actor_id, "held")
        return one.name

    async def bytes_of(self, name: str) -> bytes:
        return (await self.node.db.read(queries.bytes_of, "alice", name, self.alice.actor_id)).body

    async def upload(self, path: str, body: bytes, page: str) -> Page:
        form = aiohttp.FormData()
        form.add_field("csrf", await self.visitor.token(page))
        form.add_field("file", body, filename="credential.json", content_type="application/json")
        headers = {"Accept": "text/html", "Origin": self.visitor.origin}
        async with self.visitor.http.post(self.visitor.origin + path, data=form, headers=headers) as answer:
            from tests.visitors import Page

            return Page(answer.status, str(answer.url), await answer.text(), answer.headers)


@pytest.fixture
async def place(ground: Ground) -> AsyncIterator[Place]:
    node, account = await settle_in(ground)
    alice = await node.author(account.actor_id)
    carol = await node.db.write(second_person(node))
    async with serving(web_application(node)) as visitor:
        await sign_in(visitor)
        yield Place(node, alice, carol, visitor)
    await node.close()


async def test_what_is_given_is_taken_shown_and_put_away(place: Place) -> None:
    visitor = place.visitor
    assert "You hold no credential yet" in (await visitor.get("/credentials")).text
    name = await place.given_by_carol()
    offered = await visitor.get("/credentials")
    assert "Given to you" in offered.text
    kept = await visitor.submit(f"/credentials/{name}/take", page="/credentials")
    assert kept.url.endswith(f"/@alice/credentials/{name}")
    assert "Valid, checked" in kept.text
    shown = await visitor.submit(f"/credentials/{name}/see", page=f"/@alice/credentials/{name}", audience="profile")
    assert shown.status == 200
    assert "Kind" in (await visitor.get("/@alice")).text
    gone = await visitor.submit(f"/credentials/{name}/drop")
    assert gone.url.endswith("/credentials")
    assert (await visitor.get(f"/@alice/credentials/{name}")).status == 404
    assert "/credentials/" + name not in (await visitor.get("/@alice")).text


async def test_what_is_given_is_taken_back_by_whoever_gave_it(place: Place) -> None:
    visitor = place.visitor
    form = {"to": "@carol@alice.example", "name": "Kind", "description": "Is kind.", "criteria": "I saw it."}
    given = await visitor.submit("/credentials/new", **form)
    name = given.url.rpartition("/")[2]
    assert (given.status, "Take it back" in given.text) == (200, True)
    wrong = await visitor.submit("/credentials/new", **form | {"to": "@alice@alice.example"})
    assert (wrong.status, "Nobody gives credentials to themselves" in wrong.text) == (422, True)
    revoked = await visitor.submit(f"/credentials/{name}/revoke", reason="A mistake")
    assert "Taken back on" in revoked.text
    assert "A mistake" not in revoked.text
    [held] = await place.node.db.read(queries.of_owner, place.carol.actor_id, "held")
    verdict = await visitor.submit("/check", url=f"https://alice.example/users/alice/credentials/{name}")
    assert "Revoked: the issuer has taken this back." in verdict.text
    assert held.state == "offered"


async def test_a_file_is_checked_without_an_account_and_not_kept(place: Place) -> None:
    name = await place.given_by_carol()
    body = await place.bytes_of(name)
    place.visitor.http.cookie_jar.clear()
    before = await state(place.node.db)
    page = await place.upload("/check", body, "/check")
    assert "Valid: carol said this, and has not taken it back." in page.text
    changed = loads_object(body)
    changed["credentialSubject"]["achievement"]["name"] = "Very kind"
    page = await place.upload("/check", dumps(changed), "/check")
    assert "Changed: this is not what was signed." in page.text
    assert await state(place.node.db) == before


def hostile(body: bytes) -> dict[str, bytes]:
    """Files that say that they are credentials."""
    whole = loads_object(body)
    nested = json.dumps(whole)[:-1] + ', "x": ' + "[" * 500 + "]" * 500 + "}"
    return {
        "nothing": b"",
        "no JSON": b"\x89PNG\r\n",
        "a list": b"[]",
        "two of one name": b'{"type": "VerifiableCredential", "type": "x"}',
        "deep": nested.encode(),
        "no issuer": dumps({name: value for name, value in whole.items() if name != "issuer"}),
        "issuer of another kind": dumps(whole | {"issuer": [1, {"id": 7}]}),
        "no proof": dumps({name: value for name, value in whole.items() if name != "proof"}),
        "eleven proofs": dumps(whole | {"proof": [whole["proof"][0]] * 11}),
        "twice the same suite": dumps(whole | {"proof": [whole["proof"][0]] * 2}),
        "a status without an end": dumps(whole | {"credentialStatus": [whole["credentialStatus"]] * 500}),
        "subjects": dumps(whole | {"credentialSubject": [{}, {}]}),
        "an empty presentation": dumps({"type": ["VerifiablePresentation"], "verifiableCredential": []}),
        "a foreign context": dumps(whole | {"@context": ["https://evil.example/context"]}),
        "a presentation of itself": dumps({"type": ["VerifiablePresentation"], "verifiableCredential": [whole] * 900}),
    }


async def test_a_hostile_file_is_refused_with_a_sentence_and_changes_nothing(place: Place) -> None:
    body = await place.bytes_of(await place.given_by_carol())
    before = await state(place.node.db)
    for what, file in hostile(body).items():
        page = await place.upload("/check", file, "/check")
        assert page.status in (200, 422), what
        if page.status == 200 and what != "a presentation of itself":
            assert "Valid:" not in page.text, what
        brought = await place.upload("/credentials/bring", file, "/credentials")
        if what == "a presentation of itself":  # which is the credential that waits there
            continue
        assert brought.status == 422, what
        assert 'role="alert"' in brought.text, what
        assert await state(place.node.db) == before, what


async def test_a_file_that_is_too_large_is_said_to_be(place: Place) -> None:
    page = await place.upload("/check", b'{"a": "' + b"x" * 260_000 + b'"}', "/check")
    assert page.status in (413, 422)
    body = loads_object(await place.bytes_of(await place.given_by_carol()))
    long = dumps(body | {"description": "x" * 65_000})
    brought = await place.upload("/credentials/bring", long, "/credentials")
    assert (brought.status, "larger than 64 KB" in brought.text) == (422, True)


async def test_who_checks_too_much_waits(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    throttle = check_pages.CheckThrottle(Limiter(Rate(per_second=1 / 600, burst=2)))
    monkeypatch.setattr(check_pages.CheckThrottle, "take", lambda _self, peer: check_take(throttle, peer))
    answers = [(await place.visitor.submit("/check", url="https://nobody.example/x")).status for _ in range(3)]
    assert answers == [422, 422, 429]


TAKE = check_pages.CheckThrottle.take


def check_take(throttle: Any, peer: str | None) -> None:
    TAKE(throttle, peer)


async def test_an_address_opens_no_door_into_the_network_of_the_server(place: Place) -> None:
    """SECURITY 60 to 63 hold for what strangers bring here; what is said of it is always the same."""
    texts = set()
    for url in ("http://127.0.0.1:1/", "https://169.254.169.254/latest", "https://[::1]/", "https://10.0.0.1/x"):
        page = await place.visitor.submit("/check", url=url)
        assert page.status == 422
        texts.add(re.sub(r'value="[^"]*"', "", page.text))
    assert len(texts) == 1
    for url in ("file:///etc/passwd", "javascript:alert(1)", "/etc/passwd"):
        page = await place.visitor.submit("/check", url=url)
        assert "beginning with https://" in page.text


async def test_nobody_fills_somebodys_shelf(place: Place) -> None:
    for _ in range(holding.OFFERED_FROM_ONE + 3):
        await place.given_by_carol()
    mine = sa.select(sa.func.count()).where(credentials.c.owner == place.alice.actor_id, credentials.c.side == "held")
    assert await place.node.db.read(lambda tx: tx.scalar(mine)) == holding.OFFERED_FROM_ONE
    place.node.clock.offset += holding.KEEP_OFFERED * 2
    await place.node.db.write(commands.tidy)
    assert await place.node.db.read(lambda tx: tx.scalar(mine)) == 0


async def test_an_older_list_takes_no_newer_ones_place(place: Place) -> None:
    now, url = place.node.clock.now(), "https://b.example/users/bo/status/1"
    name = await place.given_by_carol()
    await place.node.db.write(
        lambda tx: tx.execute(sa.update(credentials).where(credentials.c.id == name).values(list_url=url))
    )
    await place.node.db.write(holding.keep_list, url, b"new", now)
    await place.node.db.write(holding.keep_list, url, b"old", now.replace(year=now.year - 1))
    await place.node.db.write(commands.tidy)
    kept = await place.node.db.read(lambda tx: tx.rows(sa.select(kept_lists.c.body)))
    assert [bytes(row.body) for row in kept] == [b"new"]
    await place.node.db.write(commands.drop, place.alice.actor_id, name)
    await place.node.db.write(commands.tidy)
    assert not await place.node.db.read(lambda tx: tx.rows(sa.select(kept_lists.c.body)))


async def test_one_address_serves_programs_and_people(place: Place) -> None:
    name = await place.node.db.write(lambda tx: commands.issue(tx, place.alice, author_as_actor(tx, place.carol), KIND))
    place.visitor.http.cookie_jar.clear()
    there = f"/users/alice/credentials/{name}"
    for accept in ("application/vc", "application/ld+json", "application/json", "*/*"):
        document = await place.visitor.get(there, Accept=accept)
        assert loads_object(document.text.encode())["id"] == f"https://alice.example{there}", accept
        assert document.headers["Access-Control-Allow-Origin"] == "*"
        assert document.headers["X-Content-Type-Options"] == "nosniff"
    again = await place.visitor.get(there, Accept="application/vc", **{"If-None-Match": document.headers["ETag"]})
    assert (again.status, again.text) == (304, "")
    listed = await place.visitor.get("/users/alice/status/1", Accept="application/vc")
    assert "BitstringStatusListCredential" in loads_object(listed.text.encode())["type"]
    for nothing in ("/users/alice/status/2", "/users/nobody/status/1", there[:-3] + "aaa"):
        assert (await place.visitor.get(nothing, Accept="application/vc")).status == 404
    async with place.visitor.http.get(
        place.visitor.origin + there, headers={"Accept": "text/html"}, allow_redirects=False
    ) as page:
        assert (page.status, page.headers["Location"]) == (303, f"https://alice.example/@alice/credentials/{name}")
