"""Writes: endorse a skill of somebody, accept what others say of one's own, hide it.

An endorsement is a credential: it is taken back, declined, put away and checked like any other (`node.credentials`).
"""

from __future__ import annotations

from federation.authors import Author
from federation.blocks import blocks_between, has_blocked
from federation.known_identities import same_person
from federation.storage import Tx
from node.credentials import commands as credentials
from node.credentials import queries as shelf
from node.credentials import showing
from node.credentials.rules import skill_key
from node.credentials.signing import Statement
from node.endorsements.queries import follow_each_other, has_endorsed, offer
from node.endorsements.rules import EndorseDraft
from node.errors import Invalid, NotFound
from node.language import _
from node.profiles.queries import person as person_of
from schemas.actors import Actor
from schemas.credentials import Skill

ONESELF = _("Nobody endorses themselves. Name somebody else.")
YOU_BLOCKED = _("You have blocked them. Unblock them first: it is in your settings, under Blocks.")
BLOCKED = _("They do not want to hear from you.")
NOT_THEIRS = _("This skill does not stand on their profile. Choose one that does.")
NOT_FOLLOWING = _("As far as your server knows, you do not follow each other.")
TWICE = _("You have endorsed this skill of theirs already. Take that back first.")
BROKEN = _("This endorsement does not hold: its author has taken it back, or somebody else made it. It is not shown.")
FROM_ONESELF = _("This endorsement is by yourself. It is not shown.")


def endorse(tx: Tx, author: Author, person: Actor, draft: EndorseDraft) -> str:
    """Speak for a skill of somebody, signed, and send it to them; returns the last part of its address. Invalid."""
    if same_person(tx, author.actor_id, person.id):
        raise Invalid({"to": ONESELF})
    if blocks_between(tx, author.actor_id, person.id):
        raise Invalid({"to": YOU_BLOCKED if has_blocked(tx, author.actor_id, person.id) else BLOCKED})
    wanted = skill_key(draft.skill)
    skill = next((one for one in person_of(tx, person.id).skills if skill_key(one.name) == wanted), None)
    if skill is None:
        raise Invalid({"skill": NOT_THEIRS})
    if draft.relation == "followed" and not follow_each_other(tx, author.actor_id, person.id):
        raise Invalid({"relation": NOT_FOLLOWING})
    if has_endorsed(tx, author.actor_id, person.id, skill.name):
        raise Invalid({"skill": TWICE})
    statement = Statement(
        "endorsement",
        skill.name,
        draft.comment,
        skill=Skill(skill.name, skill.uri),
        relation="" if draft.relation == "none" else draft.relation,
    )
    return credentials.issue(tx, author, person, statement)


def accept(tx: Tx, author: Author, name: str) -> None:
    """Let an endorsement stand beside one's skill, and so say the same of how one knows its author.

    It was checked before (`giving.accept`). NotFound; Invalid for one that does not hold, or is by oneself.
    """
    one = offer(tx, author.actor_id, name).view
    issuer = one.credential.issuer_id
    if one.overall == "fails":
        raise Invalid({"file": BROKEN})
    if same_person(tx, issuer, author.actor_id):
        raise Invalid({"file": FROM_ONESELF})
    if blocks_between(tx, author.actor_id, issuer):
        raise NotFound(shelf.NOTHING)
    credentials.take(tx, author.actor_id, name)
    showing.let_see(tx, author, name, "profile")


def hide(tx: Tx, author: Author, name: str) -> None:
    """Keep it, and show it nowhere. NotFound."""
    showing.let_see(tx, author, name, "nobody")
