"""Credential -> the post that brings it, and back.

It travels as a link that any server shows, and as JSON text in a term of ours, which no server takes for an object:
one inside the post with a context of its own is refused by several.
"""

from __future__ import annotations

from html import escape
from typing import Any

from federation.authors import Author
from node.credentials.rules import MAX_BYTES
from node.social.wire import handle_of, mention_tag, page_of
from schemas.actors import Actor
from schemas.attachments import attachments_of
from schemas.base import Audience
from schemas.notes import NoteDraft, write_note
from schemas.terms import VC_JSON


def credential_url(author: Author, name: str) -> str:
    """The id of a credential of somebody here. name: the last part, which nobody can guess."""
    return f"{author.actor_id}/credentials/{name}"


def list_url(actor_id: str, number: int) -> str:
    """The id of a status list of somebody here."""
    return f"{actor_id}/status/{number}"


def to_note(
    author: Author, note_id: str, person: Actor, title: str, credential_id: str, body: bytes, published: str
) -> dict[str, Any]:
    """The direct post that brings a credential to whom it is about."""
    mention = f'<a class="u-url mention" href="{escape(page_of(person))}">@{escape(handle_of(person))}</a>'
    link = f'<a href="{escape(credential_id)}">{escape(title)}</a>'
    return write_note(
        NoteDraft(
            id=note_id,
            owner=author.actor_id,
            content=f"<p>{mention} {link}</p>",
            published=published,
            audience=Audience((person.id,)),
            url=author.ids.object_page(note_id),
            tags=(mention_tag(person),),
            attachments=({"type": "Link", "href": credential_id, "mediaType": VC_JSON, "name": title},),
            credential=body.decode(),
        )
    )


def carried(document: dict[str, Any]) -> bytes | None:
    """The text of a credential that a post brings; None when it brings none, or one that is too long to be kept."""
    text = document.get("credential")
    if not isinstance(text, str) or not 0 < len(text) <= MAX_BYTES:
        return None
    body = text.encode()
    linked = any(one.media_type == VC_JSON for one in attachments_of(document))
    return body if linked and len(body) <= MAX_BYTES else None
