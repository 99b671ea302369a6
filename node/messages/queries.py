"""Reads: somebody's conversations, what was said in one, and what a visitor may see of theirs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.blocks import hidden_from, hides
from federation.readers import may_read
from federation.storage import Timestamp, Tx
from node.errors import NotFound
from node.messages.tables import SOMETHING_NEW, conversations, messages
from node.profiles import queries as profiles
from node.profiles.queries import Person
from node.social import queries as social
from node.social.views import PostView
from node.text import plain
from node.unguessable import digest_of

MAX_LISTED = 40
MAX_SAID = 100
PREVIEW = 90
_ASKED = sa.or_(conversations.c.state == "enquiry", conversations.c.via.in_(("mail", "reply")))
_NAME = (  # as we write it ourselves, and as Mastodon and GoToSocial do
    r"(?:<span[^<>]{0,100}>)?<a [^<>]{0,500}>@(?:[^<>]{1,300}|<span>[^<>]{1,300}</span>)</a>(?:</span>)?"
)
_ADDRESS = re.compile(rf"\s*<p>\s*(?:{_NAME}\s*){{1,20}}(?P<end></p>\s*)?")


@dataclass(frozen=True, slots=True)
class Line:
    """A conversation in the list. people: the others, as far as they are known; name: a visitor's."""

    id: str
    via: str
    people: tuple[Person, ...]
    name: str
    about: str | None
    state: str
    preview: str
    at: datetime
    unread: int

    @property
    def is_enquiry(self) -> bool:
        """Whether it stands among the enquiries: not answered yet, or not between two who have accounts."""
        return self.state == "enquiry" or self.via != "direct"

    @property
    def title(self) -> str:
        """With whom."""
        return self.name or ", ".join(person.name for person in self.people) or "…"


@dataclass(frozen=True, slots=True)
class Said:
    """One message. post: where it is one; text: what came or went by mail."""

    by: str
    mine: bool
    at: datetime
    post: PostView | None
    text: str


class Thread(NamedTuple):
    """A page of a conversation. last: the post that the next one answers; earlier: the cursor of what was said before.

    newest: whether nothing was said after it.
    """

    line: Line
    said: list[Said]
    last: str | None
    earlier: int | None
    newest: bool


def _listed(tx: Tx, reader: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        conversations.c.reader == reader,
        conversations.c.state != "blocked",
        conversations.c.who.not_in(hidden_from(tx, reader)),
    )


def lines(tx: Tx, reader: str, *, enquiries: bool, before: str | None = None) -> list[Line]:
    """The newest first, at most MAX_LISTED. enquiries: those that nobody has answered yet, and those of visitors.

    before: the id of the last one of the page before; one that is not theirs is passed over.
    """
    statement = sa.select(conversations).where(*_listed(tx, reader), _ASKED if enquiries else ~_ASKED)
    order = sa.tuple_(conversations.c.last_at, conversations.c.id)
    last = before and tx.row(sa.select(conversations).where(conversations.c.id == before, *_listed(tx, reader)))
    if last:
        statement = statement.where(order < sa.tuple_(sa.literal(last.last_at, Timestamp), sa.literal(last.id)))
    newest = (conversations.c.last_at.desc(), conversations.c.id.desc())
    return _lines(tx, reader, tx.rows(statement.order_by(*newest).limit(MAX_LISTED)))


def new_enquiries(tx: Tx, reader: str) -> int:
    """How many enquiries hold something that was not looked at, at most 99."""
    rows = sa.select(conversations.c.id).where(*_listed(tx, reader), SOMETHING_NEW, _ASKED).limit(99)
    return int(tx.scalar(sa.select(sa.func.count()).select_from(rows.subquery())))


def _lines(tx: Tx, reader: str, rows: Any) -> list[Line]:
    others = {row.id: msgspec.json.decode(row.people, type=list[str]) for row in rows}
    people = profiles.people(tx, {one for ids in others.values() for one in ids})
    previews = _previews(tx, reader, [row.id for row in rows])
    return [
        Line(
            id=row.id,
            via=row.via,
            people=tuple(people[one] for one in others[row.id] if one in people),
            name=row.name,
            about=row.about,
            state=row.state,
            preview=previews.get(row.id, ""),
            at=row.last_at,
            unread=row.unread,
        )
        for row in rows
    ]


def _previews(tx: Tx, reader: str, ids: list[str]) -> dict[str, str]:
    if not ids:
        return {}
    last = sa.select(sa.func.max(messages.c.id)).where(messages.c.conversation_id.in_(ids))
    rows = tx.rows(sa.select(messages).where(messages.c.id.in_(last.group_by(messages.c.conversation_id))))
    posts = social.posts(tx, [row.object_id for row in rows if row.object_id and may_read(tx, row.object_id, reader)])
    return {row.conversation_id: _words(row, posts) for row in rows}


def _words(row: Row[Any], posts: dict[str, PostView]) -> str:
    if row.object_id is None:
        return " ".join((row.text or "").split())[:PREVIEW]
    post = posts.get(row.object_id)
    return "" if post is None else post.warning or plain(without_address(post.html), PREVIEW)


def without_address(html: str) -> str:
    """Clean HTML of a message without the names at its beginning: who it is for stands over the conversation."""
    match = _ADDRESS.match(html)
    if match is None:
        return html
    return html[match.end() :] if match["end"] else f"<p>{html[match.end() :]}"


def is_new(tx: Tx, reader: str, conversation_id: str) -> bool:
    """Whether something in a conversation was not looked at yet."""
    this = (conversations.c.id == conversation_id, conversations.c.reader == reader, SOMETHING_NEW)
    return tx.row(sa.select(conversations.c.id).where(*this)) is not None


def thread(tx: Tx, reader: str, conversation_id: str, *, before: int | None = None) -> Thread:
    """What was said, the oldest first; NotFound for somebody else's. before: the cursor of a later page."""
    this = (conversations.c.id == conversation_id, conversations.c.reader == reader)
    row = tx.row(sa.select(conversations).where(*this))
    if row is None:
        raise NotFound
    [line] = _lines(tx, reader, [row])
    return _thread(tx, line, reader, before)


def _thread(tx: Tx, line: Line, reader: str, before: int | None) -> Thread:
    statement = sa.select(messages).where(messages.c.conversation_id == line.id)
    if before is not None:
        statement = statement.where(messages.c.id < before)
    found = tx.rows(statement.order_by(messages.c.id.desc()).limit(MAX_SAID + 1))
    rows = list(reversed(found[:MAX_SAID]))
    earlier = rows[0].id if len(found) > MAX_SAID else None
    posts = _posts(tx, rows, reader)
    last = next((row.object_id for row in reversed(rows) if row.object_id in posts), None)
    return Thread(line, _said(tx, rows, posts, reader), last, earlier, before is None)


def _posts(tx: Tx, rows: Sequence[Row[Any]], reader: str) -> dict[str | None, PostView]:
    """Those that this reader may and wants to see."""
    hidden = {author for author in {row.author for row in rows} if author and hides(tx, reader, author)}
    ids = [row.object_id for row in rows if row.object_id and row.author not in hidden]
    views = social.posts(tx, [one for one in ids if may_read(tx, one, reader)])
    return {key: replace(one, html=without_address(one.html)) for key, one in views.items()}


def _said(tx: Tx, rows: Sequence[Row[Any]], posts: dict[str | None, PostView], reader: str) -> list[Said]:
    names = {one.id: one.name for one in profiles.people(tx, {row.author for row in rows if row.author}).values()}
    return [
        Said(names.get(row.author, ""), row.author == reader, row.at, posts.get(row.object_id), row.text or "")
        for row in rows
        if row.object_id is None or row.object_id in posts
    ]


def of_visitor(tx: Tx, secret: str) -> Thread:
    """The newest page for a visitor, by the secret in their link."""
    row = tx.row(sa.select(conversations).where(conversations.c.secret == digest_of(secret)))
    if row is None or row.state == "blocked":
        raise NotFound
    [line] = _lines(tx, row.reader, [row])
    return _thread(tx, line, row.reader, None)


def reader_of(tx: Tx, secret: str) -> Person:
    """Whom a visitor writes to."""
    reader = tx.scalar(sa.select(conversations.c.reader).where(conversations.c.secret == digest_of(secret)))
    if reader is None:
        raise NotFound
    return profiles.person(tx, reader)


def with_person(tx: Tx, reader: str, other: str) -> str | None:
    """The conversation with one person, if there is one."""
    this = (conversations.c.reader == reader, conversations.c.via == "direct", conversations.c.who == other)
    found: str | None = tx.scalar(sa.select(conversations.c.id).where(*this))
    return found


def of_post(tx: Tx, reader: str, object_id: str) -> str | None:
    """The conversation of somebody in which a post stands."""
    statement = (
        sa.select(conversations.c.id)
        .join(messages, messages.c.conversation_id == conversations.c.id)
        .where(conversations.c.reader == reader, messages.c.object_id == object_id)
    )
    found: str | None = tx.scalar(statement.limit(1))
    return found
