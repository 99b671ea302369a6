"""What a form makes once, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from federation.clock import Clock
from federation.storage import Database, Tx
from node.accounts.once import REMEMBERED, forget_forms, once
from node.accounts.tables import sent_forms
from node.errors import Invalid
from node.web.forms import Form, Upload

ALICE = "https://a.example/users/alice"


def make(tx: Tx, made: list[str], name: str) -> str:
    made.append(name)
    return f"{name} {len(made)}"


async def kept(db: Database) -> int:
    return int(await db.read(lambda tx: tx.scalar(sa.select(sa.func.count()).select_from(sent_forms))))


async def test_the_same_form_makes_one_and_leads_to_it_again(db: Database) -> None:
    made: list[str] = []
    answers = [await db.write(once, ALICE, "mark", make, made, "gig") for _ in range(3)]
    assert answers == ["gig 1"] * 3
    assert await db.write(once, ALICE, "another", make, made, "gig") == "gig 2"
    assert await db.write(once, "https://a.example/users/bob", "mark", make, made, "gig") == "gig 3"


async def test_two_at_the_same_moment_make_one(db: Database) -> None:
    made: list[str] = []
    answers = await asyncio.gather(*(db.write(once, ALICE, "mark", make, made, "post") for _ in range(8)))
    assert len(set(answers)) == 1
    assert await kept(db) == 1


async def test_a_form_without_a_mark_is_taken_each_time(db: Database) -> None:
    made: list[str] = []
    assert [await db.write(once, ALICE, "", make, made, "post") for _ in range(2)] == ["post 1", "post 2"]
    assert await kept(db) == 0


async def test_what_was_refused_can_be_sent_again(db: Database) -> None:
    def refuse(tx: Tx) -> str:
        raise Invalid({"title": "Give it a title."})

    with pytest.raises(Invalid):
        await db.write(once, ALICE, "mark", refuse)
    assert await db.write(once, ALICE, "mark", make, [], "post") == "post 1"


async def test_marks_are_forgotten(db: Database, clock: Clock) -> None:
    await db.write(once, ALICE, "mark", make, [], "post")
    clock.offset += REMEMBERED - timedelta(minutes=1)
    await db.write(forget_forms)
    assert await kept(db) == 1
    clock.offset += timedelta(minutes=2)
    await db.write(forget_forms)
    assert await kept(db) == 0


def form(mark: str = "m", body: str = "one", picture: bytes = b"", csrf: str = "x") -> Form:
    files = {"picture1": Upload("a.png", picture)} if picture else {}
    return Form({"once": [mark], "body": [body], "csrf": [csrf]}, files)


def test_a_form_is_known_by_its_mark_and_by_all_that_stands_in_it() -> None:
    same = form().sent
    assert form(csrf="y").sent == same != ""
    others = [form("n"), form(body="two"), form(picture=b"1"), form(picture=b"2")]
    assert len({same, *(other.sent for other in others)}) == 5
    assert form(mark="").sent == ""
