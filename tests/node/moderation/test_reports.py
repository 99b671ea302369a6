"""Reports that come in are few, short and once; those that go out name nobody who reports."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
import pytest
import sqlalchemy as sa

from federation.errors import Refused
from federation.tables import activities, deliveries
from node.moderation import commands, rules
from node.moderation.inbox import on_flag
from node.moderation.tables import reports
from node.social.commands import post
from node.social.rules import parse_post
from schemas.base import audience_of, envelope_of
from tests.node.house import a_node, sign_in, state
from tests.node.neighbours import BO, actor, know, received

if TYPE_CHECKING:
    from federation.types import Received
    from node.context import Ground, Node

ALICE = "https://alice.example/users/alice"


def flag(objects: Any, number: int, *, words: str = "Spam.", by: str = BO) -> Received:
    made = received("Flag", {"id": ALICE}, by=by, number=number)
    document = made.document | {"object": objects, "content": words}
    changes = {"document": document, "envelope": envelope_of(document), "audience": audience_of(document)}
    return type(made)(**{name: getattr(made, name) for name in made.__slots__} | changes | {"object": None})


async def take(node: Node, one: Received) -> None:
    await node.db.write(on_flag, one, node.authors)


async def kept(node: Node) -> list[Any]:
    return list(await node.db.read(lambda tx: tx.rows(sa.select(reports).order_by(reports.c.id))))


async def test_145_a_flood_is_one_report_and_never_more_than_a_few(ground: Ground) -> None:
    async with a_node(ground) as (node, _):
        author = await node.author(ALICE)
        posts = [
            await node.db.write(post, author, parse_post({"body": f"Post {number}", "audience": "public"}), None)
            for number in range(3)
        ]
        await take(node, flag([ALICE, posts[0]], 1, words="x" * 100_000))
        for number in range(2, 40):
            await take(node, flag([posts[0], ALICE], number, words=f"again {number}"))
        [one] = await kept(node)
        assert (len(one.words), one.target, one.origin) == (rules.MAX_WORDS, ALICE, "bo.example")
        assert msgspec.json.decode(one.object_ids) == [posts[0]]
        await take(node, flag([posts[1]], 40))
        assert [row.target for row in await kept(node)] == [ALICE, ALICE], "by a thing alone"

        def fill(tx: Any) -> None:
            values = {
                "origin": "bo.example", "reporter": BO, "target": ALICE, "object_ids": "[]", "words": "",
                "created_at": tx.now, "settled_at": tx.now,
            }  # fmt: skip
            rows = [values | {"activity_id": f"x{number}"} for number in range(rules.MAX_A_DAY)]
            tx.execute(sa.insert(reports), rows)

        await node.db.write(fill)
        before = await state(node.db)
        with pytest.raises(Refused):
            await take(node, flag([posts[2]], 50))
        assert await state(node.db) == before
        node.clock.offset += timedelta(days=2)
        await take(node, flag([posts[2]], 51))
        assert len(await kept(node)) == rules.MAX_A_DAY + 3
        node.clock.offset += timedelta(days=200)
        await node.db.write(commands.tidy)
        assert await kept(node) == []


@pytest.mark.parametrize(
    "about",
    [None, [], "https://elsewhere.example/users/x", f"{ALICE}x", f"{ALICE}/posts/never",
     "https://alice.example/users/instance.actor", 7],
)  # fmt: skip
async def test_145_a_report_about_nobody_here_changes_nothing(ground: Ground, about: Any) -> None:
    async with a_node(ground) as (node, _):
        before = await state(node.db)
        with pytest.raises(Refused):
            await take(node, flag(about, 1))
        assert await state(node.db) == before


async def test_141_nobody_there_learns_who_reports(ground: Ground) -> None:
    async with a_node(ground) as (node, visitor):
        await sign_in(visitor)
        await node.db.write(know, actor())
        page = f"/people/report?who={quote(BO, safe='')}"
        token = await visitor.token(page)
        assert (await visitor.post("/people/report", csrf=token, who=BO, words="")).status == 422
        assert await kept(node) == []
        done = await visitor.post("/people/report", csrf=token, who=BO, words="Unpleasant.", forward="yes")
        assert done.status == 200
        sent = await node.db.read(lambda tx: tx.rows(sa.select(activities)))
        [said] = [row for row in sent if row.type == "Flag"]
        assert b"alice" not in said.body.replace(b"alice.example", b"")
        [delivery] = await node.db.read(lambda tx: tx.rows(sa.select(deliveries)))
        assert (delivery.sender, delivery.inbox) == (node.ids.instance_actor, f"{BO}/inbox")
        page_of_all = await visitor.get("/admin/reports")
        assert "Unpleasant." in page_of_all.text
        [one] = await kept(node)
        await visitor.post("/admin/reports/settle", csrf=token, report=str(one.id))
        assert (await kept(node))[0].settled_at is not None
        for wrong in ("x", "999", "", "-1"):
            assert (await visitor.post("/admin/reports/settle", csrf=token, report=wrong)).status == 404
        quiet = await visitor.post("/people/report", csrf=token, who=BO, words="For us alone.")
        assert quiet.status == 200
        assert len([1 for row in await node.db.read(lambda tx: tx.rows(sa.select(activities)))]) == len(sent)
