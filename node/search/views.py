"""What is shown of things of several kinds, as a list of results or of a hashtag has them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from federation.storage import Tx
from node.learning import queries as learning
from node.learning.queries import ModuleView
from node.market import queries as market
from node.market.queries import GigView
from node.profiles import queries as people
from node.profiles.answers import Answer, answer
from node.profiles.queries import Person
from node.search.rules import Kind, hashtag
from node.social import queries as social
from node.social import reactions
from node.social.reactions import Tally
from node.social.views import PostView

Thing = tuple[str, Kind, str]
"""The id of an object or an actor, what it is, and whose."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Things in their order, with all that a page says of them."""

    things: Sequence[Thing]
    people: Mapping[str, Person]
    gigs: Mapping[str, GigView]
    modules: Mapping[str, ModuleView]
    posts: Mapping[str, PostView]
    tallies: Mapping[str, Tally]

    def answers(self, today: date) -> dict[str, Answer]:
        """Of the people among them: are they free?"""
        found = [self.people[subject] for subject, kind, _owner in self.things if kind == "people"]
        return {person.id: answer(person.availability, today) for person in found}


def shown(tx: Tx, things: Sequence[Any], reader: str | None) -> Shown:
    """Load what belongs to things that this reader may see; what has gone in the meantime is left out.

    things: anything that begins with an id, a kind and an owner.
    """
    ids: dict[str, list[str]] = {"people": [], "gig": [], "module": [], "post": []}
    for subject, kind, *_rest in things:
        ids[kind].append(subject)
    owners = people.people(tx, [owner for _subject, _kind, owner, *_rest in things])
    gigs, modules = market.views(tx, ids["gig"]), learning.views(tx, ids["module"])
    posts = social.posts(tx, ids["post"])
    there = {*owners, *gigs, *modules, *posts}
    return Shown(
        things=[(thing[0], thing[1], thing[2]) for thing in things if thing[0] in there],
        people=owners,
        gigs=gigs,
        modules=modules,
        posts=posts,
        tallies=reactions.tallies(tx, list(posts), reader),
    )


def suggested_tags(tx: Tx, reader: str, *, but: Collection[str] = (), most: int = 12) -> list[str]:
    """Hashtags by somebody's own skills: contract law -> contractlaw."""
    names = (hashtag("".join(skill.name.split())) for skill in people.person(tx, reader).skills)
    return [name for name in dict.fromkeys(names) if name is not None and name not in but][:most]
