"""Actors: who they are, where their inbox is, which keys speak for them, and what a freelancer says of themself.

ActivityPub §4, FEP-521a (Multikey), FEP-2c59 (webfinger); the freelance part is that of `schemas.profiles`.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from schemas.identities import MAX_STATEMENTS, statements_of, successions_of
from schemas.profiles import FreelanceProfile, card_of, profile_of, write_profile
from schemas.terms import ACTOR_CONTEXT, ACTOR_TYPES
from schemas.urls import host_of, origin_of, parse_url, url_of

MAX_USERNAME = 2048
MAX_NAME = 500
MAX_SUMMARY = 100_000
MAX_KEYS = 20
MAX_ROWS = 20
MAX_ALIASES = 20
MAX_CREDENTIALS = 100


class KeyClaim(msgspec.Struct, frozen=True):
    """A public key that an actor document lists: PEM (RSA, `publicKey`) or multibase (`assertionMethod`).

    expires: what it signs from then on does not count, what it signed before does. revoked: it was in other hands from
    then on (both W3C Controlled Identifiers §2.2). multikey: a Multikey as it stands, with what confirms it.
    """

    id: str
    owner: str
    pem: str | None = None
    multibase: str | None = None
    expires: datetime | None = None
    revoked: datetime | None = None
    multikey: dict[str, Any] | None = None


class Actor(msgspec.Struct, frozen=True):
    """An actor document as far as we understand it; `document` is all of it.

    public_keys: those that speak for the actor, or did until they expired. revoked_keys: those that do not.
    statements: of identities that say that they are this actor (FEP-c390); successions: of the keys of these, each the
    JSON text of a signed document. Nothing of either is checked yet (`keys.identity`). credentials: the addresses of
    those that stand on the actor's profile, on the actor's own server.
    """

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
    revoked_keys: tuple[KeyClaim, ...] = ()
    webfinger: str | None = None
    profile: FreelanceProfile | None = None
    card: str | None = None
    attachments: tuple[tuple[str, str], ...] = ()
    statements: tuple[dict[str, Any], ...] = ()
    successions: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()


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
    public_keys, revoked_keys = _keys(document, actor_id)
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
        public_keys=public_keys,
        revoked_keys=revoked_keys,
        webfinger=text_of(document.get("webfinger"), limit=320) or None,
        profile=profile_of(document),
        card=_optional(actor_id, card_of(document)),
        attachments=_rows(document),
        statements=tuple(statements_of(document)[:MAX_STATEMENTS]),
        successions=successions_of(document),
        credentials=_credentials(actor_id, document.get("credentials")),
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


def _credentials(actor_id: str, value: Any) -> tuple[str, ...]:
    listed = (_optional(actor_id, id_of(item)) for item in many(value)[:MAX_CREDENTIALS])
    return tuple(dict.fromkeys(url for url in listed if url is not None))


def with_credentials(document: dict[str, Any], addresses: Sequence[str]) -> dict[str, Any]:
    """An actor document, without its proof, that lists these credentials and no others."""
    bare = {name: value for name, value in document.items() if name not in ("credentials", "proof")}
    listed = {"credentials": list(addresses)[:MAX_CREDENTIALS]} if addresses else {}
    return bare | {"@context": ACTOR_CONTEXT} | listed


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


Claims = tuple[KeyClaim, ...]


def _keys(document: dict[str, Any], actor_id: str) -> tuple[Claims, Claims]:
    """The keys that count, and those that were revoked: a key in both is revoked."""
    found = []
    for item in objects_of(document.get("publicKey"))[:MAX_KEYS]:
        key_id, pem = id_of(item), text_of(item.get("publicKeyPem"), limit=5_000)
        if key_id and pem:
            found.append(KeyClaim(key_id, id_of(item.get("owner")) or actor_id, pem=pem))
    found += _multikeys(document.get("assertionMethod"), actor_id)
    named = _multikeys(document.get("verificationMethod"), actor_id)  # that alone lets a key speak for nobody
    own = [key for key in (*found, *named) if key.owner == actor_id and url_of(key.id)]
    revoked = {key.id: key for key in own if key.revoked is not None}
    return tuple(key for key in own if key in found and key.id not in revoked), tuple(revoked.values())


def _multikeys(value: Any, actor_id: str) -> list[KeyClaim]:
    found = []
    for item in objects_of(value)[:MAX_KEYS]:
        key_id, multibase = id_of(item), text_of(item.get("publicKeyMultibase"), limit=2_000)
        expires, revoked = datetime_of(item.get("expires")), datetime_of(item.get("revoked"))
        if not key_id or not multibase or item.get("type") != "Multikey":
            continue
        if ("expires" in item and expires is None) or ("revoked" in item and revoked is None):
            continue  # an end that cannot be read may have come
        owner = id_of(item.get("controller")) or actor_id
        claim = KeyClaim(key_id, owner, multibase=multibase, expires=expires, revoked=revoked, multikey=item)
        found.append(claim)
    return found


def _rows(document: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """PropertyValue rows as (name, HTML)."""
    rows = [item for item in objects_of(document.get("attachment")) if item.get("type") == "PropertyValue"]
    return tuple(
        (text_of(row.get("name"), limit=200), text_of(row.get("value"), limit=2_000)) for row in rows[:MAX_ROWS]
    )


class ActorKeys(msgspec.Struct, frozen=True):
    """The keys that a local actor document lists.

    rsa: id and PEM of the one that signs requests: many peers read only one. multikeys: those of proofs
    (`write_multikey`), the one that signs now first, then those that others have replaced. revoked: Multikeys that
    were in other hands.
    """

    rsa: tuple[str, str]
    multikeys: tuple[dict[str, Any], ...]
    revoked: tuple[dict[str, Any], ...] = ()


def write_multikey(key_id: str, actor_id: str, multibase: str, **more: Any) -> dict[str, Any]:
    """A key of proofs (FEP-521a). more: `expires`, `revoked` (RFC 3339), and the `proof` by which an older key
    confirms it, where they are not None.
    """
    key = {"id": key_id, "type": "Multikey", "controller": actor_id, "publicKeyMultibase": multibase}
    return key | {name: value for name, value in more.items() if value is not None}


def write_keys(actor_id: str, keys: ActorKeys) -> dict[str, Any]:
    """The members of an actor document that are its keys. A key that was revoked is not among those that assert."""
    key_id, pem = keys.rsa
    members: dict[str, Any] = {
        "publicKey": {"id": key_id, "owner": actor_id, "publicKeyPem": pem},
        "assertionMethod": list(keys.multikeys),
    }
    return members | ({"verificationMethod": list(keys.revoked)} if keys.revoked else {})


KEY_MEMBERS = ("publicKey", "assertionMethod", "verificationMethod")


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
    keys: ActorKeys
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
        **write_keys(draft.id, draft.keys),
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
