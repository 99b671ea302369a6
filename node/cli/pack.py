"""`freehold pack`: lists of people whom somebody recommends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.common import Options, acting, common_options, printable, read_text, run, show

if TYPE_CHECKING:
    from node.context import Node
    from node.packs.bringing import Brought

MADE = {
    "holds": "signed by {owner}, and the signature holds",
    "unknown": "says that {owner} made it; could not check today",
    "none": "delivered by the server of {owner}, without a signature of its own",
}


@click.group(help="Starter packs: see who is in one, publish one, follow the people of one.")
def pack() -> None:
    """A pack is a signed list of people whom somebody recommends."""


@pack.command("show")
@click.argument("what", metavar="URL|FILE")
@common_options
def show_pack(options: Options, what: str) -> None:
    """Who made it, and who is in it. Follows nobody."""
    run(_show, options, what)


async def _show(options: Options, what: str) -> None:
    async with acting(options) as (node, _author):
        brought = await _brought(node, what)
    show(options, _plain(brought), _words(brought))


async def _brought(node: Node, what: str) -> Brought:
    from node.packs import bringing

    if what.startswith(("https://", "http://")):
        return await bringing.from_address(node, what)
    return await bringing.from_file(node, read_text(Path(what)).encode())


def _plain(brought: Brought) -> dict[str, Any]:
    pack = brought.pack
    members = [{"id": member.id, "handle": member.handle} for member in pack.members]
    return {"id": pack.id, "owner": pack.owner, "name": pack.name, "signature": brought.signature, "members": members}


def _words(brought: Brought) -> str:
    pack = brought.pack
    head = [pack.name or "A pack without a name", MADE[brought.signature].format(owner=pack.owner)]
    return "\n".join(printable(line) for line in (*head, *(f"@{one.handle}  {one.id}" for one in pack.members)))


@pack.command()
@click.argument("handles", nargs=-1, required=True, metavar="@NAME@HOST...")
@click.option("--name", required=True, help="Such as: Illustrators in Lisbon.")
@click.option("--summary", default="", help="For whom it is.")
@common_options
def publish(options: Options, handles: tuple[str, ...], name: str, summary: str) -> None:
    """Sign a list of people and let it stand at its address."""
    run(_publish, options, {"name": name, "summary": summary, "members": " ".join(handles)})


async def _publish(options: Options, form: dict[str, str]) -> None:
    from node.packs import bringing, commands, rules

    async with acting(options) as (node, author):
        draft = rules.parse_pack_form(form)
        members = await bringing.members(node, draft)
        pack_id = await node.db.write(commands.publish_pack, author, draft.name, draft.summary, members)
        page = node.ids.object_page(pack_id)
    show(options, {"id": pack_id, "url": page}, f"Published: {page}")


@pack.command("import")
@click.argument("what", metavar="URL|FILE")
@click.option("--only", multiple=True, metavar="@NAME@HOST", help="Follow these alone; again for each.")
@common_options
def import_pack(options: Options, what: str, only: tuple[str, ...]) -> None:
    """Follow the people of a pack, one after the other; a running server does it."""
    run(_import, options, what, only)


async def _import(options: Options, what: str, only: tuple[str, ...]) -> None:
    from node.packs import commands, queries

    wanted = {one.removeprefix("@").lower() for one in only}
    async with acting(options) as (node, author):
        brought = await _brought(node, what)
        found = (brought.document, brought.signature, brought.sentence)
        visit_id = await node.db.write(commands.bring, author.actor_id, *found)
        visit = await node.db.read(queries.visit, author.actor_id, visit_id)
        chosen = [one.id for one in visit.pack.members if not wanted or one.handle.lower() in wanted or one.id in only]
        list_id = await node.db.write(commands.follow_some, author, visit, chosen)
    sentence = f"{len(chosen)} people are asked, one after the other. Made by: {brought.pack.owner}."
    show(options, {"list": list_id, "asked": chosen}, sentence)
