"""`freehold profile`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from node.cli.common import Options, acting, common_options, run, show

if TYPE_CHECKING:
    from node.profiles.answers import Answer
    from node.profiles.queries import Person


@click.group(help="Show or change your profile: skills, rate, are you free yet?")
def profile() -> None:
    """What you change is signed, and sent to your followers."""


@profile.command("show")
@common_options
def show_profile(options: Options) -> None:
    """Your profile as others see it."""
    run(_show, options)


async def _show(options: Options) -> None:
    from node.profiles import answers, wire
    from node.profiles.sources import own_person
    from node.vocabularies import language_name

    async with acting(options) as (node, author):
        person = await node.db.read(own_person, author.actor_id)
        answer = answers.answer(person.availability, node.clock.now().date())
    lines = [
        f"{person.name}  @{person.handle}",
        person.headline,
        f"Are you free yet? {answer.sentence if answer.status else 'You have not said yet.'}",
        f"Rate: {wire.rate_words(person.rate) if person.rate else 'not said'}",
        f"Skills: {', '.join(skill.name for skill in person.skills) or 'none yet'}",
        f"Languages: {', '.join(map(language_name, person.languages)) or 'none yet'}",
        *person.links,
    ]
    show(options, _json(person, answer), "\n".join(line for line in lines if line))


def _json(person: Person, answer: Answer) -> dict[str, Any]:
    """Every key is always there; what is not said is null or empty."""
    available = person.availability
    return {
        "id": person.id,
        "type": person.type,
        "handle": person.handle,
        "name": person.name,
        "headline": person.headline,
        "summary": person.summary_md,
        "skills": [skill._asdict() for skill in person.skills],
        "rate": person.rate._asdict() if person.rate else None,
        "availability": available
        and {
            "status": available.status,
            "from": available.from_date,
            "hours_per_week": available.hours_per_week,
            "updated": available.updated,
        },
        "answer": answer.sentence if answer.status else None,
        "languages": list(person.languages),
        "links": list(person.links),
        "picture": person.picture,
        "url": person.url,
        "discoverable": person.discoverable,
        "indexable": person.indexable,
    }


@profile.command("set")
@click.option("--name")
@click.option("--headline")
@click.option("--summary", help="Markdown.")
@click.option("--skill", "skills", multiple=True, metavar="NAME[=URI]", help="Again for each skill.")
@click.option("--rate", metavar="AMOUNT/hour|day")
@click.option("--currency", metavar="EUR")
@click.option("--availability", type=click.Choice(["open", "limited", "busy"]))
@click.option("--free-from", metavar="DATE", help="2026-12-07")
@click.option("--hours-per-week", metavar="N")
@click.option("--language", "languages", multiple=True, metavar="CODE", help="Again for each language.")
@click.option("--link", "links", multiple=True, metavar="URL", help="Again for each link.")
@common_options
def set_profile(options: Options, **given: Any) -> None:
    """Change what you name; the rest stays as it is."""
    run(_set, options, given)


async def _set(options: Options, given: dict[str, Any]) -> None:
    from node.profiles import commands, rules
    from node.profiles.sources import own_person

    async with acting(options) as (node, author):
        person = await node.db.read(own_person, author.actor_id)
        today = node.clock.now().date()
        draft = rules.parse_profile(rules.form_of(person, today) | _changes(given), today)
        inboxes = await node.db.write(commands.save_profile, author, draft)
    words = "Saved and signed. Your followers will hear of it." if inboxes else "Saved and signed."
    show(options, {"saved": True, "inboxes": inboxes}, words)


def _changes(given: dict[str, Any]) -> dict[str, str]:
    changes = {name: value for name, value in given.items() if isinstance(value, str)}
    if "rate" in changes:
        changes["rate"], _, unit = changes["rate"].partition("/")
        changes["unit"] = unit or "hour"
    for name in ("skills", "languages"):
        if given[name]:
            changes[name] = ", ".join(given[name])
    if given["links"]:
        changes["links"] = "\n".join(given["links"])
    if "free_from" in changes and "availability" not in changes:
        changes["availability"] = "open"
    return changes
