"""What must be true of a node whatever others have said to it; `Broken` says what is not, and by whose doing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.authority import same_origin
from federation.objects import UNKNOWN
from federation.storage import Tx
from federation.tables import (
    activities,
    actor_keys,
    actors,
    blocks,
    featured,
    follows,
    inbox_messages,
    moves,
    object_recipients,
    objects,
    reactions,
)
from federation.types import OPEN
from node.messages.tables import conversations, messages
from node.notifications.tables import notifications
from node.social.tables import timeline
from tests.fuzz.arena import Arena, Page
from tests.fuzz.cases import Case
from tests.fuzz.cast import ALICE, CAROL, EVERYBODY, NODE, VERA

STATUSES = frozenset({202, 400, 401, 403, 404, 413})
MAY_STEP_ON = ("Unreachable", "Busy", "Disconnected")
"""The reasons for which a message may wait: somebody else could not be asked."""
SECRETS = {"ours followers": {ALICE}, "ours direct": {ALICE}, "vera&#39;s secret": {ALICE}, "vera's secret": {ALICE}}
"""Words that only some people may see."""


class Broken(AssertionError):
    """Something that must be true is not. index: of the activity that did it, where that is known."""

    def __init__(self, what: str, index: int | None = None) -> None:
        super().__init__(what)
        self.index = index


@dataclass
class Watch:
    """What is remembered of a run: whom nobody may harm, and who said what."""

    arena: Arena
    before: dict[str, Any] = field(default_factory=dict)
    first: set[str] = field(default_factory=set)
    said: dict[str, set[str]] = field(default_factory=dict)
    """Of each actor, all that was taken in their own words and names an address."""
    private: dict[str, Case] = field(default_factory=dict)
    """By their mark, the activities in which nobody wrote that they are for everybody."""
    closed: set[str] = field(default_factory=set)
    """What was not for everybody when it was last looked at."""

    async def begin(self) -> None:
        """Remember how it is before anybody says anything."""
        self.before = await self.arena.node.db.read(guarded)
        self.first = {row.id for row in await self.arena.rows(sa.select(objects.c.id))}

    def answered(self, case: Case, status: int) -> None:
        """The door has answered."""
        if status not in STATUSES and status != 503:
            raise Broken(f"the door answered {status}", case.index)
        if status == 202:
            authors = {case.signer.id, case.author.id} if "DataIntegrityProof" in case.strings else {case.signer.id}
            for author in authors:
                self.said.setdefault(author, set()).update(case.strings)
        if not case.is_public and "preferredUsername" not in case.strings:  # actors are for everybody
            self.private[case.mark] = case

    async def check(self, batch: Sequence[Case], pages: Sequence[Page]) -> None:
        """All of it. Raises Broken."""
        faults = [log for log in self.arena.errors if log["log_level"] == "error"]
        self.arena.errors.clear()
        self._check_logs(batch, faults)
        self.check_pages(pages)
        if self.arena.world.knocks:
            raise Broken(f"a forbidden address was asked: {self.arena.world.knocks[0]}")
        rows = await self.arena.node.db.read(everything)
        self._check_messages(batch, rows["messages"])
        after = await self.arena.node.db.read(guarded)
        for name, value in self.before.items():
            if after[name] != value:
                raise Broken(f"{name} is not what it was: {_difference(value, after[name])}")
        self._check_owners(rows)
        self._check_views(rows)
        await self._check_counts(pages, rows)

    def _check_logs(self, batch: Sequence[Case], faults: Sequence[Mapping[str, Any]]) -> None:
        for fault in faults:
            index = _index_of(str(fault.get("activity", "")), batch)
            raise Broken(f"{fault['event']}: {fault.get('exc_info') or fault.get('error')!r}", index)

    def _check_messages(self, batch: Sequence[Case], rows: Sequence[Row[Any]]) -> None:
        for row in rows:
            waits = row.state == "pending" and (row.attempts == 0 or (row.reason or "").startswith(MAY_STEP_ON))
            if row.state not in ("done", "refused") and not waits:
                raise Broken(f"{row.activity_id} is {row.state}: {row.reason}", _index_of(row.activity_id, batch))
            if row.activity_id.removeprefix("forwarded:").startswith(NODE):
                raise Broken(f"{row.activity_id} was taken under our own origin")

    def _check_owners(self, rows: Mapping[str, Sequence[Row[Any]]]) -> None:
        """Whatever stands here was said by its owner, or by its origin; and nothing is ours that we did not say."""
        asked = {address.partition("#")[0] for address in self.arena.world.asked}
        for row in rows["objects"]:
            if row.id.startswith(NODE) or row.owner.startswith(NODE) or row.local:
                raise Broken(f"{row.id} of {row.owner} stands under our own origin")
            if not same_origin(row.id, row.owner):
                raise Broken(f"{row.id} stands here as {row.owner}'s")
            said = row.id in self.first or row.id in self.said.get(row.owner, ())
            if not said and row.id.partition("#")[0] not in asked:
                raise Broken(f"{row.id} is {row.owner}'s, who never said it, and its origin was not asked")
            if row.visibility in OPEN and row.id in self.closed:
                raise Broken(f"{row.id} was not for everybody, and is now")
        self.closed = {row.id for row in rows["objects"] if row.visibility not in OPEN and row.kind != UNKNOWN}
        for row in rows["actors"]:
            document = json.loads(row.document)
            if row.id.startswith(NODE) or document.get("id") != row.id or not same_origin(row.id, row.inbox):
                raise Broken(f"{row.id} is not who they say")
            if row.id not in {actor.id for actor in EVERYBODY} and row.id.partition("#")[0] not in asked:
                raise Broken(f"{row.id} is known, and nobody asked who that is")
        for row in rows["reactions"]:
            if row.actor not in self.said and row.actor != VERA.id:
                raise Broken(f"{row.actor} never said that they {row.kind} {row.object_id}")

    def _check_views(self, rows: Mapping[str, Sequence[Row[Any]]]) -> None:
        """No list shows what does not stand here, or is not for whoever reads it."""
        here = {row.id: row for row in rows["objects"]} | {row.id: row for row in rows["ours"]}
        recipients: dict[str, set[str]] = {}
        for row in rows["recipients"]:
            recipients.setdefault(row.object_id, set()).add(row.recipient)
        followers = {actor.followers for actor in EVERYBODY if actor.followed}
        for row in rows["timeline"]:
            thing = here.get(row.object_id)
            if thing is None or thing.deleted_at is not None:
                raise Broken(f"{row.object_id} stands in the timeline of {row.reader}, and not here")
            open_to = recipients.get(row.object_id, set())
            own = {row.reader} | (followers if row.reader == ALICE else set())
            if thing.visibility not in OPEN and thing.owner != row.reader and not open_to & own:
                raise Broken(f"{row.object_id} is for {sorted(open_to)}, and stands in the timeline of {row.reader}")
        for row in rows["notifications"] + rows["conversations"]:
            if row.reader not in (ALICE, CAROL):
                raise Broken(f"{row.reader} does not live here, and is told something")
        written = {row.conversation_id: row.many for row in rows["written"]}
        for row in rows["conversations"]:
            if not 0 <= row.unread <= written.get(row.id, 0):
                raise Broken(f"{row.unread} of {written.get(row.id, 0)} messages are new to {row.reader}")

    async def _check_counts(self, pages: Sequence[Page], rows: Mapping[str, Sequence[Row[Any]]]) -> None:
        """What is told of likes, boosts and followers is what stands in the rows."""
        kinds = {"likes": "like", "shares": "boost"}
        for page in pages:
            thing, _, name = page.path.rpartition("/")
            if page.status != 200 or page.viewer != "nobody" or not page.text.startswith("{"):
                continue
            if name in kinds:
                found = [row for row in rows["reactions"] if (row.object_id, row.kind) == (NODE + thing, kinds[name])]
            elif name == "followers":
                found = [row for row in rows["follows"] if row.followee == NODE + thing and row.state == "accepted"]
            else:
                continue
            if json.loads(page.text)["totalItems"] != len(found):
                raise Broken(f"{page.path} tells of {json.loads(page.text)['totalItems']}, and there are {len(found)}")

    def check_pages(self, pages: Sequence[Page]) -> None:
        """None is an error, none shows what is not for who looks, none holds what runs or loads."""
        for page in pages:
            if page.status >= 500 or (page.status == 404 and page.path in NEVER_ABSENT):
                raise Broken(f"{page.path} answers {page.status} to {page.viewer}")
            self._check_audience(page)
            if "<main" in page.text:
                _check_html(page)

    def _check_audience(self, page: Page) -> None:
        for secret, readers in SECRETS.items():
            if secret in page.text and f"{NODE}/users/{page.viewer}" not in readers:
                raise Broken(f"{page.viewer} reads {secret!r} at {page.path}")
        if page.viewer == "alice" or "/search?" in page.path:
            return
        for mark in set(_MARKS.findall(page.text)):
            case = self.private.get(mark)
            if case is not None and not (page.viewer == "carol" and CAROL in case.strings):
                raise Broken(f"{page.viewer} reads at {page.path} what was not for everybody", case.index)


NEVER_ABSENT = frozenset(
    {"/home", "/notifications", "/messages", "/people", "/gigs", "/learn", "/@alice", "/", "/tags/work"}
)
_MARKS = re.compile(r"zq\d+x")


def _index_of(activity_id: str, batch: Sequence[Case]) -> int | None:
    return next(
        (case.index for case in batch if activity_id and activity_id.removeprefix("forwarded:") in case.strings), None
    )


def _difference(before: Any, after: Any) -> str:
    gone, new = [row for row in before if row not in after], [row for row in after if row not in before]
    return f"-{str(gone)[:600]} +{str(new)[:600]}"


# ---- pages


class _Reader(HTMLParser):
    """What a browser would make of the inside of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "embed", "base", "meta", "style", "audio", "video"):
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            bad = name.startswith("on") or name in ("style", "srcdoc")
            text = (value or "").strip().lower()
            bad |= name in ("href", "src", "action", "formaction") and not re.match(
                r"[/?#]|https?:|mailto:|\Z|[a-z]+/", text
            )
            bad |= name in ("src", "action", "formaction") and text.startswith(("http:", "https:", "//"))
            if bad:
                self.wrong.append(f"<{tag} {name}={value!r}>")


def _check_html(page: Page) -> None:
    if page.text.count("</main>") != 1 or page.text.count("<main") != 1:
        raise Broken(f"{page.path} breaks out of its frame")
    reader = _Reader()
    reader.feed(page.text.partition("<main")[2].partition("</main>")[0])
    if reader.wrong:
        raise Broken(f"{page.path} holds {reader.wrong[0]}")


# ---- rows


def guarded(tx: Tx) -> dict[str, Any]:
    """What nobody else may change: all that is vera's, and all that the people here have said."""
    local = [row.id for row in tx.rows(sa.select(actors.c.id).where(actors.c.local))]
    told = ("Accept", "Reject", "Announce", "Create", "Update", "Delete")
    return {
        "vera herself": _rows(tx, actors, actors.c.id == VERA.id, but=("fetched_at", "updated_at")),
        "what is vera's": _rows(tx, objects, objects.c.owner == VERA.id),
        "the key of anybody": _rows(tx, actor_keys, actor_keys.c.actor_id.in_(_CAST), but=("last_seen",)),
        "what vera follows": _rows(tx, follows, sa.or_(follows.c.follower == VERA.id, follows.c.followee == VERA.id)),
        "what vera likes": _rows(tx, reactions, reactions.c.actor == VERA.id),
        "what vera pins and blocks": _rows(tx, featured, featured.c.actor == VERA.id)
        + _rows(tx, blocks, blocks.c.actor == VERA.id)
        + _rows(tx, moves, moves.c.actor == VERA.id),
        "who lives here": _rows(tx, actors, actors.c.local, but=("updated_at", "fetched_at")),
        "their keys": _rows(tx, actor_keys, actor_keys.c.actor_id.in_(local), but=("last_seen",)),
        "what they said": _rows(tx, objects, objects.c.local),
        "what they did": _rows(
            tx, activities, sa.and_(activities.c.actor_id.in_(local), activities.c.type.in_(told[3:]))
        ),
        "what they pin": _rows(tx, featured, featured.c.actor.in_(local)),
        "whom they block": _rows(tx, blocks, blocks.c.actor.in_(local)),
    }


_CAST = [actor.id for actor in EVERYBODY]


def _rows(tx: Tx, table: sa.Table, which: sa.ColumnElement[bool], *, but: Iterable[str] = ()) -> list[tuple[Any, ...]]:
    columns = [column for column in table.c if column.name not in but]
    found: Iterator[Any] = iter(tx.rows(sa.select(*columns).where(which).order_by(*table.primary_key.columns)))
    return [tuple(row) for row in found]


def everything(tx: Tx) -> dict[str, list[Row[Any]]]:
    """The rows that are held against each other."""
    return {
        name: list(tx.rows(statement))
        for name, statement in {
            "messages": sa.select(
                inbox_messages.c.activity_id, inbox_messages.c.state, inbox_messages.c.attempts, inbox_messages.c.reason
            ),
            "objects": sa.select(objects).where(~objects.c.local),
            "ours": sa.select(objects).where(objects.c.local),
            "recipients": sa.select(object_recipients),
            "actors": sa.select(actors).where(~actors.c.local),
            "reactions": sa.select(reactions),
            "follows": sa.select(follows),
            "timeline": sa.select(timeline),
            "notifications": sa.select(notifications.c.reader),
            "conversations": sa.select(conversations),
            "written": sa.select(messages.c.conversation_id, sa.func.count().label("many")).group_by(
                messages.c.conversation_id
            ),
        }.items()
    }
