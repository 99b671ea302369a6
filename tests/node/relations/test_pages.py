"""The pages of relations, as a browser without scripts sees them; and that nobody acts for anybody else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
import msgspec
import pytest
import sqlalchemy as sa

from federation.outbox import update_actor
from federation.tables import actors, blocks, follows, mutes
from node.accounts.sessions import PROOF
from node.errors import Invalid
from node.relations.commands import block
from node.relations.worker import RelationsWorker
from node.social import commands as social
from schemas.actors import parse_actor
from tests.node.house import PASSWORD, a_node, sign_in, state
from tests.node.neighbours import BO, actor, follow, know

if TYPE_CHECKING:
    from node.context import Ground, Node
    from tests.visitors import Visitor

ALICE = "https://alice.example/users/alice"
EVE = "https://eve.example/users/eve"


def ask(tx: Any, who: str) -> None:
    values = {"activity_id": f"{who}#ask", "state": "requested", "created_at": tx.now}
    tx.execute(sa.insert(follows).values(follower=who, followee=ALICE, **values))


async def rows(node: Node, statement: Any) -> list[Any]:
    return list(await node.db.read(lambda tx: tx.rows(statement)))


async def send(visitor: Visitor, path: str, page: str, **fields: str) -> Any:
    return await visitor.post(path, csrf=await visitor.token(page), **fields)


async def test_requests_are_accepted_refused_and_taken_away(ground: Ground) -> None:
    async with a_node(ground) as (node, visitor):
        await sign_in(visitor)
        assert "Nobody asks" in (await visitor.get("/people/requests")).text
        for one in (BO, EVE):
            await node.db.write(know, actor(one, name=one[-3:]))
            await node.db.write(ask, one)
        page = await visitor.get("/people/requests")
        assert page.text.count('action="/people/accept"') == 2
        await send(visitor, "/people/accept", "/people/requests", who=BO)
        await send(visitor, "/people/reject", "/people/requests", who=EVE)
        assert [(row.follower, row.state) for row in await rows(node, sa.select(follows))] == [(BO, "accepted")]
        before = await state(node.db)
        token = await visitor.token("/home")
        for path in ("/people/accept", "/people/reject", "/people/remove", "/people/block", "/people/mute"):
            for who in (EVE + "x", "", ALICE):
                assert (await visitor.post(path, csrf=token, who=who)).status == 404, (path, who)
        assert await state(node.db) == before
        assert "/people/remove?who=" in (await visitor.get("/people?show=followers")).text
        question = f"/people/remove?who={quote(BO, safe='')}"
        await send(visitor, "/people/remove", question, who=BO)
        assert await rows(node, sa.select(follows)) == []


async def test_blocks_and_mutes_are_made_listed_and_taken_back(ground: Ground) -> None:
    async with a_node(ground) as (node, visitor):
        await sign_in(visitor)
        assert "You block nobody." in (await visitor.get("/settings/blocks")).text
        await node.db.write(know, actor())
        await node.db.write(follow, BO, ALICE)
        who = quote(BO, safe="")
        page = await send(visitor, "/people/block", f"/people/block?who={who}", who=BO)
        assert page.url.endswith("/settings/blocks")
        assert "Bo Lindqvist" in page.text
        assert [row.target for row in await rows(node, sa.select(blocks))] == [BO]
        assert await rows(node, sa.select(follows)) == []
        page = await send(visitor, "/people/follow", "/home", who=BO)
        assert page.status in (404, 422)
        await send(visitor, "/people/unblock", "/settings/blocks", who=BO)
        assert await rows(node, sa.select(blocks)) == []
        await send(visitor, "/people/mute", f"/people/mute?who={who}", who=BO, **{"for": "day"})
        [muted] = await rows(node, sa.select(mutes))
        assert (muted.target, muted.until is not None) == (BO, True)
        assert "Until" in (await visitor.get("/settings/blocks")).text
        node.clock.offset += timedelta(days=2)
        assert "You mute nobody." in (await visitor.get("/settings/blocks")).text


async def test_a_list_is_read_in_the_background_with_an_answer_for_each_line(ground: Ground) -> None:
    async with a_node(ground) as (node, visitor):
        await sign_in(visitor)
        await node.db.write(know, actor(), acct="bo@bo.example")
        token = await visitor.token("/settings/move")
        form = aiohttp.FormData(default_to_multipart=True)
        form.add_field("csrf", token)
        form.add_field("kind", "follows")
        form.add_field("file", b"Account address\nalice@alice.example\nnobody\n", filename="follows.csv")
        headers = {"Origin": visitor.origin, "Accept": "text/html"}
        async with visitor.http.post(f"{visitor.origin}/settings/lists", data=form, headers=headers) as answer:
            assert "/settings/lists/" in str(answer.url)
            assert "1 of 2 lines" in await answer.text()
            path = str(answer.url).removeprefix(visitor.origin)
        assert await RelationsWorker(node).drain() == 1
        page = await visitor.get(path)
        assert "2 of 2 lines" in page.text
        assert "That is you." in page.text
        assert "This is no address." in page.text
        assert (await visitor.get("/settings/lists/01aaaaaaaaaaaaaaaaaaaaaaaa")).status == 404
        export = await visitor.get("/settings/lists/follows.csv")
        assert export.text == "Account address,Show boosts,Notify on new posts,Languages\n"
        assert export.headers["Content-Disposition"] == 'attachment; filename="follows.csv"'


async def test_an_account_that_does_not_name_this_one_is_no_way_out(ground: Ground) -> None:
    async with a_node(ground) as (node, visitor):
        await sign_in(visitor)
        token = await visitor.token("/settings/move")
        before = await state(node.db)
        page = await visitor.post("/settings/move/away", csrf=token, target="@alice@alice.example")
        assert page.status == 422
        assert "That is this account." in page.text
        page = await visitor.post("/settings/move/aliases", csrf=token, alias="@alice@alice.example")
        assert page.status == 422
        assert await state(node.db) == before


async def test_114_who_finds_an_open_browser_does_not_move_the_followers_away(ground: Ground) -> None:
    async with a_node(ground) as (node, visitor):
        await sign_in(visitor)
        token = await visitor.token("/settings/move")
        node.clock.offset += PROOF
        before = await state(node.db)
        asked = await visitor.get("/settings/move/away?target=@bo@bo.example")
        sent = await visitor.post("/settings/move/away", csrf=token, target=BO)
        assert await state(node.db) == before
        assert "Is it you?" in asked.text
        assert "Is it you?" in sent.text
        page = await visitor.submit(
            "/settings/proof", next="/settings/move/away?target=@alice@alice.example", password=PASSWORD
        )
        assert "Move your followers?" in page.text, "and then what was asked for goes on"


async def test_what_a_profile_says_of_other_accounts_outlives_its_changes(ground: Ground) -> None:
    async with a_node(ground) as (node, visitor):
        await sign_in(visitor)
        author = await node.author(ALICE)

        def alias(tx: Any) -> None:
            held = msgspec.json.decode(tx.scalar(sa.select(actors.c.document).where(actors.c.id == ALICE)))
            del held["proof"]
            update_actor(tx, author, held | {"alsoKnownAs": [BO]})
            update_actor(tx, author, held | {"name": "Alice O."})

        await node.db.write(alias)
        assert BO in (await visitor.get("/settings/move")).text
        await send(visitor, "/settings/move/aliases/remove", "/settings/move", alias=BO)
        assert BO not in (await visitor.get("/settings/move")).text


async def test_134_whom_one_has_blocked_one_does_not_follow(ground: Ground) -> None:
    async with a_node(ground) as (node, _):
        await node.db.write(know, actor())
        author = await node.author(ALICE)
        await node.db.write(block, author, BO)
        with pytest.raises(Invalid, match="You have blocked them"):
            await node.db.write(social.follow, author, parse_actor(actor()))
