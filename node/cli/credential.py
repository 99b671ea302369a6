"""`freehold credential`: what you have given and hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.common import REFUSED, Options, acting, common_options, fail, printable, run, show

if TYPE_CHECKING:
    from node.credentials.queries import View

MAX_FILE = 256_000


@click.group(help="Credentials: give one, list, show, keep or take back.")
def credential() -> None:
    """What somebody says of somebody else, signed."""


@credential.command()
@click.argument("to", nargs=-1, required=True, metavar="@NAME@HOST...")
@click.option("--name", required=True, help="What they have shown, such as: Accessible front end.")
@click.option("--description", required=True, help="The same in more words.")
@click.option("--criteria", required=True, help="How you know.")
@click.option("--until", default="", metavar="DAY", help="The last day on which it counts, as 2029-07-14.")
@common_options
def issue(options: Options, to: tuple[str, ...], name: str, description: str, criteria: str, until: str) -> None:
    """Say something of somebody, signed, and send it to them; the same of everybody whom you name."""
    form = {"to": to[0], "name": name, "description": description, "criteria": criteria, "until": until}
    run(_issue, options, form, to)


async def _issue(options: Options, form: dict[str, str], to: tuple[str, ...]) -> None:
    from node.credentials import giving, rules, wire

    def progress(done: int, of: int) -> None:
        if of > giving.AT_ONCE:
            click.echo(f"{done} of {of}", err=True)

    async with acting(options) as (node, author):
        statement = giving.statement_of(rules.parse_give(form, node.clock.now().date()))
        people = await giving.find_all(node, author.actor_id, to)
        names = await giving.give_to_all(node, author.actor_id, people, statement, progress)
        given = [{"name": name, "id": wire.credential_url(author, name)} for name in names]
    show(options, given, "\n".join(f"Given: {one['id']}" for one in given))


@credential.command("list")
@click.option("--issued", is_flag=True, help="Those that you have given; without it, those that you hold.")
@common_options
def list_them(options: Options, issued: bool) -> None:
    """Those that you hold or were given, the newest first."""
    run(_list, options, "issued" if issued else "held")


async def _list(options: Options, side: str) -> None:
    from node.credentials import queries

    async with acting(options) as (node, author):
        views = await node.db.read(queries.of_owner, author.actor_id, side)
    lines = [printable(f"{one.name}  {_state(one):<22} {one.title}  ({one.issuer_words})") for one in views]
    show(options, [_plain(one) for one in views], "\n".join(lines) or "None.")


@credential.command("show")
@click.argument("name")
@common_options
def show_one(options: Options, name: str) -> None:
    """The credential itself, byte for byte, such as to save it: freehold credential show NAME > file.json."""
    run(_show, options, name)


async def _show(options: Options, name: str) -> None:
    from node.credentials import queries

    async with acting(options) as (node, author):
        held = await node.db.read(queries.bytes_of, author.username, name, author.actor_id)
    click.echo(held.body.decode())


@credential.command()
@click.argument("what", metavar="NAME|FILE|URL")
@common_options
def hold(options: Options, what: str) -> None:
    """Keep what was given to you, or one that you bring as a file or from an address."""
    run(_hold, options, what)


async def _hold(options: Options, what: str) -> None:
    from node.credentials import commands
    from node.credentials.checking import bytes_at
    from node.credentials.working import bring_in, look_after

    async with acting(options) as (node, author):
        if what.startswith(("https://", "http://")):
            name = await bring_in(node, author.actor_id, await bytes_at(node, what))
        elif (body := _read(Path(what))) is not None:
            name = await bring_in(node, author.actor_id, body)
        else:
            name = what
            await node.db.write(commands.take, author.actor_id, name)
            await look_after(node, name)
    show(options, {"name": name}, f"You hold it: {name}")


def _read(path: Path) -> bytes | None:
    """A file, where there is one of that name."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        body = file.read(MAX_FILE + 1)
    if len(body) > MAX_FILE:
        fail(f"{path} is larger than 256 KB.", REFUSED)
    return body


@credential.command()
@click.argument("name")
@click.option("--reason", default="", help="A note for you alone.")
@common_options
def revoke(options: Options, name: str, reason: str) -> None:
    """Take back what you have given. That cannot be undone."""
    run(_revoke, options, name, reason)


async def _revoke(options: Options, name: str, reason: str) -> None:
    from node.credentials import commands

    async with acting(options) as (node, author):
        await node.db.write(commands.revoke, author, name, reason)
    show(options, {"name": name, "state": "revoked"}, f"Taken back: {name}")


def _state(one: View) -> str:
    if one.state == "held":
        return f"{one.found.overall if one.found else 'not checked'}, {one.audience}"
    return one.state


def _plain(one: View) -> dict[str, Any]:
    return {
        "name": one.name,
        "id": one.credential.id,
        "state": one.state,
        "audience": one.audience,
        "title": one.title,
        "issuer": one.credential.issuer_id,
        "subject": one.credential.subject_id,
        "valid_until": one.credential.valid_until,
        "checked": one.found.overall if one.found else None,
        "checked_at": one.checked_at,
    }
