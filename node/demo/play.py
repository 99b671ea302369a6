"""What the owners do, by the commands that their pages use: follow each other, then publish."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

from federation.authors import Author
from node.context import Node
from node.demo.owners import Owner
from node.demo.report import Thing
from node.learning.commands import publish_module
from node.learning.rules import parse_module
from node.market.commands import publish_gig
from node.market.rules import parse_gig
from node.profiles.commands import save_profile
from node.profiles.rules import form_of, parse_profile
from node.profiles.sources import own_person
from node.social.commands import follow, post
from node.social.queries import followers, following
from node.social.rules import parse_post

Nodes = dict[Owner, Node]
PATIENCE_SECONDS = 30.0


async def follow_each_other(nodes: Nodes) -> bool:
    """Everybody asks, by handle; returns whether everybody was accepted."""
    for owner, node in nodes.items():
        author = await node.author(owner.actor_id)
        for other in nodes:
            if other is not owner:
                await node.db.write(follow, author, await node.resolver.locate(f"@{other.handle}@{other.place}"))
    return await until(nodes, lambda: _all_accepted(nodes))


async def _all_accepted(nodes: Nodes) -> bool:
    for owner, node in nodes.items():
        for query in (followers, following):
            states = [someone.state for someone in await node.db.read(query, owner.actor_id)]
            if states.count("accepted") < len(nodes) - 1:
                return False
    return True


async def publish(owner: Owner, node: Node) -> list[Thing]:
    """Everything that an owner has to say."""
    author = await node.author(owner.actor_id)
    today = node.clock.now().date()
    things = [await _profile(owner, node, author, today)]
    for table in owner.script.get("gig", ()):
        gig_id = await node.db.write(publish_gig, author, parse_gig(_form(table, today), today))
        things.append(Thing(owner.handle, "gig", table["title"], gig_id))
    for table in owner.script.get("module", ()):
        module_id = await node.db.write(publish_module, author, parse_module(_form(table, today)))
        things.append(Thing(owner.handle, "module", table["title"], module_id))
    for table in owner.script.get("post", ()):
        draft = parse_post({"body": table["body"], "audience": "public"})
        things.append(Thing(owner.handle, "post", table["body"], await node.db.write(post, author, draft, None)))
    return things


async def _profile(owner: Owner, node: Node, author: Author, today: date) -> Thing:
    form = form_of(await node.db.read(own_person, owner.actor_id)) | _form(owner.script["profile"], today)
    await node.db.write(save_profile, author, parse_profile(form, today))
    return Thing(owner.handle, "profile", form["headline"], owner.actor_id)


def _form(table: dict[str, Any], today: date) -> dict[str, str]:
    """A table of `demo.toml` as the fields of a form: `until_days = 30` is `until`, thirty days from today."""
    form = {name: value for name, value in table.items() if isinstance(value, str)}
    for name, value in table.items():
        if name.endswith("_days"):
            form[name.removesuffix("_days")] = (today + timedelta(days=value)).isoformat()
    return form


async def until(nodes: Nodes, answer: Callable[[], Awaitable[bool]]) -> bool:
    """Ask again whenever one of the databases has changed; False when patience ends."""
    changed = asyncio.Event()
    for node in nodes.values():
        node.db.subscribe("documents", lambda payload: changed.set())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await answer():
                await changed.wait()
                changed.clear()
    except TimeoutError:
        return False
    return True
