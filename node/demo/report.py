"""What became of everything that was published, at each of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from node.context import Node
from node.demo.owners import Owner
from node.profiles import queries as profiles
from node.social import queries as social

WORDS = {
    "signed": "signature verified",
    "delivered": "delivered by its server",
    "unchecked": "could not check",
    "": "did not arrive",
}
OWN = "its own"
WIDTH = 40


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that an owner published. what: its title, or the whole of it where it has none."""

    owner: str
    kind: str
    what: str
    id: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of a thing at another's node. state: signed, delivered or unchecked; empty while it is not there."""

    thing: Thing
    reader: str
    state: str


async def arrivals_at(owner: Owner, node: Node, things: Sequence[Thing]) -> list[Arrival]:
    """Everything that the others published, as it stands in one owner's timeline and among the people known there."""
    entries = await node.db.read(social.home, owner.actor_id, limit=200)
    states: dict[str, str] = {entry.object_id: entry.verification for entry in entries}
    theirs = [thing for thing in things if thing.owner != owner.handle]
    for thing in theirs:
        if thing.kind == "profile":
            person = await node.db.read(profiles.person, thing.id)
            states[thing.id] = person.verification if person.headline == thing.what else ""
    return [Arrival(thing, owner.handle, states.get(thing.id, "")) for thing in theirs]


def complete(arrivals: Sequence[Arrival]) -> bool:
    """Whether everything is where it should be, with a signature that was verified there."""
    return bool(arrivals) and all(arrival.state == "signed" for arrival in arrivals)


def as_table(owners: Sequence[Owner], things: Sequence[Thing], arrivals: Sequence[Arrival]) -> str:
    """A line for each thing, a column for each node."""
    states = {(arrival.thing.id, arrival.reader): WORDS[arrival.state] for arrival in arrivals}
    rows = [["by", "kind", "what", *[f"at {owner.handle}" for owner in owners]]]
    for thing in things:
        cells = [states.get((thing.id, owner.handle), OWN) for owner in owners]
        rows.append([thing.owner, thing.kind, short(thing.what), *cells])
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(["", *lines, "", _sentence(arrivals)])


def short(text: str) -> str:
    """A text on part of a line."""
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1].rstrip()}…"


def _sentence(arrivals: Sequence[Arrival]) -> str:
    if complete(arrivals):
        return f"Everything arrived, and each of the {len(arrivals)} signatures was verified where it arrived."
    missing = sum(arrival.state != "signed" for arrival in arrivals)
    return f"{missing} of {len(arrivals)} did not arrive with a signature that could be verified."


def as_json(owners: Sequence[Owner], arrivals: Sequence[Arrival]) -> dict[str, Any]:
    """The same with stable keys."""
    return {
        "nodes": [{"handle": owner.handle, "origin": owner.origin, "actor": owner.actor_id} for owner in owners],
        "arrivals": [
            asdict(arrival.thing) | {"reader": arrival.reader, "state": arrival.state} for arrival in arrivals
        ],
        "complete": complete(arrivals),
    }
