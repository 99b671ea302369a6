"""Pictures of people here, from the moment they are uploaded until their post is gone.

An upload belongs to whoever sent it, waits a day for a post, and goes with exactly one. Somebody else's, one that
goes with another post, and one that does not exist are the same: there is no such picture (SECURITY 108).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from federation.ids import Ids, new_id
from federation.storage import Tx
from node.errors import Invalid, NotFound
from node.language import _, _n
from node.media.names import media_url, small_name
from node.media.pictures import FIELD, Made
from node.media.tables import media
from node.text import visible
from schemas.attachments import write_picture

MOST = 4  # with one post
MAX_ALT = 1_500
MAX_WAITING = 40
LIFETIME = timedelta(days=1)  # of an upload that no post took
TOPIC = "media"

_NOT_THERE = _("This picture is not here any more. Choose it again.")


class Media(NamedTuple):
    """An uploaded picture."""

    id: str
    owner: str
    name: str
    media_type: str
    width: int
    height: int
    alt: str
    object_id: str | None

    @property
    def path(self) -> str:
        """Where this node shows it."""
        return f"/media/{self.name}"

    @property
    def small(self) -> str:
        """The small one."""
        return f"/media/{small_name(self.name)}"


_COLUMNS = [media.c[name] for name in Media._fields]
_WAITING = sa.and_(media.c.object_id.is_(None), media.c.dropped_at.is_(None))


def add(tx: Tx, owner: str, made: Made, alt: str = "") -> Media:
    """An upload of somebody here, once its files are made; Invalid for `picture` when too many wait already."""
    waiting = sa.select(sa.func.count()).select_from(media).where(media.c.owner == owner, _WAITING)
    if tx.scalar(waiting) >= MAX_WAITING:
        sentence = _n(
            "You have {count} picture that is in no post yet. Post it, or wait a day.",
            "You have {count} pictures that are in no post yet. Post some, or wait a day.",
            MAX_WAITING,
        )
        raise Invalid({FIELD: sentence})
    found = Media(
        new_id(tx.now), owner, made.name, made.media_type, made.width, made.height, described(alt), object_id=None
    )
    tx.execute(sa.insert(media).values(found._asdict() | {"created_at": tx.now}))
    return found


def described(alt: str) -> str:
    """What somebody typed about a picture, on as many lines as they like; Invalid for `alt` when too long."""
    words = visible(alt).strip()
    if len(words) > MAX_ALT:
        raise Invalid({"alt": _("A description has at most {most} characters. Shorten it.", most=MAX_ALT)})
    return words


def describe(tx: Tx, owner: str, media_id: str, alt: str) -> None:
    """Say what an upload shows, anew; the post that it goes with must be written again to say so too."""
    _one(tx, owner, media_id)
    tx.execute(sa.update(media).where(media.c.id == media_id).values(alt=described(alt)))


def discard(tx: Tx, owner: str, media_id: str) -> None:
    """Its owner wants it no more (SECURITY 137)."""
    _one(tx, owner, media_id)
    _drop(tx, media.c.id == media_id)


def _one(tx: Tx, owner: str, media_id: str) -> Media:
    mine = sa.and_(media.c.id == media_id, media.c.owner == owner, media.c.dropped_at.is_(None))
    row = tx.row(sa.select(*_COLUMNS).where(mine))
    if row is None:
        raise NotFound(_NOT_THERE)
    return Media._make(row)


def usable(tx: Tx, owner: str, media_ids: Sequence[str], note_id: str | None = None) -> list[Media]:
    """Of these the owner's own that go with no other post, in the order asked; the others are left out.

    note_id: the post that is being changed.
    """
    free = sa.or_(media.c.object_id.is_(None), media.c.object_id == note_id)
    mine = sa.and_(media.c.owner == owner, media.c.id.in_(sorted(set(media_ids))), free, media.c.dropped_at.is_(None))
    found = {row.id: Media._make(row) for row in tx.rows(sa.select(*_COLUMNS).where(mine))}
    return [found[media_id] for media_id in dict.fromkeys(media_ids) if media_id in found]


def of_object(tx: Tx, object_id: str) -> list[Media]:
    """The pictures that go with a post of ours, in their order."""
    theirs = sa.and_(media.c.object_id == object_id, media.c.dropped_at.is_(None))
    return [Media._make(row) for row in tx.rows(sa.select(*_COLUMNS).where(theirs).order_by(media.c.position))]


def for_note(tx: Tx, media_ids: Sequence[str], owner: str, ids: Ids) -> tuple[dict[str, Any], ...]:
    """The documents that go into a Note as its `attachment`, in this order.

    NotFound unless each is the owner's own (and, by `attach`, goes with no other post); Invalid for `picture1` when
    there are more than four.
    """
    wanted = list(dict.fromkeys(media_ids))
    if len(wanted) > MOST:
        raise Invalid({"picture1": _n("Give at most {count} picture.", "Give at most {count} pictures.", MOST)})
    found = [_one(tx, owner, media_id) for media_id in wanted]
    return tuple(
        write_picture(media_url(ids.origin, one.name), one.media_type, one.alt, one.width, one.height) for one in found
    )


def attach(tx: Tx, media_ids: Sequence[str], owner: str, note_id: str) -> None:
    """These go with this post from now on, and those that went with it before and are not named go nowhere.

    NotFound when one is not the owner's, or goes with another post.
    """
    wanted = list(dict.fromkeys(media_ids))
    _drop(tx, sa.and_(media.c.object_id == note_id, media.c.id.not_in(wanted)))
    for position, media_id in enumerate(wanted):
        if _one(tx, owner, media_id).object_id not in (None, note_id):
            raise NotFound(_NOT_THERE)
        tx.execute(sa.update(media).where(media.c.id == media_id).values(object_id=note_id, position=position))


def forget(tx: Tx, object_ids: Sequence[str]) -> None:
    """These posts are gone, and their pictures with them."""
    _drop(tx, media.c.object_id.in_(object_ids))


def forget_all_of(tx: Tx, owner: str) -> None:
    """Somebody here has ended their account."""
    _drop(tx, media.c.owner == owner)


def expire(tx: Tx) -> None:
    """Uploads that no post took within a day (SECURITY 137)."""
    _drop(tx, sa.and_(_WAITING, media.c.created_at < tx.now - LIFETIME))


def _drop(tx: Tx, which: sa.ColumnElement[bool]) -> None:
    if tx.execute(sa.update(media).where(which, media.c.dropped_at.is_(None)).values(dropped_at=tx.now)).rowcount:
        tx.notify(TOPIC)
