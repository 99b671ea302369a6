"""Notes and the things that are shown like notes (ActivityStreams 2.0 vocabulary §3.3)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import msgspec

from schemas.attachments import Attachment, attachments_of
from schemas.base import Audience, datetime_of, id_of, link_of, localised, many, objects_of, text_of
from schemas.errors import Malformed
from schemas.terms import NOTE_TERMS, NOTE_TYPES, object_context
from schemas.urls import parse_url, url_of

MAX_CONTENT = 500_000
MAX_TAGS = 100
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}\Z")
QUOTES = ("quote", "quoteUrl", "quoteUri", "_misskey_quote")


class Tag(msgspec.Struct, frozen=True):
    """A Hashtag, Mention or Link."""

    type: str
    name: str
    href: str | None


class Note(msgspec.Struct, frozen=True):
    """Anything that is read as a text with an author. Times may be missing."""

    id: str
    type: str
    owner: str
    content: str
    summary: str
    name: str
    published: datetime | None
    updated: datetime | None
    in_reply_to: str | None
    url: str | None
    tags: tuple[Tag, ...]
    attachments: tuple[Attachment, ...]
    sensitive: bool
    replies: str | None = None
    quotes: str | None = None
    language: str = ""


def parse_note(document: dict[str, Any]) -> Note:
    """Read a note; Malformed when its type, id or author is not usable."""
    kind = document.get("type")
    if not isinstance(kind, str) or kind not in NOTE_TYPES:
        raise Malformed("type", "not something that is read as a text")
    object_id, owner = object_identity(document)
    return Note(
        id=object_id,
        type=kind,
        owner=owner,
        content=localised(document, "content", limit=MAX_CONTENT),
        summary=localised(document, "summary", limit=5_000),
        name=localised(document, "name", limit=500),
        published=datetime_of(document.get("published")),
        updated=datetime_of(document.get("updated")),
        in_reply_to=_answered(document),
        url=link_of(document.get("url")),
        tags=tags_of(document),
        attachments=attachments_of(document),
        sensitive=document.get("sensitive") is True,
        replies=url_of(id_of(document.get("replies"))),
        quotes=_quoted(document),
        language=_language(document),
    )


def _answered(document: dict[str, Any]) -> str | None:
    """What a note answers: an id, an object or a Link; of several the first that can be read."""
    for item in many(document.get("inReplyTo")):
        found = url_of(id_of(item) or (item.get("href") if isinstance(item, dict) else None))
        if found is not None:
            return found
    return None


def _language(document: dict[str, Any]) -> str:
    """The language of the text that `localised` reads, as `contentMap` says it (BCP 47); empty when it does not."""
    by_language = document.get("contentMap")
    if not isinstance(by_language, dict):
        return ""
    shown = localised(document, "content", limit=MAX_CONTENT)
    found = next((name for name, text in by_language.items() if text == shown), "")
    return found if LANGUAGE.match(found) else ""


def _quoted(document: dict[str, Any]) -> str | None:
    """What a post quotes: FEP-044f's `quote`, what came before it, or an object link (FEP-e232)."""
    for name in QUOTES:
        found = url_of(id_of(document.get(name)))
        if found is not None:
            return found
    links = (tag for tag in objects_of(document.get("tag"))[:MAX_TAGS] if tag.get("type") == "Link")
    media = ("application/activity+json", "application/ld+json")
    typed = (link for link in links if text_of(link.get("mediaType"), limit=100).partition(";")[0] in media)
    return next((found for link in typed if (found := url_of(link.get("href")))), None)


def object_identity(document: dict[str, Any]) -> tuple[str, str]:
    """`(id, author)`; Malformed when either is missing or no URL."""
    object_id = document.get("id")
    owner = id_of(document.get("attributedTo"))
    if not isinstance(object_id, str):
        raise Malformed("id", "missing")
    if owner is None:
        raise Malformed("attributedTo", "missing, or more than one")
    parse_url(object_id)
    parse_url(owner)
    return object_id, owner


def tags_of(document: dict[str, Any]) -> tuple[Tag, ...]:
    """All tags, at most 100."""
    tags = []
    for item in objects_of(document.get("tag"))[:MAX_TAGS]:
        kind = item.get("type")
        if isinstance(kind, str):
            tags.append(
                Tag(kind.removeprefix("as:")[:50], text_of(item.get("name"), limit=320), url_of(item.get("href")))
            )
    return tuple(tags)


class NoteDraft(msgspec.Struct, frozen=True):
    """What a local note is written from. Times are ready to travel; HTML is clean already.

    warning: plain words behind which it is folded. attachments: documents as they travel (ActivityStreams §2.1).
    credential: the text of a credential that it brings, as JSON.
    """

    id: str
    owner: str
    content: str
    published: str
    audience: Audience
    url: str
    in_reply_to: str | None = None
    updated: str | None = None
    tags: tuple[Tag, ...] = ()
    warning: str = ""
    attachments: tuple[dict[str, Any], ...] = ()
    credential: str = ""


def write_note(draft: NoteDraft) -> dict[str, Any]:
    """The Note, without its proof; with the addresses of the collections about it (ActivityPub §5.7, §5.8)."""
    used = {tag.type for tag in draft.tags} | ({"sensitive"} if draft.warning else set())
    used |= {"credential"} if draft.credential else set()
    document: dict[str, Any] = {
        "@context": object_context(NOTE_TERMS, used),
        "type": "Note",
        "id": draft.id,
        "attributedTo": draft.owner,
        "content": draft.content,
        "published": draft.published,
        "to": list(draft.audience.to),
        "cc": list(draft.audience.cc),
        "url": draft.url,
        "tag": write_tags(draft.tags),
        "replies": f"{draft.id}/replies",
        "likes": f"{draft.id}/likes",
        "shares": f"{draft.id}/shares",
    }
    if draft.warning:
        document |= {"summary": draft.warning, "sensitive": True}
    if draft.attachments:
        document["attachment"] = list(draft.attachments)
    if draft.credential:
        document["credential"] = draft.credential
    if draft.in_reply_to:
        document["inReplyTo"] = draft.in_reply_to
    if draft.updated:
        document["updated"] = draft.updated
    return document


def write_tags(tags: tuple[Tag, ...]) -> list[dict[str, str]]:
    """Tags as they travel; always a list."""
    return [{"type": tag.type, "name": tag.name} | ({"href": tag.href} if tag.href else {}) for tag in tags]
