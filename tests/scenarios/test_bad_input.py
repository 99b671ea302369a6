"""What cannot be is refused in words, on pages and by commands alike, and changes nothing: states compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nodes import cluster
from tests.people import PASSWORD
from tests.processes import Place, place

MEGABYTE = 1_000_000


async def test_commands(tmp_path: Path):
    a = place(tmp_path / "a", "127.0.0.7")
    await a.set_up("alice")
    large = tmp_path / "large.md"
    large.write_text("# Long\n\n" + "word " * (20 * MEGABYTE // 5))
    async with cluster("b.example") as (b,):
        await b.set_up("bob")
        before = await a.json("state")
        place_of_b = f"{b.address}:{b.port}"
        refused = {
            ("profile", "set", "--rate", "lots"): "digits",
            ("profile", "set", "--availability", "open", "--free-from", "soon"): "day",
            ("gig", "publish", "--title", "Anything", "--rate", "lots/hour"): "digits",
            ("gig", "publish", "--title", ""): "title",
            ("gig", "close", "https://elsewhere.example/gigs/1"): "gig",
            ("module", "publish", str(large)): "1 MB",
            ("post", ""): "Write something",
            ("follow", f"@nobody@{place_of_b}"): "nobody",
            ("follow", "not a handle"): "handle",
            ("follow", f"{b.origin}/healthz"): "",
        }
        for command, word in refused.items():
            done = await a.run(*command)
            assert done.code == 1, (command, done)
            assert done.err.startswith("freehold: "), (command, done)
            assert done.err.count("\n") == 1, (command, done)
            assert word in done.err, (command, done)
        assert await a.json("state") == before


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [
        ("--handle", "ali/ce", "handle"),
        ("--handle", "", "handle"),
        ("--handle", "instance.actor", "handle"),
        ("--origin", "http://elsewhere.example", "https"),
        ("--origin", "https://a.example/path", "name"),
        ("--handle-domain", "no domain", "domain"),
    ],
)
async def test_set_up_by_command(tmp_path: Path, option: str, value: str, word: str):
    a = Place(tmp_path / "a", "127.0.0.7", 1)
    good = {"--origin": "https://a.example", "--handle": "alice"} | {option: value}
    arguments = [part for pair in good.items() for part in pair]
    done = await a.run("setup", *arguments, "--password-stdin", text=f"{PASSWORD}\n")
    assert done.code == 1
    assert word in done.err
    state = await a.run("state")
    assert state.code == 1, "there is still no node"


async def test_pages():
    async with cluster("a.example") as (a,), a.visitor() as visitor:
        alice = await a.set_up("alice")
        await alice.sign_in(visitor)
        before = await a.state()
        profile = {"name": "Alice", "unit": "hour", "currency": "EUR"}
        gig = {"purpose": "offer", "title": "Anything", "unit": "hour", "currency": "EUR"}
        module = {"title": "Anything", "body": "Text", "licence": "CC-BY-4.0", "minutes": "20"}
        refused = [
            ("/profile/edit", profile | {"rate": "lots"}, 422),
            ("/profile/edit", profile | {"name": ""}, 422),
            ("/profile/edit", profile | {"availability": "open", "free_from": "2001-01-01"}, 422),
            ("/gigs/new", gig | {"price": "lots"}, 422),
            ("/gigs/new", gig | {"price": "-1"}, 422),
            ("/gigs/new", gig | {"currency": "EURO", "price": "1"}, 422),
            ("/gigs/new", gig | {"until": "2001-01-01"}, 422),
            ("/learn/new", module | {"minutes": "many"}, 422),
            ("/learn/new", module | {"body": ""}, 422),
            ("/learn/new", module | {"body": "x" * 20 * MEGABYTE}, 413),
            ("/gigs/01h00000000000000000000000/close", {}, 404),
            ("/profile/edit", profile | {"csrf": "forged"}, 403),
        ]
        token = {"csrf": await visitor.token("/profile/edit")}
        for path, fields, status in refused:
            page = await visitor.post(path, **(token | fields))
            assert page.status == status, (path, fields if len(str(fields)) < 500 else "...", page.text[:2000])
            assert await a.state() == before, path
        for nobody in ("@nobody@a.example", "not a handle", "https://"):
            page = await visitor.post("/people/follow", **token, who=nobody)
            assert 400 <= page.status < 500, (nobody, page.status)
            assert await a.state() == before, nobody


async def test_a_second_set_up_on_the_page():
    async with cluster("a.example") as (a,), a.visitor() as visitor:
        await a.set_up("alice")
        before = await a.state()
        for page in (await visitor.get("/setup"), await visitor.post("/setup", handle="eve", origin=a.origin)):
            assert page.status in (403, 409), page.text
        assert await a.state() == before
