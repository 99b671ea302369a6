"""Reads: the home timeline, a post, who follows whom. What a reader may not see is never told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation import featured
from federation.blocks import hidden_from
from federation.readers import may_read
from federation.storage import Tx
from federation.tables import actors, follows, objects
from federation.types import OPEN, Verification, Visibility
from node.cursors import before as earlier_than
from node.cursors import cursor_of
from node.errors import Gone, NotFound
from node.evidence import Evidence, evidence_of_object
from node.learning import queries as learning
from node.market import queries as market
from node.social.tables import post_sources, timeline
from node.social.views import PostView, anchor, view
from node.text import one_line, plain
from schemas.learning import is_announcement
from schemas.notes import tags_of

PAGE_SIZE = 20
TITLE_FROM = 2_000
MAX_LISTED = 3_000  # characters of a post that stand in a list; the rest on its own page
KINDS = ("gig", "module", "post")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the home timeline. reason: own, followed, addressed or boosted; via: the handle of who boosted it."""

    object_id: str
    kind: str
    title: str
    path: str
    owner: str
    handle: str
    name: str
    published: datetime
    at: datetime
    reason: str
    via: str | None
    verification: Verification
    visibility: Visibility

    @property
    def anchor(self) -> str:
        """The id of its place on a page."""
        return anchor(self.object_id)

    @property
    def cursor(self) -> str:
        """What `home` takes as `before` for what comes after this."""
        return cursor_of(self.at, self.object_id)


class Relation(NamedTuple):
    """Somebody at the other end of a follow. state: requested | accepted | rejected."""

    id: str
    handle: str
    name: str
    state: str
    since: datetime


def home(
    tx: Tx, reader: str, *, limit: int = PAGE_SIZE, before: str | None = None, kind: str | None = None
) -> list[Entry]:
    """What is for a local actor, newest first. before: a cursor; one that cannot be read is passed over."""
    rows = tx.rows(_page(tx, reader, before, kind).limit(limit))
    titles = _titles(tx, rows)
    handles = _handles(tx, {row.via for row in rows if row.via})
    return [_entry(row, titles.get(row.object_id), handles) for row in rows]


_NAMES = sa.select(actors.c.id, actors.c.acct, actors.c.username, actors.c.host)
_HOME = (
    sa.select(
        timeline.c.object_id,
        timeline.c.kind,
        timeline.c.reason,
        timeline.c.via,
        timeline.c.at,
        objects.c.type,
        objects.c.owner,
        objects.c.local,
        objects.c.body,
        objects.c.published,
        objects.c.visibility,
        objects.c.verification,
        actors.c.acct,
        actors.c.username,
        actors.c.host,
        actors.c.name,
    )
    .join(objects, objects.c.id == timeline.c.object_id)
    .outerjoin(actors, actors.c.id == objects.c.owner)
    .where(objects.c.deleted_at.is_(None))
    .order_by(timeline.c.at.desc(), timeline.c.object_id.desc())
)


def _handles(tx: Tx, actor_ids: set[str]) -> dict[str, str]:
    if not actor_ids:
        return {}
    return {row.id: _handle(row) for row in tx.rows(_NAMES.where(actors.c.id.in_(sorted(actor_ids))))}


def _page(tx: Tx, reader: str, before: str | None, kind: str | None) -> sa.Select[Any]:
    hidden = hidden_from(tx, reader)
    by_them = sa.or_(timeline.c.via.is_(None), timeline.c.via.not_in(hidden))
    statement = _HOME.where(timeline.c.reader == reader, objects.c.owner.not_in(hidden), by_them)
    if kind in KINDS:
        statement = statement.where(timeline.c.kind == kind)
    if kind in ("gig", "module"):  # says to SQLite that the partial index is enough
        statement = statement.where(timeline.c.kind != sa.literal_column("'post'"))
    return statement.where(earlier_than(before, timeline.c.at, timeline.c.object_id))


def _titles(tx: Tx, rows: Sequence[Row[Any]]) -> dict[str, tuple[str, str]]:
    """Title and path of everything on a page of the timeline."""
    gigs = market.views(tx, [row.object_id for row in rows if row.kind == "gig"])
    modules = learning.views(tx, [row.object_id for row in rows if row.kind == "module"])
    found = {gig.id: (gig.title, gig.path) for gig in gigs.values()}
    found |= {module.id: (module.title, module.path) for module in modules.values()}
    for row in rows:
        if row.kind == "post":
            post = view(row, row.object_id, limit=TITLE_FROM)
            found[row.object_id] = (post.title, post.path)
    return found


def _entry(row: Row[Any], shown: tuple[str, str] | None, handles: dict[str, str]) -> Entry:
    title, path = shown or ("", f"/seen?id={quote(row.object_id, safe='')}")
    return Entry(
        object_id=row.object_id,
        kind=row.kind,
        title=title,
        path=path,
        owner=row.owner,
        handle=_handle(row) if row.username else row.owner,
        name=one_line(row.name or "", 100) or row.username or row.owner,
        published=row.published,
        at=row.at,
        reason=row.reason,
        via=handles.get(row.via) if row.via else None,
        verification=row.verification,
        visibility=row.visibility,
    )


def _handle(row: Row[Any]) -> str:
    return row.acct or f"{row.username}@{row.host}"


def posts(tx: Tx, post_ids: Sequence[str]) -> dict[str, PostView]:
    """Several by id, whoever may read them: for lists that have asked that already."""
    rows = tx.rows(sa.select(objects).where(objects.c.id.in_(sorted(set(post_ids))), objects.c.deleted_at.is_(None)))
    return {row.id: view(row, row.id, limit=MAX_LISTED) for row in rows}


def post(tx: Tx, post_id: str, reader: str | None) -> PostView:
    """A post for whoever may read it (None: anybody).

    NotFound for what is not here and for what is not for this reader; Gone once the owner took away what was public.
    """
    row = tx.row(sa.select(objects).where(objects.c.id == post_id, objects.c.kind == "post"))
    if row is not None and row.deleted_at is not None and row.visibility in OPEN:
        raise Gone
    if row is None or not may_read(tx, post_id, reader):
        raise NotFound
    return view(row, row.id)


def source(tx: Tx, post: PostView) -> str:
    """What its owner typed; of a post from before that was kept, its words."""
    typed = tx.scalar(sa.select(post_sources.c.body_md).where(post_sources.c.object_id == post.id))
    return plain(post.html, 10_000) if typed is None else str(typed)


def mentioned(tx: Tx, post_id: str, but: Collection[str]) -> list[str]:
    """Whom a post mentions, but those, as `@name@host`: for the form of an answer to it."""
    body = tx.scalar(sa.select(objects.c.body).where(objects.c.id == post_id))
    tags = tags_of(msgspec.json.decode(body)) if body else ()
    ids = [tag.href for tag in tags if tag.type == "Mention" and tag.href and tag.href not in but]
    return [f"@{handle}" for handle in _handles(tx, set(ids[:20])).values()]


def id_behind(tx: Tx, address: str) -> str:
    """The id of what stands here under an id or the address of a page; the address itself when nothing does."""
    either = sa.or_(objects.c.id == address, sa.and_(objects.c.url == address, objects.c.deleted_at.is_(None)))
    found: str | None = tx.scalar(sa.select(objects.c.id).where(either).order_by(objects.c.id == address).limit(1))
    return found or address


def kind_of(tx: Tx, object_id: str, reader: str | None) -> tuple[str, bool] | None:
    """`(kind, local)` of an object that stands here and that this reader may see; else None."""
    row = tx.row(sa.select(objects.c.kind, objects.c.local).where(objects.c.id == object_id))
    return (row.kind, row.local) if row is not None and may_read(tx, object_id, reader) else None


def posts_of(tx: Tx, owner: str, *, limit: int = PAGE_SIZE) -> list[PostView]:
    """The public posts of somebody: first what they pinned, then the newest.

    Answers to others and announcements of modules are left out, unless they are pinned.
    """
    first = pinned_posts(tx, owner)
    there = {post.id for post in first}
    return (first + [post for post in _newest(tx, owner, limit) if post.id not in there])[:limit]


def pinned_posts(tx: Tx, owner: str) -> list[PostView]:
    """What somebody lets stand first on their profile, the newest pin first; only what anybody may read."""
    ids = featured.pinned(tx, owner)
    theirs = sa.and_(objects.c.owner == owner, objects.c.id.in_(ids), objects.c.kind == "post")
    rows = tx.rows(sa.select(objects).where(theirs, objects.c.visibility.in_(OPEN), objects.c.deleted_at.is_(None)))
    found = {row.id: replace(view(row, row.id, limit=MAX_LISTED), pinned=True) for row in rows}
    return [found[post_id] for post_id in ids if post_id in found]


def _newest(tx: Tx, owner: str, limit: int) -> list[PostView]:
    statement = sa.select(objects).where(
        objects.c.owner == owner,
        objects.c.kind == "post",
        objects.c.visibility == "public",
        objects.c.in_reply_to.is_(None),
        objects.c.deleted_at.is_(None),
    )
    rows = tx.rows(statement.order_by(objects.c.published.desc()).limit(2 * limit))  # half may announce modules
    shown = [row for row in rows if not is_announcement(msgspec.json.decode(row.body))]
    return [view(row, row.id, limit=MAX_LISTED) for row in shown[:limit]]


def evidence(tx: Tx, post: PostView) -> Evidence | None:
    """What the verification of a post rests on."""
    return evidence_of_object(tx, post.id)


def followers(tx: Tx, actor_id: str, *, limit: int = 500) -> list[Relation]:
    """Who follows somebody, or asks to; the newest first."""
    return _relations(tx, follows.c.follower, follows.c.followee == actor_id, limit)


def following(tx: Tx, actor_id: str, *, limit: int = 500) -> list[Relation]:
    """Whom somebody follows, or has asked; the newest first."""
    return _relations(tx, follows.c.followee, follows.c.follower == actor_id, limit)


def _relations(tx: Tx, other: sa.Column[str], mine: sa.ColumnElement[bool], limit: int) -> list[Relation]:
    statement = (
        sa.select(actors.c.id, actors.c.acct, actors.c.username, actors.c.host, actors.c.name)
        .add_columns(follows.c.state, follows.c.created_at)
        .join_from(follows, actors, actors.c.id == other)
        .where(mine)
        .order_by(follows.c.created_at.desc(), actors.c.id)
        .limit(limit)
    )
    return [
        Relation(row.id, _handle(row), one_line(row.name, 100) or row.username, row.state, row.created_at)
        for row in tx.rows(statement)
    ]


def follow_state(tx: Tx, follower: str, followee: str) -> str | None:
    """Requested | accepted | rejected, or None."""
    statement = sa.select(follows.c.state).where(follows.c.follower == follower, follows.c.followee == followee)
    state: str | None = tx.scalar(statement)
    return state


def count_relations(tx: Tx, actor_id: str) -> tuple[int, int]:
    """How many somebody follows, and how many follow them; those that are agreed."""
    agreed = sa.select(sa.func.count()).select_from(follows).where(follows.c.state == "accepted")
    out = tx.scalar(agreed.where(follows.c.follower == actor_id))
    return int(out), int(tx.scalar(agreed.where(follows.c.followee == actor_id)))
