"""What people here say of somebody, as signed documents (in a scope): credentials, and lists of what was revoked."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import sqlalchemy as sa

from federation.authors import Author, check_key
from federation.clock import iso
from federation.known_identities import identity_of
from federation.storage import Tx
from federation.tables import actors
from keys.proofs import add_proofs
from node.credentials.rules import LIST_VALID
from schemas.credential_drafts import (
    BadgeDraft,
    EndorsementDraft,
    Issuer,
    StatusListDraft,
    write_badge,
    write_endorsement,
    write_status_list,
)
from schemas.credentials import Achievement, Alignment, Skill, Status
from schemas.status_lists import encode
from schemas.strict_json import dumps

if TYPE_CHECKING:
    from node.credentials.lists import Entry


class Statement(NamedTuple):
    """What is said. kind: a badge with its criteria, or an endorsement with a comment. until: None for ever.

    type: of what was achieved (Open Badges 3.0, AchievementType). skill, relation: of an endorsement.
    """

    kind: Literal["badge", "endorsement"]
    name: str
    description: str
    criteria: str = ""
    until: datetime | None = None
    type: str = ""
    alignments: tuple[Alignment, ...] = ()
    skill: Skill | None = None
    relation: str = ""


def stated(tx: Tx, author: Author, url: str, subject: str, statement: Statement, place: Entry) -> dict[str, Any]:
    """The credential without its proofs; the key that is to sign it is written into it."""
    if statement.kind == "endorsement":
        return _endorsement(tx, author, url, subject, statement, place)
    achievement = Achievement(
        id=f"{url}#achievement",
        name=statement.name,
        description=statement.description,
        type=statement.type,
        criteria=statement.criteria,
        alignments=statement.alignments,
    )
    issuer, status = _issuer(tx, author), Status(place.url, place.number)
    return write_badge(BadgeDraft(url, issuer, subject, achievement, iso(tx.now), _until(statement), status))


def _endorsement(tx: Tx, author: Author, url: str, subject: str, statement: Statement, place: Entry) -> dict[str, Any]:
    draft = EndorsementDraft(
        id=url,
        issuer=_issuer(tx, author),
        subject=subject,
        name=statement.name,
        comment=statement.description,
        valid_from=iso(tx.now),
        valid_until=_until(statement),
        status=Status(place.url, place.number),
        skill=statement.skill,
        relation=statement.relation,
    )
    return write_endorsement(draft)


def _until(statement: Statement) -> str | None:
    return None if statement.until is None else iso(statement.until)


def signed_list(tx: Tx, author: Author, url: str, bits: bytes) -> bytes:
    """A status list as of now."""
    until = iso(tx.now + LIST_VALID)
    draft = StatusListDraft(url, _issuer(tx, author), encode(bits), iso(tx.now), until)
    return signed(tx, author, write_status_list(draft))


def _issuer(tx: Tx, author: Author) -> Issuer:
    name = tx.scalar(sa.select(actors.c.name).where(actors.c.id == author.actor_id))
    identity = identity_of(tx, author.actor_id)
    return Issuer(author.actor_id, name or author.username, author.ed25519.public.multibase, identity)


def signed(tx: Tx, author: Author, document: dict[str, Any]) -> bytes:
    """A document with its two proofs by the author's key of now, as bytes.

    Raises Busy when that key was changed since it was read.
    """
    from schemas.rdf import canonical_quads  # heavy: only where something is signed

    check_key(tx, author)
    return dumps(add_proofs(document, author.ed25519, author.ed25519_key_id, tx.now, canonical_quads))
