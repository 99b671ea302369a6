"""`freehold module`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from node.cli.common import Options, acting, common_options, read_text, run, show


@click.group(help="Publish, list and show learning modules.")
def module() -> None:
    """A module is a text that teaches something, under a licence that you choose."""


@module.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.md")
@click.option("--title", help="Else the file's first heading.")
@click.option("--summary", default="")
@click.option("--skill", "skills", multiple=True, metavar="NAME[=URI]", help="What it teaches; again for each skill.")
@click.option("--licence", default="CC-BY-4.0", show_default=True)
@click.option("--minutes", metavar="N", default="30", show_default=True)
@common_options
def publish(options: Options, file: Path, skills: tuple[str, ...], **given: Any) -> None:
    """Sign a module, announce it and send both to your followers."""
    body = read_text(file)
    form = {name: value for name, value in given.items() if value} | {"body": body, "skills": ", ".join(skills)}
    form.setdefault("title", _first_heading(body) or file.stem)
    run(_publish, options, form)


def _first_heading(body: str) -> str:
    lines = (line.lstrip("# ").strip() for line in body.splitlines() if line.startswith("#"))
    return next(lines, "")


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
    words = "\n".join(f"{view.title}  ({view.minutes} min, {view.owner})\n  {view.id}" for view in modules)
    show(options, [asdict(view) for view in modules], words or "No modules yet: freehold module publish FILE.md.")


@module.command("show")
@click.argument("module_id", metavar="ID")
@common_options
def show_module(options: Options, module_id: str) -> None:
    """One module."""
    run(_show, options, module_id)


async def _show(options: Options, module_id: str) -> None:
    from node.learning import queries

    async with acting(options) as (node, _):
        view = await node.db.read(queries.module, module_id)
    show(options, asdict(view), f"{view.title}\n{view.id}\n\n{view.body_md or view.body_html}")
