"""What stands on a profile travels with it: the actor's document lists the addresses of its credentials.

Each is fetched, checked and kept by whoever shows the profile elsewhere (`working.look_at_shown`). What was hidden, put
away or taken back is listed no more, and so is shown nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from federation import outbox
from federation.authors import Author
from federation.former import forget_former
from federation.ids import Ids
from federation.known_actors import read_actor
from federation.storage import Tx
from federation.tables import actors
from node.credentials import commands
from node.credentials.queries import NEWEST, blocks_of, shows
from node.credentials.rules import Audience, Found
from node.credentials.tables import credentials
from schemas.actors import MAX_CREDENTIALS, with_credentials


def addresses(tx: Tx, ids: Ids, actor_id: str) -> list[str]:
    """Where what somebody here shows on their profile is to be had, the newest first; not what does not hold."""
    page = ids.page(ids.username(actor_id) or "")
    shown = sa.select(credentials.c.id, credentials.c.found).where(shows(actor_id, None))
    parted = sa.and_(credentials.c.skill.is_not(None), credentials.c.issuer.in_(blocks_of(actor_id)))
    rows = tx.rows(shown.where(~parted).order_by(*NEWEST).limit(MAX_CREDENTIALS))
    return [f"{page}/credentials/{row.id}" for row in rows if not _fails(row.found)]


def _fails(found: bytes | None) -> bool:
    return found is not None and msgspec.json.decode(found, type=Found).overall == "fails"


def publish(tx: Tx, author: Author) -> int:
    """Let the actor's document list what is shown; returns how many inboxes hear of it, 0 when nothing is new."""
    document = msgspec.json.decode(tx.scalar(sa.select(actors.c.document).where(actors.c.id == author.actor_id)))
    listed = addresses(tx, author.ids, author.actor_id)
    if document.get("credentials", []) == listed:
        return 0
    told = outbox.update_actor(tx, author, with_credentials(document, listed))
    forget_former(tx, author, author.actor_id)
    return told


def let_see(tx: Tx, author: Author, name: str, audience: Audience) -> None:
    """Show a credential on one's profile, share its address, or keep it to oneself; others hear of it. NotFound."""
    commands.let_see(tx, author.actor_id, name, audience)
    publish(tx, author)


def drop(tx: Tx, author: Author, name: str) -> None:
    """Decline what was offered, or put away what one held; others hear of it. NotFound."""
    commands.drop(tx, author.actor_id, name)
    publish(tx, author)


# ---- on profiles elsewhere


def missing(tx: Tx, actor_id: str) -> list[str]:
    """What the document of somebody elsewhere lists and is not here."""
    row = tx.row(sa.select(actors).where(actors.c.id == actor_id, ~actors.c.local))
    return [] if row is None else unseen(tx, actor_id, read_actor(row).credentials)


def unseen(tx: Tx, actor_id: str, listed: Sequence[str]) -> list[str]:
    """Of the addresses that somebody elsewhere lists, those of which nothing is here."""
    if not listed:
        return []
    here = sa.select(credentials.c.note).where(credentials.c.owner == actor_id, credentials.c.side == "seen")
    known = {row.note for row in tx.rows(here)}
    return [address for address in listed if address not in known]
