"""`freehold endorse` and `freehold endorsement`: skills that people speak for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from node.cli.common import Options, acting, common_options, printable, run, show

if TYPE_CHECKING:
    from node.endorsements.queries import Endorsed


@click.command()
@click.argument("to", metavar="@NAME@HOST")
@click.argument("skill")
@click.option(
    "--relation",
    type=click.Choice(["worked", "followed", "none"]),
    required=True,
    help="How you know each other: worked together, follow each other, neither.",
)
@click.option("--comment", default="", help="What you have seen them do.")
@common_options
def endorse(options: Options, to: str, skill: str, relation: str, comment: str) -> None:
    """Say, signed, that somebody can do what stands on their profile. They decide whether it is shown."""
    run(_endorse, options, {"to": to, "skill": skill, "relation": relation, "comment": comment})


async def _endorse(options: Options, form: dict[str, str]) -> None:
    from node.credentials.wire import credential_url
    from node.endorsements import giving, rules

    async with acting(options) as (node, author):
        name = await giving.endorse(node, author.actor_id, rules.parse_endorse(form))
        url = credential_url(author, name)
    show(options, {"name": name, "id": url}, f"Endorsed: {url}")


@click.group(help="Who speaks for your skills: list, accept, hide.")
def endorsement() -> None:
    """What others say of a skill."""


@endorsement.command("list")
@click.argument("who", metavar="@NAME@HOST", default="")
@common_options
def list_them(options: Options, who: str) -> None:
    """All that are shown, with what your node knows of who says them; yours, or those of somebody whom it knows."""
    run(_list, options, who.removeprefix("@"))


async def _list(options: Options, who: str) -> None:
    from node.endorsements.queries import endorsed
    from node.profiles.queries import person_called

    async with acting(options) as (node, author):
        me, own = author.actor_id, who or author.username
        found = await node.db.read(lambda tx: endorsed(tx, person_called(tx, own), me))
    lines = [printable(line) for skill in found for line in _lines(skill)]
    show(options, [_plain(skill) for skill in found], "\n".join(lines) or "None.")


def _lines(skill: Endorsed) -> list[str]:
    head = f"{skill.name}: {len(skill.known)} known here, {skill.strangers} whom nobody here knows"
    return [head, *(f"  {one.view.name}  {one.name}: {one.how} {' '.join(one.facts)}" for one in skill.all)]


def _plain(skill: Endorsed) -> dict[str, Any]:
    return {
        "skill": skill.name,
        "known": len(skill.known),
        "strangers": skill.strangers,
        "endorsements": [
            {
                "name": one.view.name,
                "issuer": one.view.credential.issuer_id,
                "standing": one.standing,
                "how": one.how,
                "facts": one.facts,
                "said": one.view.credential.valid_from,
                "checked": one.view.overall,
            }
            for one in skill.all
        ],
    }


@endorsement.command()
@click.argument("name")
@common_options
def accept(options: Options, name: str) -> None:
    """Check one that was given to you (freehold credential list), and let it stand beside your skill."""
    run(_accept, options, name)


async def _accept(options: Options, name: str) -> None:
    from node.endorsements import giving

    async with acting(options) as (node, author):
        await giving.accept(node, author.actor_id, name)
    show(options, {"name": name, "state": "shown"}, f"It stands on your profile: {name}")


@endorsement.command()
@click.argument("name")
@common_options
def hide(options: Options, name: str) -> None:
    """Keep one, and show it nowhere."""
    run(_hide, options, name)


async def _hide(options: Options, name: str) -> None:
    from node.endorsements import commands

    async with acting(options) as (node, author):
        await node.db.write(commands.hide, author, name)
    show(options, {"name": name, "state": "hidden"}, f"Hidden: {name}")
