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
from federation.ids import Ids, new_id
from federation.known_actors import read_actor
from federation.storage import Tx
from federation.tables import actors
from node.credentials import holding
from node.credentials.queries import NEWEST, blocks_of, shows
from node.credentials.rules import MAX_BYTES, MAX_SEEN, Audience, Found
from node.credentials.tables import credentials
from node.errors import Invalid
from node.language import _
from schemas.actors import MAX_CREDENTIALS, with_credentials
from schemas.credentials import parse_credential
from schemas.strict_json import loads_object

FULL = _("This server keeps as many credentials of other servers as it can.")


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
    holding.let_see(tx, author.actor_id, name, audience)
    publish(tx, author)


def drop(tx: Tx, author: Author, name: str) -> None:
    """Decline what was offered, or put away what one held; others hear of it. NotFound."""
    holding.drop(tx, author.actor_id, name)
    publish(tx, author)


# ---- on profiles elsewhere


def is_listed(tx: Tx, actor_id: str, address: str) -> bool:
    """Whether somebody elsewhere still shows what stood at an address."""
    return address in _listed(tx, actor_id)


def forget(tx: Tx, name: str) -> None:
    """What somebody elsewhere shows no more."""
    tx.execute(sa.delete(credentials).where(credentials.c.id == name, credentials.c.side == "seen"))


def missing(tx: Tx, actor_id: str) -> list[str]:
    """What the document of somebody elsewhere lists and is not here."""
    return unseen(tx, actor_id, _listed(tx, actor_id))


def _listed(tx: Tx, actor_id: str) -> tuple[str, ...]:
    row = tx.row(sa.select(actors).where(actors.c.id == actor_id, ~actors.c.local, actors.c.gone_at.is_(None)))
    return () if row is None else read_actor(row).credentials


def keep_seen(tx: Tx, owner: str, address: str, body: bytes) -> str:
    """What somebody elsewhere shows at an address; returns its name here. SchemaError.

    Invalid for what is not about them, and when as much is kept as may be.
    """
    if tx.scalar(sa.select(sa.func.count()).where(credentials.c.side == "seen")) >= MAX_SEEN:
        raise Invalid({"file": FULL})
    found = parse_credential(loads_object(body, max_bytes=MAX_BYTES))
    if found.kind == "status list" or not holding.is_about(tx, found, owner):
        raise Invalid({"file": holding.NOT_YOURS})
    name = holding.keep(tx, new_id(tx.now), "seen", owner, found, body, note=address)
    values = {"audience": "profile", "note": address}
    tx.execute(sa.update(credentials).where(credentials.c.id == name).values(values))
    return name


def unseen(tx: Tx, actor_id: str, listed: Sequence[str]) -> list[str]:
    """Of the addresses that somebody elsewhere lists, those of which nothing is here."""
    if not listed:
        return []
    here = sa.select(credentials.c.note).where(credentials.c.owner == actor_id, credentials.c.side == "seen")
    known = {row.note for row in tx.rows(here)}
    return [address for address in listed if address not in known]
