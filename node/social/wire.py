"""Post -> Note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from federation.authors import Author
from node.linking import Links, Piece, tag_address
from node.social.rules import PostDraft, Reach
from node.text import linked
from schemas.actors import Actor
from schemas.base import Audience
from schemas.notes import NoteDraft, Tag
from schemas.terms import PUBLIC
from schemas.urls import host_of


@dataclass(frozen=True, slots=True)
class People:
    """Whom a post concerns by name.

    alone: the one person whom it is for. answered: who wrote what it answers. named: those whose names in its text
    are known, by `name@host`.
    """

    alone: Actor | None = None
    answered: Actor | None = None
    named: Mapping[str, Actor] = field(default_factory=dict)


def tags_page(author: Author) -> str:
    """Below it each hashtag has its page."""
    return f"{author.ids.origin}/tags"


def audience_of_post(author: Author, reach: Reach, people: Sequence[str]) -> Audience:
    """Everybody, everybody but in no list (`cc`), the followers, or the named alone; the named always."""
    if reach == "direct":
        return Audience(tuple(people))
    if reach == "followers":
        return Audience((author.followers,), tuple(people))
    if reach == "unlisted":
        return Audience((author.followers,), (PUBLIC, *people))
    return Audience((PUBLIC,), (author.followers, *people))


def to_note(
    author: Author,
    note_id: str,
    draft: PostDraft,
    people: People,
    published: str,
    *,
    attachments: Sequence[dict[str, Any]] = (),
) -> NoteDraft:
    """The Note that a draft becomes.

    Whoever is addressed personally is mentioned too, in the text and as a tag: some servers show nothing otherwise.
    """
    links = Links({handle: page_of(actor) for handle, actor in people.named.items()}, tags_page(author))
    text = linked(draft.body_md, links)
    named = [people.named[piece.key] for piece in text.found if piece.kind == "mention"]
    missing = _unnamed(author, people, named)
    content = f"<p>{' '.join(_mention(one) for one in missing)}</p>\n{text.html}".rstrip() if missing else text.html
    mentioned = list({one.id: one for one in [*missing, *named] if one.id != author.actor_id}.values())
    return NoteDraft(
        id=note_id,
        owner=author.actor_id,
        content=content,
        published=published,
        audience=audience_of_post(author, draft.audience, [one.id for one in mentioned]),
        url=author.ids.object_page(note_id),
        in_reply_to=draft.in_reply_to or None,
        tags=(*map(mention_tag, mentioned), *_hashtags(author, text.found)),
        warning=draft.warning,
        attachments=tuple(attachments),
    )


def _unnamed(author: Author, people: People, named: list[Actor]) -> list[Actor]:
    """Those who must be named and are not, in the text as it stands."""
    there = {one.id for one in named} | {author.actor_id}
    wanted = [one for one in (people.alone, people.answered) if one is not None]
    return list({one.id: one for one in wanted if one.id not in there}.values())


def mention_tag(person: Actor) -> Tag:
    """Who is mentioned, as `@name@host` and by id."""
    return Tag("Mention", f"@{handle_of(person)}", person.id)


def _hashtags(author: Author, found: Sequence[Piece]) -> list[Tag]:
    tags: dict[str, Tag] = {}
    for piece in found:
        if piece.kind == "hashtag":
            tags.setdefault(piece.key, Tag("Hashtag", piece.words, tag_address(tags_page(author), piece.key)))
    return list(tags.values())


def handle_of(person: Actor) -> str:
    """`name@host`, as the actor itself says."""
    return person.webfinger or f"{person.username}@{host_of(person.id)}"


def page_of(person: Actor) -> str:
    """Where people look at somebody."""
    return person.url or person.id


def _mention(person: Actor) -> str:
    return f'<a class="u-url mention" href="{escape(page_of(person))}">@{escape(handle_of(person))}</a>'
