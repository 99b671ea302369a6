"""Post -> Note."""

from __future__ import annotations

from html import escape

from federation.authors import Author
from node.social.rules import PostDraft
from node.text import markdown
from schemas.actors import Actor
from schemas.base import Audience
from schemas.notes import NoteDraft, Tag
from schemas.terms import PUBLIC
from schemas.urls import host_of


def audience_of_post(author: Author, draft: PostDraft, person: Actor | None) -> Audience:
    """Everybody and the followers, the followers alone, or one person alone."""
    if person is not None:
        return Audience((person.id,))
    if draft.audience == "followers":
        return Audience((author.followers,))
    return Audience((PUBLIC,), (author.followers,))


def to_note(author: Author, note_id: str, draft: PostDraft, person: Actor | None, published: str) -> NoteDraft:
    """The Note that a draft becomes.

    Whoever is addressed personally is mentioned too, in the text and as a tag: some servers show nothing otherwise.
    """
    content = markdown(draft.body_md)
    if person is not None:
        content = f"<p>{_mention(person)}</p>\n{content}"
    return NoteDraft(
        id=note_id,
        owner=author.actor_id,
        content=content,
        published=published,
        audience=audience_of_post(author, draft, person),
        url=author.ids.object_page(note_id),
        tags=(Tag("Mention", f"@{handle_of(person)}", person.id),) if person is not None else (),
    )


def handle_of(person: Actor) -> str:
    """`name@host`, as the actor itself says."""
    return person.webfinger or f"{person.username}@{host_of(person.id)}"


def _mention(person: Actor) -> str:
    return f'<a class="u-url mention" href="{escape(person.url or person.id)}">@{escape(handle_of(person))}</a>'
