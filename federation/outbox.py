"""What local actors do: the activity, what it changes here, and the work of telling others, in one transaction.

Every function runs in its caller's write scope. It stores bytes once (signed when anybody may read them; a proof on
something private would let whoever leaks it prove it) and one row a server to tell. `federation.delivery` does the
rest, so a commit is a promise: what stands here will be sent, or given up with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.audience import Recipient, Target, inboxes, merge
from federation.authors import Author, check_key, save_local_actor, says_more
from federation.blocks import unwilling
from federation.clock import iso
from federation.errors import Forbidden, NotFound, Refused, Unacceptable
from federation.objects import delete_object, is_wider
from federation.policy import Policy
from federation.storage import Tx
from federation.tables import activities as activities_table
from federation.tables import actors, deliveries, follows, object_recipients, objects, told
from federation.types import OPEN
from keys.proofs import add_proof
from schemas import activities
from schemas.base import Audience, Visibility, audience_of, datetime_of, id_of
from schemas.strict_json import dumps
from schemas.terms import PUBLIC

Kind = Literal["post", "gig", "module", "card", "pack"]

TOPIC = "deliveries"
MAX_BODY = 50_000
MAX_EMBEDDED = MAX_BODY - 5_000  # leaves room for the activity around it, its context and its proof
CHUNK = 500
WHEREABOUTS = ("alsoKnownAs", "movedTo")
UNSENT = ("proof", "bto", "bcc")
"""A proof is made anew; whom bto and bcc name nobody else may learn (ActivityPub §6)."""


def publish(
    tx: Tx, author: Author, activity: dict[str, Any], audience: Audience, *, object_id: str, also: Sequence[str] = ()
) -> int:
    """Store an activity of `author` and queue it for everybody whom it addresses; returns the number of inboxes.

    activity: with its id, unsigned. object_id: what it is about; the order of activities about one thing is kept at
    each host. also: actors to tell besides the audience. Raises Unacceptable when its body exceeds 50 KB.
    """
    open_to_all = PUBLIC in audience.everybody
    shared = open_to_all or author.followers in audience.everybody
    targets = inboxes(recipients_of(tx, author, audience, also), shared=shared)
    return send(tx, author, activity, targets, object_id=object_id, public=open_to_all)


def create(
    tx: Tx,
    author: Author,
    document: dict[str, Any],
    *,
    kind: Kind,
    audience: Audience,
    published: datetime,
    long: bool = False,
) -> int:
    """Store a new object of `author` and tell its audience with a Create; returns the number of inboxes.

    document: with its id under the author, `attributedTo`, `to` and `cc`, unsigned. Raises Forbidden when it is not
    the author's, Refused when something stands, or stood, at its id, Unacceptable when the Create exceeds 50 KB.
    long: such a Create carries only the object's id then.
    """
    body = store(tx, author, document, kind=kind, audience=audience, published=published)
    activity = bringing(author, "Create", body, audience, published, long=long, made=tx.now)
    return publish(tx, author, activity, audience, object_id=document["id"])


def store(
    tx: Tx, author: Author, document: dict[str, Any], *, kind: Kind, audience: Audience, published: datetime
) -> bytes:
    """Store a new object of `author` for its audience to fetch, and tell nobody; returns its bytes.

    Raises as `create`.
    """
    check_own(author, document)
    seen_by = audience.visibility(author.followers)
    body = written(tx, author, document, public=seen_by in OPEN)
    values = {
        "id": document["id"],
        "kind": kind,
        "owner": author.actor_id,
        "local": True,
        "published": published,
        "updated": published,
        "received_at": tx.now,
    }
    if not tx.execute(tx.insert_new(objects, "id"), values | view(document, body, seen_by)).rowcount:
        raise Refused(f"{document['id']} was used before")
    set_recipients(tx, document["id"], audience, seen_by)
    tx.notify("documents", document["id"])
    return body


def update(tx: Tx, author: Author, document: dict[str, Any], *, audience: Audience, long: bool = False) -> int:
    """Replace a stored object and tell its audience, and everybody who ever got it; returns the number of inboxes.

    `published` stays; `updated` is set where it is missing or lies before it (peers ignore such an Update). Raises
    NotFound for what does not stand, Forbidden for somebody else's, Refused for an Update that would show what was
    private to more people (peers keep what they have then). long: as in `create`.
    """
    check_own(author, document)
    held = _held(tx, author, document["id"])
    seen_by = audience.visibility(author.followers)
    if held.visibility not in OPEN and is_wider(tx, held.id, seen_by, audience):
        raise Refused(f"an Update may not show {held.id}, which was private, to more people")
    updated = max(datetime_of(document.get("updated")) or tx.now, held.published, held.updated)
    changed = document | {"published": iso(held.published), "updated": iso(updated)}
    body = written(tx, author, changed, public=seen_by in OPEN)
    values = view(changed, body, seen_by) | {"updated": updated}
    tx.execute(sa.update(objects).where(objects.c.id == held.id).values(values))
    set_recipients(tx, held.id, audience, seen_by)
    tx.notify("documents", held.id)
    activity = bringing(author, "Update", body, audience, updated, long=long, made=tx.now)
    return _tell_again(tx, author, activity, audience, held.id)


def delete(tx: Tx, author: Author, object_id: str) -> int:
    """Leave a tombstone and tell everybody who ever got the object, and its audience; returns the number of inboxes.

    0 when it was deleted before. Raises NotFound, or Forbidden for somebody else's.
    """
    held = tx.row(sa.select(objects).where(objects.c.id == object_id, objects.c.local))
    if held is not None and held.owner == author.actor_id and held.deleted_at is not None:
        return 0
    held = _held(tx, author, object_id)
    audience = audience_of(msgspec.json.decode(held.body))
    delete_object(tx, object_id, author.actor_id)
    activity = activities.activity(
        "Delete",
        author.ids.activity(author.actor_id, tx.now),
        author.actor_id,
        activities.tombstone(object_id, held.type, iso(tx.now)),
        audience=audience,
        published=iso(tx.now),
    )
    return _tell_again(tx, author, activity, audience, object_id)


def update_actor(tx: Tx, author: Author, document: dict[str, Any]) -> int:
    """Store a changed profile and tell the followers; returns the number of inboxes, 0 when it says nothing new.

    Where else an actor is, and where it went (`federation.moves`), stays as it is unless the document says it.
    """
    held = tx.scalar(sa.select(actors.c.document).where(actors.c.id == author.actor_id, actors.c.local))
    if held is not None:
        known = msgspec.json.decode(held)
        document = {name: known[name] for name in WHEREABOUTS if name in known} | document
        if not says_more(document, held):
            return 0
    body = save_local_actor(tx, author, document | {"updated": iso(tx.now)})
    activity, audience = changed_actor(author, body, tx.now)
    return publish(tx, author, activity, audience, object_id=author.actor_id)


def changed_actor(author: Author, body: bytes, now: datetime) -> tuple[dict[str, Any], Audience]:
    """The Update that tells of an actor's changed document, and for whom it is."""
    audience = Audience((PUBLIC,), (author.followers,))
    activity_id = author.ids.activity(author.actor_id, now)
    document = msgspec.json.decode(body)
    activity = activities.embedding(
        "Update", activity_id, author.actor_id, document, audience=audience, published=iso(now)
    )
    return activity, audience


def bringing(
    author: Author,
    verb: str,
    body: bytes,
    audience: Audience,
    at: datetime,
    *,
    long: bool,
    made: datetime | None = None,
) -> dict[str, Any]:
    """A Create or Update with its object inside; with its id only, where it is too long and may be.

    at: what it says of its time. made: the time in its id, `at` by default.
    """
    activity_id, document = author.ids.activity(author.actor_id, made or at), msgspec.json.decode(body)
    if long and len(body) > MAX_EMBEDDED:
        object_id = document["id"]
        return activities.activity(verb, activity_id, author.actor_id, object_id, audience=audience, published=iso(at))
    return activities.embedding(verb, activity_id, author.actor_id, document, audience=audience, published=iso(at))


def check_own(author: Author, document: dict[str, Any]) -> None:
    """Forbidden unless a document has an id under the author and is theirs."""
    object_id = document.get("id")
    if not isinstance(object_id, str) or not object_id.startswith(f"{author.actor_id}/"):
        raise Forbidden(f"{object_id} is not an id under {author.actor_id}")
    if id_of(document.get("attributedTo")) != author.actor_id:
        raise Forbidden(f"{object_id} is not {author.actor_id}'s")


def _held(tx: Tx, author: Author, object_id: str) -> Row[Any]:
    row = tx.row(sa.select(objects).where(objects.c.id == object_id, objects.c.local))
    if row is None or row.deleted_at is not None:
        raise NotFound(f"{object_id} does not stand here")
    if row.owner != author.actor_id:
        raise Forbidden(f"{object_id} is {row.owner}'s, not {author.actor_id}'s")
    return row


def written(tx: Tx, author: Author, document: dict[str, Any], *, public: bool) -> bytes:
    """The bytes that will be stored, served and sent: signed when anybody may read them.

    Raises Busy when the author's key was declared void since they were read.
    """
    if public:
        check_key(tx, author)
    bare = {name: value for name, value in document.items() if name not in UNSENT}
    return dumps(add_proof(bare, author.ed25519, author.ed25519_key_id, tx.now) if public else bare)


def view(document: dict[str, Any], body: bytes, seen_by: Visibility) -> dict[str, Any]:
    """The columns of `objects` that follow from a document."""
    url = document.get("url")
    return {
        "visibility": seen_by,
        "verification": "signed" if seen_by in OPEN else "delivered",
        "type": str(document["type"]),
        "url": url if isinstance(url, str) else None,
        "in_reply_to": id_of(document.get("inReplyTo")),
        "body": body,
    }


def set_recipients(tx: Tx, object_id: str, audience: Audience, seen_by: str) -> None:
    """Who was once addressed may go on reading."""
    if seen_by not in OPEN and audience.everybody:
        rows = [{"object_id": object_id, "recipient": recipient} for recipient in audience.everybody]
        tx.execute(tx.insert(object_recipients).on_conflict_do_nothing(), rows)


def _tell_again(tx: Tx, author: Author, activity: dict[str, Any], audience: Audience, object_id: str) -> int:
    """Tell the audience of today and all who were told of the object before."""
    open_to_all = PUBLIC in audience.everybody
    shared = open_to_all or author.followers in audience.everybody
    today = inboxes(recipients_of(tx, author, audience, ()), shared=shared)
    targets = merge(today, told_before(tx, author, object_id))
    return send(tx, author, activity, targets, object_id=object_id, public=open_to_all)


def told_before(tx: Tx, author: Author, object_id: str) -> Iterator[Target]:
    """Every inbox to which an object of theirs, or what changed it, ever went."""
    columns = (deliveries.c.inbox, deliveries.c.host, deliveries.c.recipients)
    earlier = sa.select(*columns).where(deliveries.c.object_id == object_id, deliveries.c.sender == author.actor_id)
    long_ago = sa.select(told.c.inbox, told.c.host, told.c.recipients)
    long_ago = long_ago.where(told.c.object_id == object_id, told.c.sender == author.actor_id).order_by(told.c.inbox)
    for row in (*tx.rows(long_ago), *tx.rows(earlier.order_by(deliveries.c.id))):
        yield Target(row.inbox, row.host, tuple(msgspec.json.decode(row.recipients or "[]")))


def recipients_of(tx: Tx, author: Author, audience: Audience, also: Sequence[str]) -> list[Recipient]:
    """The actors elsewhere who are addressed, and the accepted followers where all of them are.

    Of what is for more people than those whom it names, none of these gets anything whom a block separates from the
    author; `also` is told all the same.
    """
    columns = (actors.c.id, actors.c.inbox, actors.c.shared_inbox)
    elsewhere = sa.select(*columns).where(~actors.c.local, actors.c.gone_at.is_(None))
    found: list[Row[Any]] = []
    named = [url for url in audience.everybody if url not in (PUBLIC, author.followers)]
    if named and len(named) < len(audience.everybody):
        apart = unwilling(tx, named, [author.actor_id])
        named = [url for url in named if url not in apart]
    for chunk in _chunks([*named, *also]):
        found.extend(tx.rows(elsewhere.where(actors.c.id.in_(chunk))))
    if author.followers in audience.everybody:
        follower = elsewhere.join(follows, follows.c.follower == actors.c.id)
        accepted = follower.where(follows.c.followee == author.actor_id, follows.c.state == "accepted")
        found.extend(tx.rows(accepted.order_by(follows.c.created_at, actors.c.id)))
    return list(dict.fromkeys(Recipient(row.id, row.inbox, row.shared_inbox) for row in found))


def _chunks(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))


def send(
    tx: Tx, author: Author, activity: dict[str, Any], targets: list[Target], *, object_id: str, public: bool
) -> int:
    """Store an activity and queue it for these inboxes; returns how many are left without ours and blocked ones.

    public: whether anybody may read it, so that it is signed and stands in the outbox.
    """
    body = written(tx, author, activity, public=public)
    if len(body) > MAX_BODY:
        raise Unacceptable(
            f"{activity['id']} has {len(body)} bytes; several servers take no more than {MAX_BODY}",
            safe="This is too long to send to other servers. Shorten it.",
        )
    tx.execute(
        sa.insert(activities_table).values(
            id=activity["id"],
            actor_id=author.actor_id,
            type=activity["type"],
            object_id=object_id,
            public=public,
            body=body,
            published=tx.now,
        )
    )
    return queue(tx, author, activity["id"], object_id, targets)


def queue(tx: Tx, author: Author, activity_id: str, object_id: str, targets: list[Target]) -> int:
    """Let a stored activity be sent, signed by `author`; returns the number of inboxes that may be told."""
    allowed = _allowed(tx, author, targets)
    if allowed:
        rows = [_delivery(tx, author, activity_id, object_id, target) for target in allowed]
        tx.execute(tx.insert(deliveries).on_conflict_do_nothing(index_elements=["activity_id", "inbox"]), rows)
        tx.notify(TOPIC)
    return len(allowed)


def to_followers(tx: Tx, author: Author) -> list[Target]:
    """The inboxes of everybody elsewhere who follows an author."""
    return inboxes(recipients_of(tx, author, Audience((author.followers,)), ()), shared=True)


def _allowed(tx: Tx, author: Author, targets: list[Target]) -> list[Target]:
    """Without ourselves and without blocked hosts."""
    if not targets:
        return []
    policy = Policy()
    policy.load(tx)
    return [target for target in targets if target.host != author.ids.host and not policy.blocked(target.host)]


def _delivery(tx: Tx, author: Author, activity_id: str, object_id: str, target: Target) -> dict[str, Any]:
    return {
        "activity_id": activity_id,
        "sender": author.actor_id,
        "inbox": target.inbox,
        "host": target.host,
        "recipients": None if target.listed is None else dumps(target.listed).decode(),
        "object_id": object_id,
        "state": "pending",
        "attempts": 0,
        "created_at": tx.now,
        "due_at": tx.now,
    }
