"""A machine is lost: its node comes back from a backup on another one, and other servers notice a pause."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import sqlalchemy as sa

from federation.tables import actor_keys, deliveries, objects
from keys.sealing import make_lock
from node.app import lay_ground
from node.backup import commands, placing, reading
from node.backup.making import back_up, working_folder
from tests.nodes import Home, cluster, settled
from tests.people import Somebody
from tests.processes import place

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
