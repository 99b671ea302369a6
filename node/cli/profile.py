"""`freehold profile`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.common import Options, acting, common_options, read_text, run, show

if TYPE_CHECKING:
    from node.profiles.answers import Answer
    from node.profiles.queries import Person
    from node.profiles.rules import Audience


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
        "levels": [{"language": code, "level": level} for code, level in person.levels.items()],
        "links": list(person.links),
        "picture": person.picture,
        "url": person.url,
        "discoverable": person.discoverable,
        "indexable": person.indexable,
        "approves": person.approves,
        "audiences": [{"field": name, "audience": who} for name, who in person.audiences.items()],
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


@profile.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--all", "everything", is_flag=True, help="Also what is for followers, and what is for nobody.")
@common_options
def export_profile(options: Options, **given: Any) -> None:
    """Write your profile to FILE as JSON Resume: what is for everybody."""
    run(_export, options, given["file"], everything=given["everything"])


async def _export(options: Options, path: Path, *, everything: bool) -> None:
    from node.profiles.queries import person
    from node.profiles.resume_out import to_resume, words_of
    from node.profiles.seen import whole_cv
    from node.profiles.sources import own_cv, own_person

    async with acting(options) as (node, author):
        if everything:
            who = await node.db.read(own_person, author.actor_id)
            cv, summary = await node.db.read(own_cv, author.actor_id), who.summary_md or ""
        else:
            who = await node.db.read(person, author.actor_id)
            cv, summary = await node.db.read(whole_cv, who), words_of(who.summary_html)
    document = to_resume(who, cv, summary=summary, origin=node.ids.origin)
    _write(path, document)
    counts = {name: len(document.get(name, ())) for name in ("work", "education", "projects", "skills", "languages")}
    show(options, {"file": str(path), **counts}, f"Written to {path}.")


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8")


@profile.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--for", "audience", type=click.Choice(["public", "followers", "nobody"]), default="public",
              help="Who sees the new lines of your CV.")  # fmt: skip
@common_options
def import_profile(options: Options, **given: Any) -> None:
    """Fill what is empty on your profile from a JSON Resume, and add its lines to your CV."""
    run(_import, options, given["file"], given["audience"])


async def _import(options: Options, path: Path, audience: Audience) -> None:
    from node.profiles.resume import parse_resume
    from node.profiles.resume_commands import take_in

    taken = parse_resume(read_text(path).encode())
    async with acting(options) as (node, author):
        done = await node.db.write(take_in, author, taken, audience)
    fields = ", ".join(done.fields) or "none"
    said = [f"{done.entries} lines added, {done.known} were there already. Fields filled: {fields}."]
    if done.no_room:
        said.append(f"There was no room for {done.no_room} lines.")
    said += [f"Left out: {sentence}" for sentence in taken.skipped]
    show(options, done._asdict() | {"skipped": list(map(str, taken.skipped))}, "\n".join(said))
