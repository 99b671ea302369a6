"""A skill that somebody endorses on one server, accepted on another, seen on a third, and taken back."""

from __future__ import annotations

from typing import Any

from node.credentials import commands as credentials
from node.credentials import queries
from node.credentials.working import one_round
from node.endorsements import giving
from node.endorsements.queries import Endorsed, endorsed
from node.endorsements.rules import EndorseDraft, Relation
from node.profiles.queries import person
from tests.nodes import Home, cluster, settled
from tests.people import Somebody


async def endorse(giver: Somebody, holder: Somebody, relation: Relation = "worked", skill: str = "Python") -> str:
    draft = EndorseDraft(holder.handle, skill, relation, "Reads other people’s code with care.")
    return await giving.endorse(giver.home.node, giver.id, draft)


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
        await settled(a, b, c)
        async with c.visitor() as browser:
            await cy.sign_in(browser)
            await browser.get("/@bo@b.example")
            await settled(c)
            profile = (await browser.get("/@bo@b.example")).text
            assert "Endorsed by" in profile
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
        await settled(a, b, c)
        assert await seen_on(c, bo) == []
        async with b.visitor() as stranger:
            assert "Endorsed by" not in (await stranger.get("/@bo")).text
