"""`freehold block`, `unblock`, `mute`, `follows`, `move`, `relay`."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import click

from node.cli.common import COULD_NOT, Options, acting, common_options, fail, opened, run, show
from node.context import Node
from schemas.actors import Actor


@click.command(help="Want nothing of somebody: @name@host or an address.")
@click.argument("who")
@common_options
def block(options: Options, who: str) -> None:
    """Their server is told."""
    run(_block, options, who)


async def _block(options: Options, who: str) -> None:
    from node.relations import commands

    async with acting(options) as (node, author):
        target = await _whom(node, who)
        await node.db.write(commands.block, author, target.id)
    show(options, {"actor": target.id}, f"You block {target.id}.")


@click.command(help="Take a block back, and a mute.")
@click.argument("who")
@common_options
def unblock(options: Options, who: str) -> None:
    """Nobody follows anybody by it."""
    run(_unblock, options, who)


async def _unblock(options: Options, who: str) -> None:
    from node.relations import commands

    async with acting(options) as (node, author):
        target = await _whom(node, who)
        blocked = await node.db.write(commands.unblock, author, target.id)
        muted = await node.db.write(commands.unmute, author, target.id)
    words = "You block and mute them no more." if blocked or muted else "You neither blocked nor muted them."
    show(options, {"actor": target.id, "changed": blocked or muted}, f"{target.id}: {words}")


@click.command(help="See nothing of somebody; nobody is told.")
@click.argument("who")
@click.option("--for", "span", type=click.Choice(["day", "week", "month"]), help="For how long; else until taken back.")
@common_options
def mute(options: Options, who: str, span: str | None) -> None:
    """For a time, or until `freehold unblock`."""
    run(_mute, options, who, span or "")


async def _mute(options: Options, who: str, span: str) -> None:
    from node.relations import commands, rules

    async with acting(options) as (node, author):
        target = await _whom(node, who)
        until = rules.parse_until(span, node.clock.now())
        await node.db.write(commands.mute, author, target.id, until)
    show(options, {"actor": target.id, "until": until}, f"You mute {target.id}.")


async def _whom(node: Node, who: str) -> Actor:
    """Somebody who is known here already, which needs nobody else to answer; else as the pages find them."""
    from federation.moves import known_actor
    from node.social.finding import find
    from node.social.mentions import known

    handle = who.strip().removeprefix("@").lower()
    named = await node.db.read(known, [handle], node.ids.handle_domain)
    there = named.get(handle) or await node.db.read(known_actor, who.strip())
    return there or await find(node, who, "who")


@click.group(help="The list of people whom you follow, block or mute, as a file.")
def follows() -> None:
    """Mastodon's CSV."""


MAX_FILE = 500_000  # as `node.relations.rules` has it, which refuses what is longer
LISTS = click.Choice(["follows", "blocks", "mutes"])
KIND = click.option("--kind", type=LISTS, default="follows", show_default=True, help="Which list.")


class _Written(NamedTuple):
    text: str
    number: int


@follows.command("export", help="Write a list to a file.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@KIND
@common_options
def export_list(options: Options, file: Path, kind: str) -> None:
    """An existing file is replaced."""
    found = run(_addresses, options, kind)
    file.write_text(found.text, "utf-8")
    show(options, {"file": str(file), "count": found.number}, f"{found.number} addresses in {file}.")


async def _addresses(options: Options, kind: str) -> _Written:
    from node.relations import queries, rules

    which = rules.parse_kind(kind)
    async with acting(options) as (node, author):
        found = await node.db.read(queries.addresses, author.actor_id, which, node.ids.handle_domain)
    return _Written(rules.write_list(which, found), len(found))


@follows.command("import", help="Read a list from a file and do what it says.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@KIND
@common_options
def import_list(options: Options, file: Path, kind: str) -> None:
    """Each address is asked for; what failed is printed."""
    try:
        with file.open("rb") as source:
            body = source.read(MAX_FILE + 1)
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror or error}.", COULD_NOT)
    run(_import, options, body, kind)


async def _import(options: Options, body: bytes, kind: str) -> None:
    from node.relations import lists, queries, rules
    from node.relations.worker import RelationsWorker

    async with acting(options) as (node, author):
        import_id = await node.db.write(lists.begin, author, rules.parse_kind(kind), rules.read_list(body))
        await RelationsWorker(node).drain()
        found = await node.db.read(queries.progress, author.actor_id, import_id)
    assert found is not None
    words = [f"{found.done} of {found.total} done."]
    words += [f"line {one.number}, {one.address}: {one.words}" for one in found.failures]
    failures = [one._asdict() for one in found.failures]
    show(options, {"done": found.done, "failed": found.failed, "failures": failures}, "\n".join(words))


@click.group(help="Move to another account, or from one to this.")
def move() -> None:
    """Followers come along."""


@move.command(help="Say that another account is yours too, so that it may move here.")
@click.argument("account")
@common_options
def alias(options: Options, account: str) -> None:
    """@name@host or an address."""
    run(_alias, options, account)


async def _alias(options: Options, account: str) -> None:
    from node.relations import moving, queries
    from node.social.finding import find

    async with acting(options) as (node, author):
        other = await find(node, account, "account")
        there = await node.db.read(queries.whereabouts, author.actor_id)
        aliases = list(dict.fromkeys((*there.aliases, other.id)))
        await node.db.write(moving.set_aliases, author, aliases)
    show(options, {"aliases": aliases}, f"You say that {other.id} is you too. Start the move there now.")


@move.command(help="Send your followers to another account, which has to name this one first.")
@click.argument("account")
@common_options
def to(options: Options, account: str) -> None:
    """Not again for 30 days."""
    run(_to, options, account)


async def _to(options: Options, account: str) -> None:
    from node.relations import moving
    from node.social.finding import find

    async with acting(options) as (node, author):
        target = await find(node, account, "account")
        reached = await node.db.write(moving.move_away, author, target, node.authors)
    show(options, {"target": target.id, "inboxes": reached}, f"You moved to {target.id}; {reached} inboxes are told.")


@click.group(help="Relays, which tell this node of public things that nobody here follows.")
def relay() -> None:
    """What they tell of is found by search and hashtags, and is in nobody's timeline."""


@relay.command("add", help="Ask a relay: the address of its actor, or of its inbox.")
@click.argument("url")
@common_options
def add_relay(options: Options, url: str) -> None:
    """An address that ends with /inbox is asked in Mastodon's way, any other in LitePub's."""
    run(_add_relay, options, url)


async def _add_relay(options: Options, url: str) -> None:
    from federation import relays

    kind: relays.Kind = "mastodon" if url.endswith("/inbox") else "litepub"
    async with opened(options) as node:
        actor_id = f"{url.removesuffix('/inbox')}/actor" if kind == "mastodon" else url
        actor = await node.resolver.actor(actor_id, refresh=True)
        instance = await node.author(node.ids.instance_actor)
        await node.db.write(relays.add_relay, instance, actor, kind)
    show(options, {"relay": actor.id, "kind": kind, "state": "requested"}, f"Asked {actor.id}.")


@relay.command("remove", help="Hear no more of a relay.")
@click.argument("url")
@common_options
def remove_relay(options: Options, url: str) -> None:
    """Its id, as `freehold relay list` prints it."""
    run(_remove_relay, options, url)


async def _remove_relay(options: Options, url: str) -> None:
    from federation import relays

    async with opened(options) as node:
        instance = await node.author(node.ids.instance_actor)
        await node.db.write(relays.remove_relay, instance, url)
    show(options, {"relay": url}, f"{url} is no relay of this node any more.")


@relay.command("list", help="The relays of this node.")
@common_options
def list_relays(options: Options) -> None:
    """With their style, and whether they have agreed."""
    run(_list_relays, options)


async def _list_relays(options: Options) -> None:
    from federation import relays

    async with opened(options) as node:
        found = [row._asdict() for row in await node.db.read(relays.listed)]
    words = "\n".join(f"{one['id']}  {one['kind']}  {one['state']}" for one in found)
    show(options, found, words or "No relay.")
