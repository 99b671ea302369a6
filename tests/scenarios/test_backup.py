"""A machine is lost: its node comes back from a backup on another one, and other servers notice a pause."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa

from federation.tables import actor_keys, deliveries, objects
from keys.phrases import new_phrase
from keys.sealing import make_lock
from node.app import lay_ground
from node.backup import commands, placing, reading
from node.backup.making import back_up, working_folder
from node.portability.collecting import SLICES
from node.portability.rows import Whose
from tests.nodes import Home, cluster, settled
from tests.people import Somebody
from tests.processes import place
from tests.scenarios.test_new_keys import change
from tests.visitors import Page, Visitor

PHRASE = "giant dentist clarinet hollow sock moon black freckle plush"


async def moved_to_an_empty_machine(home: Home, file: Path, data: Path) -> None:
    """What `freehold restore` and `freehold serve` do, at the same address."""
    await home.close()
    home.settings = dataclasses.replace(home.settings, data=data)
    data.mkdir()  # noqa: ASYNC240 - one folder
    with working_folder(data) as folder:
        unpacked = await reading.unpack(file, PHRASE, folder, home.settings.database_url)
        await placing.place(home.settings, unpacked)
    home.ground = await lay_ground(home.settings)
    await home.open()


async def test_169_federation_goes_on_under_the_same_keys(tmp_path: Path):
    async with cluster("a.example", "b.example") as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await a.node.db.write(commands.keep_lock, make_lock(PHRASE))
        await bob.follow(alice)
        await settled(a, b)
        await b.go_dark()
        waiting = await alice.post("On its way when the backup is made")
        await back_up(a.node, tmp_path / "a.backup", "command")
        await b.listen()
        await settled(a, b)
        assert await b.object(waiting) is not None
        lost = await alice.post("Written after it, and lost")
        await settled(a, b)
        known = await b.rows(sa.select(actor_keys.c.public).where(actor_keys.c.actor_id == alice.id))

        await moved_to_an_empty_machine(a, tmp_path / "a.backup", tmp_path / "elsewhere")
        alice = Somebody(a, alice.id, "alice")
        a.later(hours=13)  # longer than any circuit stays open
        fresh = await alice.post("Written on the new machine")
        await alice.save_profile(headline="On a new machine")
        await settled(a, b)
        answer = await bob.post("@alice@a.example hello again", audience="public")
        await bob.follow(alice)
        await settled(a, b)

        seen = [entry["object_id"] for entry in await bob.timeline()]
        assert seen.count(waiting) == 1, "it came once more, and had no second effect"
        assert {waiting, lost, fresh} <= set(seen)
        assert len({waiting, lost, fresh, answer}) == 4, "no id is used twice"
        after = await b.rows(sa.select(actor_keys.c.public).where(actor_keys.c.actor_id == alice.id))
        assert sorted(after) == sorted(known), "no key has changed"
        assert await a.follow_state(bob.id, alice.id) == "accepted"
        assert await a.rows(sa.select(objects.c.id).where(objects.c.id == lost)) == []
        assert await a.rows(sa.select(deliveries.c.id).where(deliveries.c.state != "done")) == []


async def test_183_what_is_kept_and_taken_along_holds_the_old_keys_and_the_new(tmp_path: Path):
    async with cluster("a.example", "b.example") as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await a.node.db.write(commands.keep_lock, make_lock(PHRASE))
        await bob.follow(alice)
        await settled(a, b)
        first = await alice.author()
        planned, stolen = await change(alice), await change(alice, compromised=a.clock.now())
        await settled(a, b)
        whose = Whose(a.node.ids, alice.id, 1, "alice")
        [keys] = [part for part in SLICES if part.name == "keys"]
        taken = {entry["id"]: entry for entry, _ in await a.node.db.read(lambda tx: list(keys.collect(tx, whose)))}
        states = ((first, "revoked"), (planned.author, "revoked"), (stolen.author, "signs"))
        assert {key_id: entry["state"] for key_id, entry in taken.items()} == {
            key_id: state for one, state in states for key_id in (one.rsa_key_id, one.ed25519_key_id)
        }
        assert set(taken[first.ed25519_key_id]) == {
            *("id", "algorithm", "state", "public", "since", "until", "expires", "revoked")
        }

        before = await a.rows(sa.select(actor_keys).order_by(actor_keys.c.id))
        await back_up(a.node, tmp_path / "a.backup", "command")
        await moved_to_an_empty_machine(a, tmp_path / "a.backup", tmp_path / "elsewhere")
        assert await a.rows(sa.select(actor_keys).order_by(actor_keys.c.id)) == before
        fresh = await Somebody(a, alice.id, "alice").post("Written on the new machine")
        await settled(a, b)
        assert (await b.object(fresh)).verification == "signed"


async def test_186_by_command_and_with_the_words_that_set_up_printed(tmp_path: Path):
    old, new = place(tmp_path / "old", "127.0.0.7"), place(tmp_path / "new", "127.0.0.8")
    options = ("--origin", old.origin, "--handle", "alice", "--password-stdin")
    phrase = (await old.run("setup", *options, "--json", text="seven quiet herons\n")).json["phrase"]
    paper, file = tmp_path / "paper", tmp_path / "alice.backup"
    paper.write_text(phrase.upper().replace(" ", "\n"))
    async with old.serving():
        post = await old.json("post", "Kept for later")
        said = await old.json("backup", str(file))
    assert said["contents"]["objects"] == 1
    wrong = tmp_path / "wrong"
    wrong.write_text(" ".join(reversed(phrase.split())))
    refused = await new.run("restore", str(file), "--phrase-file", str(wrong))
    assert (refused.code, refused.out) == (1, "")
    assert not new.data.exists()
    report = await new.json("restore", str(file), "--phrase-file", str(paper))
    assert (report["origin"], report["contents"]) == (old.origin, said["contents"])
    again = await new.run("restore", str(file), "--phrase-file", str(paper))
    assert again.code == 1
    assert f"{old.origin} is set up here already" in again.err
    assert {row.id for row in await new.rows(sa.select(objects.c.id))} == {post["id"]}


async def test_186_by_the_page_that_a_new_server_shows(tmp_path: Path):
    """Sent from a browser; looked at, shown, put in place on its owner's word. The same process becomes the node."""
    old, new = place(tmp_path / "old", "127.0.0.7"), place(tmp_path / "new", "127.0.0.7")
    origin = new.origin  # the address of both: it has moved to another machine
    options = ("--origin", origin, "--handle", "alice", "--password-stdin")
    phrase = (await old.run("setup", *options, "--json", text="seven quiet herons\n")).json["phrase"]
    await old.json("post", "Kept for later")
    file = tmp_path / "alice.backup"
    await old.json("backup", str(file))
    async with new.serving() as server, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        link = next(line for line in server.lines if "/setup?token=" in line).strip().partition("token=")[2]
        visitor = Visitor(origin, http)
        assert "Restore a backup" in (await visitor.get(f"/setup?token={link}")).text
        page = f"/setup/restore?token={link}"
        csrf = await visitor.token(page)

        async def send(words: str, content: bytes) -> Page:
            form = aiohttp.FormData(default_to_multipart=True)
            form.add_field("csrf", csrf)
            form.add_field("phrase", words)
            form.add_field("archive", content, filename="alice.backup")
            headers = {"Accept": "text/html", "Origin": origin}
            async with http.post(origin + page, data=form, headers=headers) as answer:
                return Page(answer.status, str(answer.url), await answer.text(), answer.headers)

        refused = [
            (await send("not a phrase", file.read_bytes()), "These words are no recovery phrase"),
            (await send(new_phrase(), file.read_bytes()), "sealed to another recovery phrase"),
            (await send(phrase, file.read_bytes()[:-1]), "damaged or was cut off"),
        ]
        for answer, says in refused:
            assert (answer.status, says in answer.text) == (422, True), answer.text
        assert sorted(path.name for path in new.data.iterdir() if not path.name.startswith("freehold.db")) == [
            "master.key", "server.lock"]  # fmt: skip
        asked = await send(phrase, file.read_bytes())
        assert asked.status == 200
        assert "All of it was opened and checked" in asked.text
        done = await visitor.post(f"/setup/restore/confirm?token={link}", csrf=csrf)
        assert done.url == f"{origin}/sign-in"
        await server.says("is open.")
        page_of_alice = await visitor.get("/@alice")
        assert (page_of_alice.status, "Kept for later" in page_of_alice.text) == (200, True)
        home = await visitor.submit("/sign-in", name="alice", password="seven quiet herons")
        assert home.url == f"{origin}/home"
        assert not list(new.data.glob(".restore-*")), "no plain copy is left"
        assert await server.stop() == 0


@pytest.mark.parametrize("path", ["/setup/restore", "/setup/restore/confirm"])
async def test_the_page_is_for_whoever_holds_the_link(tmp_path: Path, path: str):
    new = place(tmp_path / "new", "127.0.0.7")
    async with new.serving(), aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        visitor = Visitor(new.origin, http)
        before = sorted(path.name for path in new.data.iterdir())
        assert (await visitor.post(f"{path}?token=guessed", phrase="x")).status == 403
        if path == "/setup/restore":
            assert (await visitor.get(path)).status == 403
        assert sorted(path.name for path in new.data.iterdir()) == before
