"""The two Fedify generations talk with each other: what later fails against our node is then not their fault."""

from __future__ import annotations

from tests.interop.peers import fedify


async def test_they_follow_each_other_and_read_each_others_notes():
    async with fedify("fedify-1", "127.0.0.2") as old, fedify("fedify-2", "127.0.0.3") as new:
        await old.tell("follow", id=new.actor)
        await new.tell("follow", id=old.actor)
        await new.activity("Accept")
        await old.activity("Accept")

        note = await old.tell("note", content="<p>from the older one</p>")
        assert (await new.activity("Create", note["id"]))["object"]["content"] == "<p>from the older one</p>"
        note = await new.tell("note", content="<p>from the newer one</p>", to=[old.actor])
        assert (await old.activity("Create", note["id"]))["object"]["content"] == "<p>from the newer one</p>"
