"""A post as it is shown: what a row of `objects` says, cleaned and bounded, whoever wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import msgspec
from sqlalchemy.engine import Row

from federation.types import OPEN, Verification, Visibility
from node.linking import Piece, hashtag_of, pieces
from node.media.came import NOTHING, parted
from node.text import clean, one_line, plain
from schemas.attachments import Attachment
from schemas.errors import SchemaError
from schemas.notes import Note, parse_note
from schemas.polls import Poll, parse_poll

MAX_TITLE = 80
MAX_TAGS = 20
MAX_SEARCHED = 10_000  # characters of a text that are looked through for the hashtags that it carries


@dataclass(frozen=True, slots=True)
class PostView:
    """A post, ours or another's, fit to be shown: `html` is clean, `warning` is what it should be folded behind.

    A text that has a name of its own (an article elsewhere) has it as `name`. pictures, files: what came with it, the
    words in it on one line. cut: the text goes on. abstract: what an article or a film is about. lang: of the text,
    where that is known. tags: hashtags that it carries and does not show.
    """

    id: str
    owner: str
    type: str
    name: str
    html: str
    warning: str
    pictures: tuple[Attachment, ...]
    files: tuple[Attachment, ...]
    sensitive: bool
    in_reply_to: str | None
    published: datetime
    updated: datetime
    local: bool
    visibility: Visibility
    verification: Verification
    page: str | None
    cut: bool
    poll: Poll | None = None
    quotes: str | None = None
    pinned: bool = False
    abstract: str = ""
    lang: str = ""
    tags: tuple[Piece, ...] = ()

    @property
    def path(self) -> str:
        """Where this node shows it."""
        if not self.local:
            return f"/seen?id={quote(self.id, safe='')}"
        head, kind, name = self.id.rsplit("/", 2)
        return f"/@{head.rpartition('/')[2]}/{kind}/{name}"

    @property
    def anchor(self) -> str:
        """The id of its place on a page."""
        return anchor(self.id)

    @property
    def is_changed(self) -> bool:
        """Whether it says something else than at first."""
        return self.updated > self.published

    @property
    def is_open(self) -> bool:
        """Whether anybody may read it, and so pass it on."""
        return self.visibility in OPEN

    @property
    def short_name(self) -> str:
        """The last part of the id."""
        return self.id.rpartition("/")[2]

    @property
    def title(self) -> str:
        """Its name, its warning, or how it begins."""
        return self.name or self.warning or plain(self.html, MAX_TITLE) or "A post without words"


def anchor(object_id: str) -> str:
    """What marks the place of a thing on a page: no two share one, and nothing in it needs to be escaped."""
    return f"p-{sha256(object_id.encode()).hexdigest()[:12]}"


def view(row: Row[Any], post_id: str, *, limit: int | None = None) -> PostView:
    """A row of `objects` as a post.

    limit: how many characters of a strange text are read; each costs time, and a page has twenty of them.
    """
    document = msgspec.json.decode(row.body) if row.body else None
    note = _note(document)
    wanted = row._mapping
    summary = one_line(plain(clean(note.summary), 300), 300) if note else ""
    came = parted(note.attachments, sensitive=note.sensitive) if note else NOTHING
    is_warning = note is not None and (note.type in ("Note", "Question") or note.sensitive)
    return PostView(
        id=post_id,
        owner=row.owner,
        type=row.type,
        name=one_line(note.name, 200) if note and note.type != "Note" else "",
        html=clean(note.content[:limit]) if note else "",
        warning=summary if is_warning else "",
        abstract="" if is_warning else summary,
        lang=note.language if note else "",
        tags=_unlinked(note),
        pictures=came.pictures,
        files=came.files,
        sensitive=came.sensitive,
        in_reply_to=note.in_reply_to if note else None,
        published=row.published,
        updated=wanted.get("updated", row.published),
        local=row.local,
        visibility=row.visibility,
        verification=row.verification,
        page=note.url if note else None,
        cut=note is not None and limit is not None and len(note.content) > limit,
        poll=parse_poll(document) if document is not None and row.type == "Question" else None,
        quotes=note.quotes if note else None,
    )


def _unlinked(note: Note | None) -> tuple[Piece, ...]:
    """The hashtags of a text that do not stand in it, at most 20."""
    if note is None:
        return ()
    named = (hashtag_of(tag.name) for tag in note.tags if tag.type == "Hashtag")
    there = {piece.key for piece in pieces(plain(note.content, MAX_SEARCHED)) if piece.kind == "hashtag"}
    hidden = {piece.key: piece for piece in named if piece is not None and piece.key not in there}
    return tuple(hidden.values())[:MAX_TAGS]


def _note(document: dict[str, Any] | None) -> Note | None:
    try:
        return None if document is None else parse_note(document)
    except SchemaError:
        return None
