"""The credentials that we write, without their proofs: badges, endorsements and status lists.

Only published contexts stand in them where that can be, since strict readers of Open Badges refuse any other. The
issuer's keys, as they are when it signs, stand among its other identifiers: a signature stays checkable when the
issuer has other keys, or no server any more.
"""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.credentials import (
    IDENTITY_KEY,
    SIGNING_KEY,
    VERIFIABLE,
    Achievement,
    Alignment,
    Evidence,
    Skill,
    Status,
)
from schemas.rdf import UNWRITABLE
from schemas.terms import CREDENTIAL_TERMS, CREDENTIALS_V2, OPEN_BADGES_V3


class Issuer(msgspec.Struct, frozen=True):
    """Who says it: the actor's id, with the key that signs (multibase) and the identity (did:key) as they are now."""

    id: str
    name: str
    key: str
    identity: str | None = None
    type: str = "Profile"


class BadgeDraft(msgspec.Struct, frozen=True):
    """Somebody achieved something. Times as they travel (RFC 3339); `subject` a did:key, or the id of an actor."""

    id: str
    issuer: Issuer
    subject: str
    achievement: Achievement
    valid_from: str
    valid_until: str | None = None
    status: Status | None = None
    evidence: tuple[Evidence, ...] = ()
    description: str = ""


class EndorsementDraft(msgspec.Struct, frozen=True):
    """Somebody speaks well of somebody. relation: how they know each other, in the issuer's words."""

    id: str
    issuer: Issuer
    subject: str
    name: str
    comment: str
    valid_from: str
    valid_until: str | None = None
    status: Status | None = None
    skill: Skill | None = None
    relation: str = ""
    evidence: tuple[Evidence, ...] = ()


class StatusListDraft(msgspec.Struct, frozen=True):
    """Which of an issuer's credentials are revoked. `bits` as `status_lists.encode` writes them.

    formerly: the address of the list whose word this one carries on, where its issuer lived before.
    """

    id: str
    issuer: Issuer
    bits: str
    valid_from: str
    valid_until: str | None = None
    purpose: str = "revocation"
    formerly: str | None = None


def write_badge(draft: BadgeDraft) -> dict[str, Any]:
    """An OpenBadgeCredential (Open Badges 3.0 §B.1.1)."""
    subject = {
        "id": draft.subject,
        "type": ["AchievementSubject"],
        "achievement": _achievement(draft.achievement),
    }
    return _without_nothing(
        {
            **_head(draft, "OpenBadgeCredential"),
            "name": draft.achievement.name,
            "description": draft.description,
            "credentialSubject": subject,
            **_rest(draft),
        }
    )


def write_endorsement(draft: EndorsementDraft) -> dict[str, Any]:
    """An EndorsementCredential (Open Badges 3.0 §B.1.10); terms of ours stand in it only where they say something."""
    subject = {
        "id": draft.subject,
        "type": ["EndorsementSubject"],
        "endorsementComment": draft.comment,
        "skill": _without_nothing({"id": draft.skill.uri, "name": draft.skill.name}) if draft.skill else None,
        "relation": draft.relation,
    }
    document = {
        **_head(draft, "EndorsementCredential"),
        "name": draft.name,
        "credentialSubject": _without_nothing(subject),
        **_rest(draft),
    }
    return _without_nothing(_with_our_terms(document))


def write_status_list(draft: StatusListDraft) -> dict[str, Any]:
    """A BitstringStatusListCredential (Bitstring Status List 1.0 §4.2)."""
    subject = {
        "id": f"{draft.id}#list",
        "type": "BitstringStatusList",
        "statusPurpose": draft.purpose,
        "encodedList": draft.bits,
        "formerly": draft.formerly,
    }
    document = {
        **_head(draft, "BitstringStatusListCredential"),
        "validFrom": draft.valid_from,
        "validUntil": draft.valid_until,
        "credentialSubject": _without_nothing(subject),
    }
    return _without_nothing(_with_our_terms(document))


def _with_our_terms(document: dict[str, Any]) -> dict[str, Any]:
    """With the meaning of those terms of ours that its subject uses."""
    ours = {name: value for name, value in CREDENTIAL_TERMS.items() if name in document["credentialSubject"]}
    return document | {"@context": [*document["@context"], ours]} if ours else document


def _head(draft: BadgeDraft | EndorsementDraft | StatusListDraft, kind: str) -> dict[str, Any]:
    return {
        "@context": [CREDENTIALS_V2, OPEN_BADGES_V3],
        "id": draft.id,
        "type": [VERIFIABLE, kind],
        "issuer": _issuer(draft.issuer),
    }


def _issuer(issuer: Issuer) -> dict[str, Any]:
    known = {SIGNING_KEY: issuer.key, IDENTITY_KEY: issuer.identity}
    entries = [
        {"type": "IdentifierEntry", "identifier": value, "identifierType": kind}
        for kind, value in known.items()
        if value
    ]
    return {"id": issuer.id, "type": [issuer.type], "name": _writable(issuer.name), "otherIdentifier": entries}


def _achievement(achievement: Achievement) -> dict[str, Any]:
    criteria = {"id": achievement.criteria_url, "narrative": achievement.criteria or None}
    return _without_nothing(
        {
            "id": achievement.id,
            "type": ["Achievement"],
            "achievementType": achievement.type,
            "name": achievement.name,
            "description": achievement.description or achievement.name,
            "criteria": _without_nothing(criteria) or {"narrative": _writable(achievement.name)},
            "alignment": [_alignment(alignment) for alignment in achievement.alignments if alignment.url],
        }
    )


def _alignment(alignment: Alignment) -> dict[str, Any]:
    return _without_nothing(
        {
            "type": ["Alignment"],
            "targetName": alignment.name,
            "targetUrl": alignment.url,
            "targetFramework": alignment.framework,
            "targetCode": alignment.code,
        }
    )


def _rest(draft: BadgeDraft | EndorsementDraft) -> dict[str, Any]:
    return {
        "validFrom": draft.valid_from,
        "validUntil": draft.valid_until,
        "credentialStatus": _status(draft.status) if draft.status else None,
        "evidence": [_evidence(evidence) for evidence in draft.evidence],
    }


def _status(status: Status) -> dict[str, Any]:
    return {
        "id": f"{status.list_url}#{status.index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": status.purpose,
        "statusListIndex": str(status.index),
        "statusListCredential": status.list_url,
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return _without_nothing(
        {
            "id": evidence.url,
            "type": ["Evidence"],
            "name": evidence.name,
            "description": evidence.description,
            "narrative": evidence.narrative,
        }
    )


def _without_nothing(members: dict[str, Any]) -> dict[str, Any]:
    kept = {name: _writable(value) if isinstance(value, str) else value for name, value in members.items()}
    return {name: value for name, value in kept.items() if value not in (None, "", [], {})}


def _writable(text: str) -> str:
    """Without control characters, which nobody sees, and which no proof over RDF can be made of."""
    return UNWRITABLE.sub("", text)
