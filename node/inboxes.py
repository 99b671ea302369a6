"""THE table: which activity about which kind of object goes to which slice. Here federation meets the product.

What every node shares (follows, actors, deletes) stands in `federation.handlers`; these are tried first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from federation import relays
from federation.authors import Authors
from federation.effects import Effects
from federation.errors import Refused
from federation.handlers import Table
from federation.known_keys import KeyNews
from federation.objects import is_stored
from federation.storage import Tx
from federation.tables import objects
from federation.types import OPEN, Received
from node.context import Node
from node.credentials import commands as credentials
from node.learning import inbox as learning
from node.market import inbox as market
from node.media import attachments as pictures
from node.media import cache as remote_pictures
from node.messages import commands as messages
from node.moderation import inbox as moderation
from node.notifications import commands as notifications
from node.profiles import inbox as profiles
from node.relations import inbox as relations
from node.search import commands as search
from node.search.rules import KINDS
from node.social import inbox as social
from node.social import timelines
from node.social.telling import tell_of_new_key, tell_of_post
from schemas.base import audience_of
from schemas.learning import is_announcement, is_module
from schemas.market import is_gig
from schemas.terms import NOTE_TYPES


def on_object(tx: Tx, received: Received, authors: Authors) -> None:
    """Something to keep: a gig, a module, or a post like any other."""
    assert received.object is not None
    thing = received.object
    handle = market.on_gig if is_gig(thing) else learning.on_module if is_module(thing) else social.on_post
    stored = handle(tx, received, authors)
    if stored == "same":
        if received.is_news and received.envelope.type == "Create":
            _tell_at_last(tx, thing["id"], received.envelope.actor, authors)
        return
    if stored == "new" and received.is_news:
        credentials.arrived(tx, received.envelope.actor, thing, _local_readers(authors, thing))
    if stored == "changed":
        timelines.withdraw(tx, received.envelope.actor, thing["id"])
        _forget_former(tx, thing["id"])
    news = received.is_news and received.envelope.type != "Update"
    search.changed(tx, thing["id"], first=stored == "new", news=news, document=thing)


def _tell_at_last(tx: Tx, object_id: str, owner: str, authors: Authors) -> None:
    """Its author sends what may be known here only because somebody looked for it: now it is news.

    Whoever was told before is not told again, and what stands here counts, whatever a second Create says.
    """
    known = (objects.c.id == object_id, objects.c.owner == owner, objects.c.visibility != "direct")
    row = tx.row(sa.select(objects).where(*known, objects.c.deleted_at.is_(None), objects.c.kind.in_(KINDS)))
    if row is None:
        return
    document = msgspec.json.decode(row.body)
    if is_announcement(document):
        return
    here = timelines.into_timelines(tx, authors.ids, object_id, owner, row.published, document=document)
    if row.kind == "post":
        tell_of_post(tx, authors.ids, object_id, owner, named=here, answers=row.in_reply_to)
    search.is_news(tx, object_id, document)


def _local_readers(authors: Authors, thing: dict[str, Any]) -> list[str]:
    """The people here to whom something is addressed by name."""
    return [one for one in audience_of(thing).everybody if authors.ids.username(one) is not None]


def _forget_former(tx: Tx, object_id: str) -> None:
    """What was a gig or a module, and is none any more, stands in no list of them."""
    kind = tx.scalar(sa.select(objects.c.kind).where(objects.c.id == object_id))
    if kind != "gig":
        market.forget(tx, [object_id])
    if kind != "module":
        learning.forget(tx, [object_id])


def on_told(tx: Tx, received: Received, authors: Authors) -> None:
    """Create and Update: what its author sends, or what a relay passes on."""
    relay = relays.relay_of(tx, received)
    if relay is None:
        on_object(tx, received, authors)
    else:
        _from_relay(tx, received, authors, relay)


def _from_relay(tx: Tx, received: Received, authors: Authors, relay: str) -> None:
    """Something public is kept for a time, to be found; it is nobody's news for the relay's sake."""
    thing = received.object
    if thing is None or thing.get("type") not in _TYPES or audience_of(thing).visibility(None) not in OPEN:
        return
    is_new = not is_stored(tx, thing["id"])
    if is_new and relays.is_full(tx):
        raise Refused("as much as is kept came through relays already")
    on_object(tx, received, authors)
    if is_new:
        relays.note_relayed(tx, thing["id"], relay)


def on_announce(tx: Tx, received: Received, authors: Authors) -> None:
    """What somebody passes on is kept like what its author sent, then shown to whoever follows them."""
    relay = relays.relay_of(tx, received)
    if relay is not None:
        _from_relay(tx, received, authors, relay)
        return
    if received.object is not None and received.object.get("type") in (*NOTE_TYPES, "Proposal"):
        on_object(tx, received, authors)
    social.on_boost(tx, received, authors)


_TYPES = (*sorted(NOTE_TYPES), "Proposal")

HANDLERS: Table = {
    **{(verb, "Profile"): profiles.on_card for verb in ("Create", "Update")},
    **{(verb, kind): on_told for verb in ("Create", "Update") for kind in _TYPES},
    ("Announce", "*"): on_announce,
    ("Undo", "Announce"): social.on_unboost,
    ("Undo", "Like"): social.on_unlike,
    ("Undo", "*"): relations.on_undo,
    ("Like", "*"): social.on_like,
    ("Accept", "*"): relations.on_accept,
    ("Reject", "*"): relations.on_reject,
    ("Follow", "*"): relations.on_follow,
    ("Block", "*"): relations.on_block,
    ("Move", "*"): relations.on_move,
    ("Flag", "*"): moderation.on_flag,
}


def keys_changed(tx: Tx, news: KeyNews) -> None:
    """Somebody elsewhere has keys that no older one confirms, or says that a key was in other hands.

    Whoever follows them is told; and what was signed with such a key is shown as signed by nobody.
    """
    market.doubt(tx, news.doubtful)
    learning.doubt(tx, news.doubtful)
    if news.unconfirmed:
        tell_of_new_key(tx, news.actor_id, news.unconfirmed[-1])


def deleted(tx: Tx, object_ids: Sequence[str]) -> None:
    """These are tombstones now: no slice keeps a view of them."""
    market.forget(tx, object_ids)
    learning.forget(tx, object_ids)
    social.forget(tx, object_ids)
    messages.forget(tx, object_ids)
    credentials.note_gone(tx, object_ids)
    search.forget(tx, object_ids)
    notifications.forget(tx, object_ids)
    pictures.forget(tx, object_ids)
    remote_pictures.forget(tx, object_ids)


def effects(node: Node) -> Effects:
    """What messages do on this node."""
    return Effects(node.ids, node.authors, HANDLERS, node.policy, deleted=deleted)
