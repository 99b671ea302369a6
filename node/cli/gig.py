"""`freehold gig`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.common import Options, acting, common_options, read_text, run, show

if TYPE_CHECKING:
    from node.market.queries import GigView


@click.group(help="Publish, edit, close, list and show gigs: what you offer, and what you are looking for.")
def gig() -> None:
    """A gig is public: everybody can read it."""


def _fields(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        [
            click.option("--title"),
            click.option("--body", type=click.Path(path_type=Path), metavar="FILE", help="Markdown."),
            click.option("--skill", "skills", multiple=True, metavar="NAME[=URI]", help="Again for each skill."),
            click.option("--rate", metavar="AMOUNT/hour|day|one", help="Leave it out where the price is to be agreed."),
            click.option("--currency", metavar="EUR"),
            click.option("--available", metavar="N", help="How many hours or days there are."),
            click.option("--minimum", metavar="N", help="How many must be taken at least."),
            click.option("--until", metavar="DATE", help="The last day for an answer."),
        ]
    ):
        command = option(command)
    return command


@gig.command()
@click.option("--offer", "purpose", flag_value="offer", help="Work that you offer.")
@click.option("--request", "purpose", flag_value="request", help="Work that you are looking for.")
@_fields
@common_options
def publish(options: Options, **given: Any) -> None:
    """Sign a gig and send it to your followers."""
    run(_publish, options, given)


async def _publish(options: Options, given: dict[str, Any]) -> None:
    from node.market import commands, rules

    form = {"purpose": given["purpose"] or "offer", "unit": "hour"} | _changes(given)
    async with acting(options) as (node, author):
        draft = rules.parse_gig(form, node.clock.now().date())
        object_id = await node.db.write(commands.publish_gig, author, draft)
    show(options, {"id": object_id}, f"Published: {object_id}")


@gig.command()
@click.argument("gig_id", metavar="ID")
@_fields
@common_options
def edit(options: Options, gig_id: str, **given: Any) -> None:
    """Change what you name; the rest stays as it is."""
    run(_edit, options, gig_id, given)


async def _edit(options: Options, gig_id: str, given: dict[str, Any]) -> None:
    from node.market import commands, queries, rules

    async with acting(options) as (node, author):
        view = await node.db.read(queries.own_gig, author.actor_id, gig_id)
        today = node.clock.now().date()
        draft = rules.parse_gig(rules.form_of(view, today) | _changes(given), today)
        await node.db.write(commands.edit_gig, author, view.id, draft)
    show(options, {"id": view.id}, f"Changed: {view.id}")


@gig.command()
@click.argument("gig_id", metavar="ID")
@common_options
def close(options: Options, gig_id: str) -> None:
    """Say everywhere that a gig is closed. It cannot be opened again."""
    run(_close, options, gig_id)


async def _close(options: Options, gig_id: str) -> None:
    from node.market import commands, queries

    async with acting(options) as (node, author):
        view = await node.db.read(queries.own_gig, author.actor_id, gig_id)
        await node.db.write(commands.close_gig, author, view.id)
    show(options, {"id": view.id, "closed": True}, f"Closed: {view.id}")


@gig.command("list")
@common_options
def list_gigs(options: Options) -> None:
    """Every gig that this node knows, newest first."""
    run(_list, options)


async def _list(options: Options) -> None:
    from node.market import queries

    async with acting(options) as (node, _):
        gigs = await node.db.read(queries.board)
        now = node.clock.now()
    lines = [f"{view.purpose:<8} {view.title}{_over(view, now)}\n         {view.id}" for view in gigs]
    words = "\n".join(lines) or "No gigs yet. Publish one: freehold gig publish --offer --title ..."
    show(options, [_json(view, now) for view in gigs], words)


def _over(view: GigView, now: datetime) -> str:
    state = view.state(now)
    return "" if state == "open" else f"  ({state})"


def _json(view: GigView, now: datetime) -> dict[str, Any]:
    """Every key is always there; numbers are strings, what is not said is null."""
    return {
        "id": view.id,
        "owner": view.owner,
        "purpose": view.purpose,
        "title": view.title,
        "state": view.state(now),
        "price": view.price,
        "currency": view.currency,
        "unit": view.unit,
        "available": view.available,
        "minimum": view.minimum,
        "skills": [skill._asdict() for skill in view.skills],
        "published": view.published,
        "updated": view.updated,
        "end_time": view.end_time,
        "body_md": view.body_md,
        "body_html": view.body_html,
        "local": view.local,
        "verification": view.verification,
        "url": view.page,
    }


@gig.command("show")
@click.argument("gig_id", metavar="ID")
@common_options
def show_gig(options: Options, gig_id: str) -> None:
    """One gig."""
    run(_show, options, gig_id)


async def _show(options: Options, gig_id: str) -> None:
    from node.market import queries, wire
    from node.text import plain

    async with acting(options) as (node, author):
        wanted = gig_id if "/" in gig_id else f"{author.actor_id}/gigs/{gig_id}"
        view = await node.db.read(queries.gig, wanted)
        now = node.clock.now()
    lines = [
        f"{view.title}{_over(view, now)}",
        f"{wire.PURPOSES[view.purpose]}: {wire.price_words(view.price, view.currency, view.unit)}",
        wire.quantity_words(view.minimum, view.available, view.unit),
        ", ".join(skill.name for skill in view.skills),
        view.id,
        view.body_md if view.body_md is not None else plain(view.body_html, 5_000),
    ]
    show(options, _json(view, now), "\n".join(line for line in lines if line))


def _changes(given: dict[str, Any]) -> dict[str, str]:
    changes = {name: value for name, value in given.items() if isinstance(value, str)}
    if "rate" in changes:
        changes["price"], _, unit = changes.pop("rate").partition("/")
        changes["unit"] = unit or "hour"
    if given["skills"]:
        changes["skills"] = ", ".join(given["skills"])
    if given["body"]:
        changes["body"] = read_text(given["body"])
    return changes
