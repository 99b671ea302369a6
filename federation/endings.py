"""A local actor ends: everybody who ever got something is told, and nothing of it stays but its name (SECURITY 136).

The Delete is queued for every host that ever got anything from the actor: its followers', whatever stands in the
history of deliveries or was noted of it before it was tidied away, and every host that this node delivers to. A shared
inbox is enough for a host. Its rows in `deliveries` are the record of what each answered.
"""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from federation import outbox
from federation.audience import Target, inboxes
from federation.authors import Author
from federation.clock import iso
from federation.known_actors import TOPIC
from federation.known_identities import forget_identities_of
from federation.objects import ObjectsDeleted, delete_objects_of
from federation.storage import Tx
from federation.tables import (
    activities,
    actor_keys,
    actors,
    blocks,
    deliveries,
    featured,
    follows,
    mutes,
    object_recipients,
    objects,
    peers,
    reached,
    reactions,
    told,
)
from schemas import activities as verbs
from schemas.base import Audience
from schemas.strict_json import dumps
from schemas.terms import PUBLIC

KEPT = ("@context", "id", "type", "preferredUsername", "inbox", "outbox", "followers", "following", "publicKey")
"""Of the actor's document: what the signature of its last words is checked with, and nothing about a person."""


def end_local_actor(tx: Tx, author: Author, deleted: ObjectsDeleted) -> int:
    """Delete an actor of ours for ever; returns how many inboxes will be told. deleted: the product's hook.

    What waits to be sent is not sent any more, since the Delete says more; the handle stays taken (SECURITY 59).
    """
    targets = everybody_who_got_something(tx, author)
    tx.execute(sa.delete(deliveries).where(deliveries.c.sender == author.actor_id, deliveries.c.state == "pending"))
    tx.execute(sa.delete(activities).where(activities.c.actor_id == author.actor_id))
    tx.execute(sa.delete(told).where(told.c.sender == author.actor_id))
    _forget(tx, author.actor_id)
    delete_objects_of(tx, author.actor_id, deleted)
    audience = Audience((PUBLIC,))
    activity = verbs.activity(
        "Delete",
        author.ids.activity(author.actor_id, tx.now),
        author.actor_id,
        author.actor_id,
        audience=audience,
        published=iso(tx.now),
    )
    count = outbox.send(tx, author, activity, targets, object_id=author.actor_id, public=True)
    _bury(tx, author)
    return count


def everybody_who_got_something(tx: Tx, author: Author) -> list[Target]:
    """One inbox for each host with a shared one, else every personal inbox there that anything went to."""
    followers = outbox.recipients_of(tx, author, Audience((author.followers,)), ())
    found = inboxes(followers, shared=True)
    for table in (deliveries, reached, told):
        sent = sa.select(table.c.inbox, table.c.host).where(table.c.sender == author.actor_id).distinct()
        found += [Target(row.inbox, row.host, ()) for row in tx.rows(sent)]
    shared = _shared_inboxes(tx)
    hosts = {target.host for target in found} | {row.host for row in tx.rows(sa.select(peers.c.host))}
    whole = [Target(shared[host], host, ()) for host in sorted(hosts) if host in shared]
    single = {target.inbox: target for target in found if target.host not in shared}
    return whole + [single[inbox] for inbox in sorted(single)]


def _shared_inboxes(tx: Tx) -> dict[str, str]:
    """By host, for actors whose shared inbox is on their own host."""
    known = sa.select(actors.c.host, actors.c.shared_inbox).where(~actors.c.local, actors.c.shared_inbox.is_not(None))
    return {
        row.host: row.shared_inbox
        for row in tx.rows(known.distinct().order_by(actors.c.host, actors.c.shared_inbox))
        if row.shared_inbox.split("/", 3)[2].lower() == row.host
    }


def _forget(tx: Tx, actor_id: str) -> None:
    """Relations and reactions; and what others wrote to this actor alone, which nobody here may read any more."""
    tx.execute(sa.delete(follows).where(sa.or_(follows.c.follower == actor_id, follows.c.followee == actor_id)))
    tx.execute(sa.delete(blocks).where(sa.or_(blocks.c.actor == actor_id, blocks.c.target == actor_id)))
    tx.execute(sa.delete(mutes).where(sa.or_(mutes.c.actor == actor_id, mutes.c.target == actor_id)))
    tx.execute(sa.delete(reactions).where(reactions.c.actor == actor_id))
    tx.execute(sa.delete(featured).where(featured.c.actor == actor_id))
    forget_identities_of(tx, [actor_id])
    tx.execute(sa.delete(object_recipients).where(object_recipients.c.recipient == actor_id))
    here = sa.select(actors.c.id).where(actors.c.local)
    wanted = sa.exists().where(object_recipients.c.object_id == objects.c.id, object_recipients.c.recipient.in_(here))
    unread = sa.and_(~objects.c.local, objects.c.visibility == "direct", objects.c.body.is_not(None), ~wanted)
    tx.execute(sa.update(objects).where(unread).values(body=None, type="Tombstone", deleted_at=tx.now))


def _bury(tx: Tx, author: Author) -> None:
    held = msgspec.json.decode(tx.scalar(sa.select(actors.c.document).where(actors.c.id == author.actor_id)))
    bare: dict[str, Any] = {name: held[name] for name in KEPT if name in held}
    tx.execute(
        sa.update(actors)
        .where(actors.c.id == author.actor_id)
        .values(gone_at=tx.now, name="", icon=None, url=None, document=dumps(bare), updated_at=tx.now)
    )
    tx.notify("documents", author.actor_id)
    tx.notify(TOPIC, author.actor_id)


def note_reached(tx: Tx) -> None:
    """Remember where deliveries went since this was done last; before anybody tidies them away."""
    noted = tx.scalar(sa.select(sa.func.coalesce(sa.func.max(reached.c.delivery_id), 0)))
    inbox = (deliveries.c.sender, deliveries.c.inbox, deliveries.c.host)
    last = sa.func.max(deliveries.c.id).label("delivery_id")
    fresh = sa.select(*inbox, last).where(deliveries.c.id > noted).group_by(*inbox)
    rows = [dict(row._mapping) for row in tx.rows(fresh)]
    if rows:
        insert = tx.insert(reached)
        latest = {"delivery_id": insert.excluded.delivery_id}
        tx.execute(insert.on_conflict_do_update(index_elements=["sender", "inbox"], set_=latest), rows)


def forget_keys(tx: Tx) -> int:
    """The private keys of actors who have ended, once nothing of theirs waits to be sent; returns how many."""
    ended = sa.select(actors.c.id).where(actors.c.local, actors.c.gone_at.is_not(None))
    waits = sa.exists().where(deliveries.c.sender == actor_keys.c.actor_id, deliveries.c.state == "pending")
    unused = sa.and_(actor_keys.c.sealed.is_not(None), actor_keys.c.actor_id.in_(ended), ~waits)
    return tx.execute(sa.update(actor_keys).where(unused).values(sealed=None)).rowcount
