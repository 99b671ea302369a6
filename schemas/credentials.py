"""Verifiable credentials as others write them: W3C VC Data Model 2.0, Open Badges 3.0, Bitstring Status List 1.0.

Reading is tolerant, bounded and total: a `Credential` is a view of the signed document, and says nothing of whether its
proof holds. What we write, `credential_drafts` puts together.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from schemas.base import id_of, many
from schemas.credential_values import MAX_ID, MAX_LISTED, id_at, node_at, nodes_at, plain, text_at, time_at
from schemas.errors import Malformed
from schemas.terms import CREDENTIAL_TERMS, CREDENTIALS_V2, DID_KEY, OPEN_BADGES
from schemas.urls import url_of

Kind = Literal["badge", "endorsement", "status list", "other"]

SIGNING_KEY = "ext:signingKey"
IDENTITY_KEY = "ext:identityKey"
"""How an issuer's keys are called among its other identifiers (Open Badges 3.0 §B.7.2, IdentifierTypeEnum)."""
VERIFIABLE = "VerifiableCredential"
MAX_NAME = 300
MAX_TEXT = 20_000
MAX_TYPES = 20
MAX_INDEX = 2**31
_OF_BADGES = frozenset({"achievement", "endorsementComment"})
_BADGES = frozenset({"OpenBadgeCredential", "AchievementCredential"})


class Alignment(msgspec.Struct, frozen=True):
    """What an achievement corresponds to elsewhere: a skill of ESCO, a level of a framework."""

    name: str
    url: str | None = None
    framework: str = ""
    code: str = ""


class Achievement(msgspec.Struct, frozen=True):
    """What was achieved. `type` is one of Open Badges 3.0 §B.7.1, as "Course". `criteria` is text, or Markdown."""

    id: str
    name: str
    description: str = ""
    type: str = ""
    criteria: str = ""
    criteria_url: str | None = None
    alignments: tuple[Alignment, ...] = ()


class Evidence(msgspec.Struct, frozen=True):
    """What a statement rests on."""

    name: str = ""
    description: str = ""
    narrative: str = ""
    url: str | None = None


class Status(msgspec.Struct, frozen=True):
    """Where it is written whether a credential still holds: a place in a list at an address."""

    list_url: str
    index: int
    purpose: str = "revocation"


class Skill(msgspec.Struct, frozen=True):
    """The skill that an endorsement is about. `uri` where a vocabulary has one."""

    name: str
    uri: str | None = None


class Credential(msgspec.Struct, frozen=True):
    """What a credential says.

    issuer_key, issuer_identity: the key that signed (multibase) and the issuer's identity (did:key), as the issuer
    wrote them into it. status_unread: it names a status of a kind that is not read, so nobody here can say whether it
    was revoked. list_purpose, list_bits, list_formerly: only of a status list; the bits as they travel, and the address
    of the list whose word it carries on, where its issuer lived before.
    """

    id: str | None
    types: tuple[str, ...]
    kind: Kind
    issuer_id: str
    subject_id: str | None
    issuer_name: str = ""
    issuer_key: str | None = None
    issuer_identity: str | None = None
    subject_name: str = ""
    name: str = ""
    description: str = ""
    achievement: Achievement | None = None
    comment: str = ""
    skill: Skill | None = None
    relation: str = ""
    evidence: tuple[Evidence, ...] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    statuses: tuple[Status, ...] = ()
    status_unread: bool = False
    list_purpose: str | None = None
    list_bits: str | None = None
    list_formerly: str | None = None

    @property
    def status(self) -> Status | None:
        """Where its revocation would be written."""
        return next((status for status in self.statuses if status.purpose == "revocation"), None)

    @property
    def title(self) -> str:
        """What it is called: the achievement, the skill, or its own name."""
        named = self.achievement.name if self.achievement else self.skill.name if self.skill else ""
        return named or self.name


def is_credential(document: dict[str, Any]) -> bool:
    """Whether it says that it is a credential of this model."""
    context = document.get("@context")
    types = document.get("type")
    first = context[0] if isinstance(context, list) and context else context
    return first == CREDENTIALS_V2 and VERIFIABLE in (types if isinstance(types, list) else [types])


def is_presentation(document: dict[str, Any]) -> bool:
    """Whether a document carries credentials, and says nothing itself (VC Data Model 2.0 §4.13)."""
    return "VerifiablePresentation" in many(document.get("type"))


def speaks_for_itself(document: dict[str, Any]) -> bool:
    """Whether a document is believed for its proof alone, whoever serves it."""
    return is_credential(document) or is_presentation(document)


def parse_credential(document: dict[str, Any]) -> Credential:
    """Read a credential with one subject; Malformed when it is none, or breaks a bound."""
    if not is_credential(document):
        raise Malformed("type", "not a credential of version 2.0")
    context = document["@context"]
    document = {name: plain(value) for name, value in document.items() if name not in ("@context", "proof")}
    types = _types(document)
    subject = _meant(_subject(document), context)
    issuer = document.get("issuer")
    issuer_id = id_at(id_of(issuer), "issuer")
    if issuer_id is None:
        raise Malformed("issuer", "a credential has one issuer")
    statuses, unread = _statuses(document)
    issuing = issuer if isinstance(issuer, dict) else {}
    key, identity = _keys(issuing)
    return Credential(
        id=id_at(document.get("id"), "id"),
        types=types,
        kind=_kind(types, context),
        issuer_id=issuer_id,
        issuer_name=text_at(issuing, "name", MAX_NAME),
        issuer_key=key,
        issuer_identity=identity,
        subject_id=id_at(subject.get("id"), "credentialSubject"),
        subject_name=text_at(subject, "name", MAX_NAME),
        name=text_at(document, "name", MAX_NAME),
        description=text_at(document, "description", MAX_TEXT),
        achievement=_achievement(subject),
        comment=text_at(subject, "endorsementComment", MAX_TEXT),
        skill=_skill(subject),
        relation=text_at(subject, "relation", MAX_NAME),
        evidence=_evidence(document),
        valid_from=time_at(document, "validFrom"),
        valid_until=time_at(document, "validUntil"),
        statuses=statuses,
        status_unread=unread,
        list_purpose=text_at(subject, "statusPurpose", MAX_NAME) or None,
        list_bits=_bits(subject),
        list_formerly=url_of(subject.get("formerly")),
    )


def _types(document: dict[str, Any]) -> tuple[str, ...]:
    types = many(document.get("type"))
    if len(types) > MAX_TYPES or not all(isinstance(kind, str) and len(kind) <= MAX_ID for kind in types):
        raise Malformed("type", f"more than {MAX_TYPES} types, or one that is no word")
    return tuple(types)


def _kind(types: tuple[str, ...], context: Any) -> Kind:
    if "BitstringStatusListCredential" in types:
        return "status list"
    if not _knows_badges(context):
        return "other"
    if not _BADGES.isdisjoint(types):
        return "badge"
    return "endorsement" if "EndorsementCredential" in types else "other"


def _knows_badges(context: Any) -> bool:
    """Whether the words of Open Badges mean what they mean there; those of VC 2.0 nobody can redefine."""
    return any(isinstance(item, str) and item.startswith(OPEN_BADGES) for item in many(context))


def _meant(subject: dict[str, Any], context: Any) -> dict[str, Any]:
    """What a credential says of its subject, without the words that mean something else under its context."""
    written_out = [item for item in many(context) if isinstance(item, dict)]
    ours = {
        name for name, meaning in CREDENTIAL_TERMS.items() if [c[name] for c in written_out if name in c] == [meaning]
    }
    foreign = set(CREDENTIAL_TERMS) - ours
    if not _knows_badges(context):
        foreign |= _OF_BADGES
    return {name: value for name, value in subject.items() if name not in foreign}


def _subject(document: dict[str, Any]) -> dict[str, Any]:
    subjects = many(document.get("credentialSubject"))
    if len(subjects) != 1 or not isinstance(subjects[0], dict):
        raise Malformed("credentialSubject", "a credential about exactly one subject is read")
    return subjects[0]


def _keys(issuer: dict[str, Any]) -> tuple[str | None, str | None]:
    """The keys that an issuer wrote into it; of two that contradict each other, none."""
    found: dict[str, set[str]] = {SIGNING_KEY: set(), IDENTITY_KEY: set()}
    for entry in nodes_at(issuer, "otherIdentifier"):
        named, value = entry.get("identifierType"), entry.get("identifier")
        if isinstance(named, str) and named in found and isinstance(value, str) and 0 < len(value) <= MAX_ID:
            found[named].add(value)
    key, identity = (values.pop() if len(values) == 1 else None for values in found.values())
    return key, identity if identity and identity.startswith(DID_KEY) else None


def _achievement(subject: dict[str, Any]) -> Achievement | None:
    value = node_at(subject, "achievement")
    if value is None:
        return None
    criteria = node_at(value, "criteria") or {}
    return Achievement(
        id=id_at(value.get("id"), "achievement") or "",
        name=text_at(value, "name", MAX_NAME),
        description=text_at(value, "description", MAX_TEXT),
        type=text_at(value, "achievementType", MAX_NAME),
        criteria=text_at(criteria, "narrative", MAX_TEXT),
        criteria_url=url_of(criteria.get("id")),
        alignments=tuple(_alignment(item) for item in nodes_at(value, "alignment")[:MAX_LISTED]),
    )


def _alignment(value: dict[str, Any]) -> Alignment:
    return Alignment(
        name=text_at(value, "targetName", MAX_NAME),
        url=url_of(value.get("targetUrl")),
        framework=text_at(value, "targetFramework", MAX_NAME),
        code=text_at(value, "targetCode", MAX_NAME),
    )


def _skill(subject: dict[str, Any]) -> Skill | None:
    value = node_at(subject, "skill")
    name = text_at(value, "name", MAX_NAME) if value else ""
    return Skill(name, url_of(value.get("id"))) if value and name else None


def _evidence(document: dict[str, Any]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            name=text_at(item, "name", MAX_NAME),
            description=text_at(item, "description", MAX_TEXT),
            narrative=text_at(item, "narrative", MAX_TEXT),
            url=url_of(item.get("id")),
        )
        for item in nodes_at(document, "evidence")[:MAX_LISTED]
    )


def _statuses(document: dict[str, Any]) -> tuple[tuple[Status, ...], bool]:
    """The statuses that can be read, and whether there are others that could say that it is revoked."""
    values = many(document.get("credentialStatus"))
    if len(values) > MAX_LISTED:
        raise Malformed("credentialStatus", f"more than {MAX_LISTED}")
    found = [_status(value) for value in values]
    return tuple(status for status in found if status is not None), None in found


def _status(value: Any) -> Status | None:
    if not isinstance(value, dict) or "BitstringStatusListEntry" not in many(value.get("type")):
        return None
    url, index, purpose = url_of(value.get("statusListCredential")), _index(value), value.get("statusPurpose")
    if url is None or index is None or not isinstance(purpose, str) or value.get("statusSize", 1) != 1:
        return None
    return Status(url, index, purpose[:MAX_NAME])


def _index(value: dict[str, Any]) -> int | None:
    text = value.get("statusListIndex")
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > 10:
        return None
    return int(text) if int(text) < MAX_INDEX else None


def _bits(subject: dict[str, Any]) -> str | None:
    value = subject.get("encodedList")
    return value if isinstance(value, str) else None
