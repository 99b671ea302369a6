"""Actors: who they are, where their inbox is, which keys speak for them, and what a freelancer says of themself.

ActivityPub §4, FEP-521a (Multikey), FEP-2c59 (webfinger); the freelance part is that of `schemas.profiles`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from schemas.base import (
    datetime_of,
    id_of,
    ids_of,
    link_of,
    localised,
    many,
    objects_of,
    text_of,
)
from schemas.errors import Malformed
from schemas.profiles import FreelanceProfile, card_of, profile_of, write_profile
from schemas.terms import ACTOR_CONTEXT, ACTOR_TYPES
from schemas.urls import host_of, origin_of, parse_url, url_of

MAX_USERNAME = 2048
MAX_NAME = 500
MAX_SUMMARY = 100_000
MAX_KEYS = 20
MAX_ROWS = 20
MAX_ALIASES = 20


class KeyClaim(msgspec.Struct, frozen=True):
    """A public key that an actor document lists: PEM (RSA, `publicKey`) or multibase (`assertionMethod`)."""

    id: str
    owner: str
    pem: str | None = None
    multibase: str | None = None


class Actor(msgspec.Struct, frozen=True):
    """An actor document as far as we understand it; `document` is all of it."""

    id: str
    type: str
    username: str
    inbox: str
    document: dict[str, Any]
    name: str = ""
    summary: str = ""
    url: str | None = None
    icon: str | None = None
    shared_inbox: str | None = None
    outbox: str | None = None
    followers: str | None = None
    following: str | None = None
    manually_approves: bool = False
    published: datetime | None = None
    also_known_as: tuple[str, ...] = ()
    moved_to: str | None = None
    public_keys: tuple[KeyClaim, ...] = ()
    webfinger: str | None = None
    profile: FreelanceProfile | None = None
    card: str | None = None
    attachments: tuple[tuple[str, str], ...] = ()


def is_actor(document: dict[str, Any]) -> bool:
    """Whether a document says that it is an actor; nothing else of it is looked at."""
    kind = document.get("type")
    return isinstance(kind, str) and kind in ACTOR_TYPES


def parse_actor(document: dict[str, Any]) -> Actor:
    """Read an actor document; Malformed when it is none or when a part that we need is not usable."""
    if not is_actor(document):
        raise Malformed("type", "not an actor")
    actor_id = _required_url(document, "id")
    endpoints = document.get("endpoints")
    return Actor(
        id=actor_id,
        type=str(document["type"]),
        username=_username(document.get("preferredUsername")),
        inbox=_same_origin(actor_id, _required_url(document, "inbox"), "inbox"),
        document=document,
        name=localised(document, "name", limit=MAX_NAME),
        summary=localised(document, "summary", limit=MAX_SUMMARY),
        url=link_of(document.get("url")),
        icon=_icon(document.get("icon")),
        shared_inbox=_optional(actor_id, endpoints.get("sharedInbox")) if isinstance(endpoints, dict) else None,
        outbox=_optional(actor_id, id_of(document.get("outbox"))),
        followers=_optional(actor_id, id_of(document.get("followers"))),
        following=_optional(actor_id, id_of(document.get("following"))),
        manually_approves=document.get("manuallyApprovesFollowers") is True,
        published=datetime_of(document.get("published")),
        also_known_as=ids_of(document.get("alsoKnownAs"))[:MAX_ALIASES],
        moved_to=url_of(id_of(document.get("movedTo"))),
        public_keys=_keys(document, actor_id),
        webfinger=text_of(document.get("webfinger"), limit=320) or None,
        profile=profile_of(document),
        card=_optional(actor_id, card_of(document)),
        attachments=_rows(document),
    )


def _required_url(document: dict[str, Any], name: str) -> str:
    value = id_of(document.get(name))
    if value is None:
        raise Malformed(name, "missing")
    parse_url(value)
    return value


def _same_origin(actor_id: str, url: str, name: str) -> str:
    if origin_of(url) != origin_of(actor_id):
        raise Malformed(name, "on another origin than its actor")
    return url


def _optional(actor_id: str, value: Any) -> str | None:
    """A collection or endpoint counts only on its actor's own origin."""
    url = url_of(value)
    return url if url is not None and origin_of(url) == origin_of(actor_id) else None


def _username(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_USERNAME:
        raise Malformed("preferredUsername", "missing, empty or too long")
    if not all(char.isalnum() or char in "_.-:~" for char in value):
        raise Malformed("preferredUsername", "holds characters that no name has")
    return value


def _icon(value: Any) -> str | None:
    for item in many(value):
        url = url_of(item) if isinstance(item, str) else link_of(item.get("url")) if isinstance(item, dict) else None
        if url is not None:
            return url
    return None


def _keys(document: dict[str, Any], actor_id: str) -> tuple[KeyClaim, ...]:
    found = []
    for item in objects_of(document.get("publicKey"))[:MAX_KEYS]:
        key_id, pem = id_of(item), text_of(item.get("publicKeyPem"), limit=5_000)
        if key_id and pem:
            found.append(KeyClaim(key_id, id_of(item.get("owner")) or actor_id, pem=pem))
    for item in objects_of(document.get("assertionMethod"))[:MAX_KEYS]:
        key_id, multibase = id_of(item), text_of(item.get("publicKeyMultibase"), limit=2_000)
        if key_id and multibase and item.get("type") == "Multikey":
            found.append(KeyClaim(key_id, id_of(item.get("controller")) or actor_id, multibase=multibase))
    return tuple(key for key in found if key.owner == actor_id and url_of(key.id))


def _rows(document: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """PropertyValue rows as (name, HTML)."""
    rows = [item for item in objects_of(document.get("attachment")) if item.get("type") == "PropertyValue"]
    return tuple(
        (text_of(row.get("name"), limit=200), text_of(row.get("value"), limit=2_000)) for row in rows[:MAX_ROWS]
    )


class ActorDraft(msgspec.Struct, frozen=True):
    """What a local actor document is written from. Times are ready to travel (RFC 3339); HTML is clean already.

    card: the address of the public Profile that holds a CV which is too long to stand in here.
    """

    id: str
    type: str
    username: str
    name: str
    summary: str
    url: str
    inbox: str
    shared_inbox: str
    published: str
    acct: str
    rsa_key_id: str
    rsa_pem: str
    ed25519_key_id: str
    ed25519_multibase: str
    icon: tuple[str, str] | None = None
    discoverable: bool = True
    indexable: bool = True
    manually_approves: bool = False
    also_known_as: tuple[str, ...] = ()
    moved_to: str | None = None
    profile: FreelanceProfile | None = None
    rows: tuple[tuple[str, str], ...] = ()
    card: str | None = None


def write_actor(draft: ActorDraft) -> dict[str, Any]:
    """The actor document, without its proof."""
    document: dict[str, Any] = {
        "@context": ACTOR_CONTEXT,
        "id": draft.id,
        "type": draft.type,
        "preferredUsername": draft.username,
        "name": draft.name,
        "summary": draft.summary,
        "url": draft.url,
        "inbox": draft.inbox,
        "outbox": f"{draft.id}/outbox",
        "followers": f"{draft.id}/followers",
        "following": f"{draft.id}/following",
        "featured": f"{draft.id}/featured",
        "endpoints": {"sharedInbox": draft.shared_inbox},
        "manuallyApprovesFollowers": draft.manually_approves,
        "discoverable": draft.discoverable,
        "indexable": draft.indexable,
        "published": draft.published,
        "webfinger": draft.acct,
        "publicKey": {"id": draft.rsa_key_id, "owner": draft.id, "publicKeyPem": draft.rsa_pem},
        "assertionMethod": [
            {
                "id": draft.ed25519_key_id,
                "type": "Multikey",
                "controller": draft.id,
                "publicKeyMultibase": draft.ed25519_multibase,
            }
        ],
        "attachment": [{"type": "PropertyValue", "name": name, "value": value} for name, value in draft.rows],
    }
    if draft.icon is not None:
        document["icon"] = {"type": "Image", "mediaType": draft.icon[1], "url": draft.icon[0]}
    if draft.also_known_as:
        document["alsoKnownAs"] = list(draft.also_known_as)
    if draft.moved_to is not None:
        document["movedTo"] = draft.moved_to
    if draft.profile is not None:
        document |= write_profile(draft.profile)
    if draft.card is not None:
        document["cv"] = draft.card
    return document


def handle_host(actor: Actor) -> str:
    """The host of an actor's id, to show beside a handle that WebFinger has not confirmed."""
    return host_of(actor.id)
