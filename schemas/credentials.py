"""Verifiable credentials as others write them: W3C VC Data Model 2.0, Open Badges 3.0, Bitstring Status List 1.0.

Reading is tolerant, bounded and total: a `Credential` is a view of the signed document, and says nothing of whether its
proof holds. What we write, `credential_drafts` puts together.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from schemas.base import datetime_of, first_object, id_of, many, objects_of, text_of
from schemas.errors import Malformed
from schemas.terms import CREDENTIALS_V2
from schemas.urls import url_of

Kind = Literal["badge", "endorsement", "status list", "other"]

SIGNING_KEY = "ext:signingKey"
IDENTITY_KEY = "ext:identityKey"
"""How an issuer's keys are called among its other identifiers (Open Badges 3.0 §B.7.2, IdentifierTypeEnum)."""
DID_KEY = "did:key:"
VERIFIABLE = "VerifiableCredential"
MAX_ID = 2_048
MAX_NAME = 300
MAX_TEXT = 20_000
MAX_TYPES = 20
MAX_LISTED = 50
MAX_INDEX = 2**31
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
    was revoked. list_purpose, list_bits: only of a status list; the bits as they travel.
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
    first = context[0] if isinstance(context, list) and context else context
    return first == CREDENTIALS_V2 and VERIFIABLE in many(document.get("type"))


def parse_credential(document: dict[str, Any]) -> Credential:
    """Read a credential with one subject; Malformed when it is none, or breaks a bound."""
    if not is_credential(document):
        raise Malformed("type", "not a credential of version 2.0")
    types = _types(document)
    subject = _subject(document)
    issuer = document.get("issuer")
    issuer_id = _id(id_of(issuer), "issuer")
    if issuer_id is None:
        raise Malformed("issuer", "a credential has one issuer")
    statuses, unread = _statuses(document)
    issuing = first_object(issuer) or {}
    key, identity = _keys(issuing)
    return Credential(
        id=_id(document.get("id"), "id"),
        types=types,
        kind=_kind(types),
        issuer_id=issuer_id,
        issuer_name=_text(issuing, "name", MAX_NAME),
        issuer_key=key,
        issuer_identity=identity,
        subject_id=_id(subject.get("id"), "credentialSubject"),
        subject_name=_text(subject, "name", MAX_NAME),
        name=_text(document, "name", MAX_NAME),
        description=_text(document, "description", MAX_TEXT),
        achievement=_achievement(subject),
        comment=_text(subject, "endorsementComment", MAX_TEXT),
        skill=_skill(subject),
        relation=_text(subject, "relation", MAX_NAME),
        evidence=_evidence(document),
        valid_from=_time(document, "validFrom"),
        valid_until=_time(document, "validUntil"),
        statuses=statuses,
        status_unread=unread,
        list_purpose=_text(subject, "statusPurpose", MAX_NAME) or None,
        list_bits=_bits(subject),
    )


def _types(document: dict[str, Any]) -> tuple[str, ...]:
    types = many(document.get("type"))
    if len(types) > MAX_TYPES or not all(isinstance(kind, str) and len(kind) <= MAX_ID for kind in types):
        raise Malformed("type", f"more than {MAX_TYPES} types, or one that is no word")
    return tuple(types)


def _kind(types: tuple[str, ...]) -> Kind:
    if not _BADGES.isdisjoint(types):
        return "badge"
    if "EndorsementCredential" in types:
        return "endorsement"
    return "status list" if "BitstringStatusListCredential" in types else "other"


def _subject(document: dict[str, Any]) -> dict[str, Any]:
    subjects = many(document.get("credentialSubject"))
    if len(subjects) != 1 or not isinstance(subjects[0], dict):
        raise Malformed("credentialSubject", "a credential about exactly one subject is read")
    return subjects[0]


def _id(value: Any, path: str) -> str | None:
    """An id as it stands: a URL, a did:key or a URN; it is compared, and fetched only by who checks it as a URL."""
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID or not value.isprintable() or " " in value:
        raise Malformed(path, "not an id")
    return value


def _text(holder: dict[str, Any], name: str, limit: int) -> str:
    """A text, or the first of those in several languages (VC Data Model 2.0 §11.1)."""
    value = holder.get(name)
    if isinstance(value, dict | list):
        value = (first_object(value) or {}).get("@value")
    return text_of(value, limit=limit)


def _time(document: dict[str, Any], name: str) -> datetime | None:
    """A time that is there and cannot be read is refused: it must not pass for one that is not there."""
    if document.get(name) is None:
        return None
    moment = datetime_of(document[name])
    if moment is None:
        raise Malformed(name, "not a time")
    return moment


def _keys(issuer: dict[str, Any]) -> tuple[str | None, str | None]:
    found: dict[Any, str] = {}
    for entry in objects_of(issuer.get("otherIdentifier"))[:MAX_LISTED]:
        named, value = entry.get("identifierType"), entry.get("identifier")
        if isinstance(named, str) and isinstance(value, str) and 0 < len(value) <= MAX_ID:
            found.setdefault(named, value)
    key, identity = found.get(SIGNING_KEY), found.get(IDENTITY_KEY)
    return key, identity if identity and identity.startswith(DID_KEY) else None


def _achievement(subject: dict[str, Any]) -> Achievement | None:
    value = first_object(subject.get("achievement"))
    if value is None:
        return None
    criteria = first_object(value.get("criteria")) or {}
    return Achievement(
        id=_id(value.get("id"), "achievement") or "",
        name=_text(value, "name", MAX_NAME),
        description=_text(value, "description", MAX_TEXT),
        type=_text(value, "achievementType", MAX_NAME),
        criteria=_text(criteria, "narrative", MAX_TEXT),
        criteria_url=url_of(criteria.get("id")),
        alignments=tuple(_alignment(item) for item in objects_of(value.get("alignment"))[:MAX_LISTED]),
    )


def _alignment(value: dict[str, Any]) -> Alignment:
    return Alignment(
        name=_text(value, "targetName", MAX_NAME),
        url=url_of(value.get("targetUrl")),
        framework=_text(value, "targetFramework", MAX_NAME),
        code=_text(value, "targetCode", MAX_NAME),
    )


def _skill(subject: dict[str, Any]) -> Skill | None:
    value = first_object(subject.get("skill"))
    name = _text(value, "name", MAX_NAME) if value else ""
    return Skill(name, url_of(value.get("id"))) if value and name else None


def _evidence(document: dict[str, Any]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            name=_text(item, "name", MAX_NAME),
            description=_text(item, "description", MAX_TEXT),
            narrative=_text(item, "narrative", MAX_TEXT),
            url=url_of(item.get("id")),
        )
        for item in objects_of(document.get("evidence"))[:MAX_LISTED]
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
