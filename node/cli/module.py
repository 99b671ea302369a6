"""`freehold module`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.common import Options, acting, common_options, read_text, run, show

if TYPE_CHECKING:
    from node.learning.queries import ModuleView

_HEADING = re.compile(r"#{1,6}[ \t]+(.*?)[ \t]*#*\Z")


@click.group(help="Publish, list and show learning modules.")
def module() -> None:
    """A module is a text that teaches something, under a licence that you choose."""


@module.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.md")
@click.option("--title", help="Else the file's first heading.")
@click.option("--summary", default="")
@click.option("--skill", "skills", multiple=True, metavar="NAME[=URI]", help="What it teaches; again for each skill.")
@click.option("--licence", default="CC-BY-4.0", show_default=True)
@click.option("--minutes", metavar="N", default="", help="How long it takes.")
@common_options
def publish(options: Options, file: Path, skills: tuple[str, ...], **given: Any) -> None:
    """Sign a module, announce it and send both to your followers."""
    body = read_text(file)
    form = {name: value for name, value in given.items() if value} | {"body": body, "skills": ", ".join(skills)}
    form.setdefault("title", _first_heading(body) or file.stem)
    run(_publish, options, form)


def _first_heading(body: str) -> str:
    """Not a comment in a piece of code."""
    for line in body.splitlines():
        if line.startswith(("```", "~~~")):
            return ""
        match = _HEADING.match(line)
        if match:
            return match[1]
    return ""


async def _publish(options: Options, form: dict[str, str]) -> None:
    from node.learning import commands, rules

    async with acting(options) as (node, author):
        object_id = await node.db.write(commands.publish_module, author, rules.parse_module(form))
    show(options, {"id": object_id}, f"Published: {object_id}")


@module.command("list")
@common_options
def list_modules(options: Options) -> None:
    """Every module that this node knows, newest first."""
    run(_list, options)


async def _list(options: Options) -> None:
    from node.learning import queries

    async with acting(options) as (node, _):
        modules = await node.db.read(queries.modules)
    words = "\n".join(f"{view.title}{_time(view)}\n  {view.id}" for view in modules)
    words = words or "No modules yet. Publish one: freehold module publish FILE.md"
    show(options, [_json(view) for view in modules], words)


def _time(view: ModuleView) -> str:
    return f"  ({view.duration})" if view.duration else ""


def _json(view: ModuleView) -> dict[str, Any]:
    """Every key is always there; what is not said is null."""
    return {
        "id": view.id,
        "owner": view.owner,
        "title": view.title,
        "summary": view.summary,
        "licence": view.licence,
        "minutes": view.minutes,
        "skills": [skill._asdict() for skill in view.skills],
        "published": view.published,
        "updated": view.updated,
        "body_md": view.body_md,
        "body_html": view.body_html,
        "local": view.local,
        "verification": view.verification,
        "announcement": view.announcement,
        "url": view.page,
    }


@module.command("show")
@click.argument("module_id", metavar="ID")
@common_options
def show_module(options: Options, module_id: str) -> None:
    """One module."""
    run(_show, options, module_id)


async def _show(options: Options, module_id: str) -> None:
    from node.learning import queries, rules
    from node.text import plain

    async with acting(options) as (node, author):
        wanted = module_id if "/" in module_id else f"{author.actor_id}/learn/{module_id}"
        view = await node.db.read(queries.module, wanted)
    lines = [
        f"{view.title}{_time(view)}",
        view.summary,
        ", ".join(skill.name for skill in view.skills),
        rules.licence_name(view.licence),
        view.id,
        view.body_md if view.body_md is not None else plain(view.body_html, 5_000),
    ]
    show(options, _json(view), "\n".join(line for line in lines if line))
