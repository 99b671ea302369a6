"""A skill that somebody endorses on one server, accepted on another, seen on a third, and taken back."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from federation import outbox
from federation.authors import Author
from federation.ids import new_id
from federation.storage import Tx
from federation.tables import actors
from node.credentials import commands as credentials
from node.credentials import holding, queries, showing, signing
from node.credentials.tables import credentials as rows
from node.credentials.working import bring_in, look_at_shown, one_round
from node.endorsements import giving
from node.endorsements.commands import BROKEN
from node.endorsements.queries import Endorsed, endorsed
from node.endorsements.rules import EndorseDraft, Relation
from node.errors import Invalid
from node.profiles.queries import person
from schemas.actors import with_credentials
from schemas.credentials import parse_credential
from schemas.strict_json import loads_object
from tests.nodes import Home, cluster, settled
from tests.people import Somebody
from tests.scenarios.test_credentials import BADGE


async def endorse(giver: Somebody, holder: Somebody, relation: Relation = "worked", skill: str = "Python") -> str:
    draft = EndorseDraft(holder.handle, skill, relation, "Reads other people’s code with care.")
    return await giving.endorse(giver.home.node, giver.id, draft)


async def heard(home: Home, *others: Home) -> None:
    """All that others said has had its effect there; of two changes of a profile at once the second waits a moment."""
    await settled(home, *others)
    home.later(minutes=1)
    await settled(home, *others)


async def give(issuer: Somebody, holder: Somebody) -> None:
    """A badge that the holder shows."""
    person_there = await issuer.home.node.resolver.locate(holder.handle)
    await issuer.do(credentials.issue, person_there, BADGE)
    await settled(issuer.home, holder.home)
    [name] = await waiting(holder)
    await holder.home.node.db.write(credentials.take, holder.id, name)
    await holder.do(showing.let_see, name, "profile")
    await one_round(holder.home.node)


async def waiting(holder: Somebody) -> list[str]:
    views = await holder.home.node.db.read(queries.of_owner, holder.id, "held")
    return [one.name for one in views if one.state == "offered"]


async def seen_on(home: Home, whose: Somebody, reader: str | None = None) -> list[Endorsed]:
    return await home.node.db.read(lambda tx: endorsed(tx, person(tx, whose.id), reader))


async def test_endorsed_accepted_seen_on_a_third_server_and_taken_back(databases: Any) -> None:
    async with cluster("a.example", "b.example", "c.example", tls=True, databases=databases) as (a, b, c):
        ada, bo, cy = await a.set_up("ada"), await b.set_up("bo"), await c.set_up("cy")
        await bo.save_profile(skills="Python, Welding")
        await cy.follow(bo)
        await settled(a, b, c)
        given = await endorse(ada, bo)
        await settled(a, b, c)
        [name] = await waiting(bo)
        assert await seen_on(b, bo) == []
        async with b.visitor() as browser:
            await bo.sign_in(browser)
            assert "Ada endorses a skill of yours: Python" in (await browser.get("/notifications")).text
            page = await browser.submit(f"/endorsements/{name}/accept", page="/credentials")
            assert page.url.endswith("/@bo/endorsements")
            assert "Both say that they have worked together." in page.text
        await give(ada, bo)
        await heard(c, a, b)
        async with c.visitor() as browser:
            await cy.sign_in(browser)
            await browser.get("/@bo@b.example")
            await settled(c)
            profile = (await browser.get("/@bo@b.example")).text
            assert "Endorsed by" in profile
            assert "Accessible front end" in profile
            listed = (await browser.get("/@bo@b.example/endorsements?skill=python")).text
        assert "Reads other people’s code with care." in listed
        assert "Both say that they have worked together." in listed
        assert "Nobody else here follows them." in listed
        assert "Their key was checked." in listed
        [skill] = await seen_on(c, bo, cy.id)
        assert (skill.name, skill.strangers, [one.view.overall for one in skill.all]) == ("Python", 1, ["holds"])

        await ada.do(credentials.revoke, given)
        await settled(a, b, c)
        await one_round(b.node)
        assert await seen_on(b, bo) == []
        await heard(c, a, b)
        assert await seen_on(c, bo) == []
        assert len(await shelf_of(c)) == 2
        c.later(hours=13)
        await one_round(c.node)  # what is listed no more is kept no more
        assert [row.kind for row in await shelf_of(c)] == ["badge"]
        async with b.visitor() as stranger:
            assert "Endorsed by" not in (await stranger.get("/@bo")).text


async def test_on_a_copy_nothing_stands_that_does_not_hold(databases: Any) -> None:
    """A holder whose server shows what was taken back, what Ada never signed, and what is about somebody else."""
    async with cluster("a.example", "b.example", tls=True, databases=databases) as (a, b):
        ada, bo = await a.set_up("ada"), await b.set_up("bo")
        for somebody in (ada, bo):
            await somebody.save_profile(skills="Python, Welding")
        given = await endorse(ada, bo)
        await settled(a, b)
        [name] = await waiting(bo)
        saved = (await b.node.db.read(queries.bytes_of, "bo", name, bo.id)).body
        await giving.accept(b.node, bo.id, name)
        await ada.do(credentials.revoke, given)
        await bo.do(showing.drop, name)
        await settled(a, b)

        again = await bring_in(b.node, bo.id, saved)
        await bo.do(showing.let_see, again, "profile")
        assert (await seen_on(b, bo), await listed(bo)) == ([], [])
        with pytest.raises(Invalid) as refused:
            await giving.accept(b.node, bo.id, again)
        assert refused.value.errors == {"file": BROKEN}

        forged = await b.node.db.write(forge, await bo.author(), ada.id, saved)
        other = await b.node.db.write(forge, await bo.author(), bo.id, saved, subject=ada.id)
        await bo.do(lie, [again, forged, other])
        bo_there = await a.node.resolver.locate(bo.handle)
        assert len(bo_there.credentials) == 3
        before = await shelf_of(a)
        await look_at_shown(a.node, bo.id)
        assert await shelf_of(a) == before
        assert await seen_on(a, bo) == []


async def listed(whose: Somebody) -> list[str]:
    return list((await whose.home.node.db.read(person, whose.id)).credentials)


async def shelf_of(home: Home) -> list[Any]:
    return list(await home.node.db.read(lambda tx: tx.rows(sa.select(rows).order_by(rows.c.id))))


def forge(tx: Tx, author: Author, issuer: str, body: bytes, *, subject: str = "") -> str:
    """The same words in the name of whoever is wanted, signed by the author, on the author's shelf."""
    document = {name: value for name, value in loads_object(body).items() if name not in ("proof", "credentialStatus")}
    document |= {"id": f"{issuer}/credentials/{new_id(tx.now)}", "issuer": document["issuer"] | {"id": issuer}}
    if subject:
        document["credentialSubject"] |= {"id": subject}
    whole = signing.signed(tx, author, document)
    name = holding.keep(tx, new_id(tx.now), "held", author.actor_id, parse_credential(loads_object(whole)), whole)
    holding.let_see(tx, author.actor_id, name, "profile")
    return name


def lie(tx: Tx, author: Author, names: list[str]) -> None:
    """Let the author's document list these, whatever they are worth."""
    document = loads_object(tx.scalar(sa.select(actors.c.document).where(actors.c.id == author.actor_id)))
    page = author.ids.page(author.username)
    outbox.update_actor(tx, author, with_credentials(document, [f"{page}/credentials/{name}" for name in names]))
