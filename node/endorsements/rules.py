"""The form behind an endorsement; how two people know each other; and what an endorser is to whoever looks. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple, get_args

import msgspec

from node.errors import Invalid
from node.language import _, _n
from node.skills import MAX_NAME
from node.web import words

Relation = Literal["worked", "followed", "none"]
"""How they know each other, in the endorser's words: have worked together, follow each other, or nothing of that."""
RELATIONS: tuple[Relation, ...] = get_args(Relation)

Standing = Literal["yours", "here", "known", "stranger"]
"""What an endorser is to whoever looks: somebody of theirs, somebody who lives here, somebody whom others here follow,
or nobody whom anybody here knows."""

MAX_COMMENT = 1_000
SHOWN = 500
"""As many as anybody may hold."""
NAMED = 3


class EndorseDraft(msgspec.Struct, frozen=True):
    """What is said. skill: its name, as the endorsed one writes it."""

    to: str
    skill: str
    relation: Relation
    comment: str = ""


class Acquaintance(NamedTuple):
    """What this node knows of an endorser; it says nothing of whether they are right.

    first_seen: None for somebody whom it has never met. followed: by whoever looks. by_friends: names of those whom
    whoever looks follows, and who follow the endorser. followers: how many people here do, without the endorsed one.
    key: what the last check of the signature's key came to, nothing before the first.
    """

    local: bool = False
    first_seen: datetime | None = None
    followed: bool = False
    by_friends: tuple[str, ...] = ()
    followers: int = 0
    key: str = ""
    oneself: bool = False


def parse_endorse(form: Mapping[str, str]) -> EndorseDraft:
    """The form with which a skill is endorsed; raises Invalid."""
    errors: dict[str, str] = {}
    to, skill, comment = (form.get(field, "").strip() for field in ("to", "skill", "comment"))
    relation = next((one for one in RELATIONS if one == form.get("relation")), None)
    if not to:
        errors["to"] = _("Name whom this is about, such as @name@server.")
    if not 0 < len(skill) <= MAX_NAME:
        errors["skill"] = _("Name one of the skills that stand on their profile.")
    if len(comment) > MAX_COMMENT:
        errors["comment"] = _("Say it in at most {most} characters.", most=MAX_COMMENT)
    if relation is None:
        errors["relation"] = _("Say how you know each other, even if you do not.")
    if errors or relation is None:
        raise Invalid(errors)
    return EndorseDraft(to, skill, relation, comment)


def relation_of(text: str) -> Relation:
    """What a credential says of it; anything that is not known here says nothing."""
    return next((one for one in RELATIONS if one == text), "none")


def how(said: Relation, *, mutual: bool | None) -> str:
    """How they know each other, of an endorsement that the endorsed one shows, and so says too.

    mutual: whether they follow each other; None where this node cannot know.
    """
    if said == "worked":
        return _("Both say that they have worked together.")
    if mutual:
        return _("They follow each other.")
    if said == "followed" and mutual is None:
        return _("Both say that they follow each other.")
    if said == "followed":
        return _("It says that they follow each other. As far as this server knows, they do not.")
    return _("Nothing is known of how they know each other.")


def claimed(said: Relation, *, mutual: bool) -> str:
    """The same of one that waits to be accepted, for the endorsed one."""
    if said == "worked":
        return _("They say that you have worked together. Who accepts it says so too.")
    if mutual:
        return _("You follow each other.")
    if said == "followed":
        return _("They say that you follow each other. As far as this server knows, you do not.")
    return _("They do not say how you know each other.")


def standing(known: Acquaintance) -> Standing:
    """See `Standing`."""
    if known.oneself or known.followed or known.by_friends:
        return "yours"
    if known.local:
        return "here"
    return "known" if known.followers else "stranger"


def facts(known: Acquaintance) -> list[str]:
    """What this node knows of an endorser, each a sentence."""
    return [_met(known), *_followed(known), _signed(known.key)]


def _met(known: Acquaintance) -> str:
    if known.first_seen is None:
        return _("This server has never met them.")
    if known.local:
        return _("Lives on this server since {day}.", day=words.day(known.first_seen.date()))
    return _("First seen here on {day}.", day=words.day(known.first_seen.date()))


def _followed(known: Acquaintance) -> list[str]:
    if known.oneself:
        return [_("That is you.")]
    found: list[str] = [_("You follow them.")] if known.followed else []
    if known.by_friends:
        found.append(_("Followed by people whom you follow: {names}.", names=", ".join(known.by_friends[:NAMED])))
    elif known.followers:
        found.append(_n("{count} other person here follows them.", "{count} others here follow them.", known.followers))
    elif not known.followed:
        found.append(_("Nobody else here follows them."))
    return found


def _signed(key: str) -> str:
    if key == "holds":
        return _("Their key was checked.")
    if not key:
        return _("Their key is not checked yet.")
    if key == "fails":
        return _("The key is not theirs.")
    return _("Whose key it is could not be checked.")
