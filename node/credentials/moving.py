"""What somebody brings along from where they lived before: what they hold, what they have issued, and their lists.

The bytes of a credential stay as they are, so their former issuer's address stays in them too. What can go on is the
word on whether it still holds: a list that they write here names the one that it carries on (`formerly`), under an
address of its own, signed with the keys that they have here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from federation.authors import Author
from federation.ids import new_id
from federation.storage import Tx
from node.credentials import holding, lists, queries, signing
from node.credentials.holding import NO_CREDENTIAL, TOO_LONG
from node.credentials.rules import AUDIENCES, ENTRIES, MAX_BYTES, MAX_CARRIED, MAX_HELD
from node.credentials.tables import credentials, status_lists
from node.credentials.wire import list_url
from node.errors import Invalid
from node.language import _
from schemas.credentials import Credential, parse_credential
from schemas.status_lists import decode
from schemas.strict_json import loads_object

NOT_A_LIST = _("This is not a list of theirs that can be carried on.")


class Given(NamedTuple):
    """What is known of a credential beside its bytes. person: to whom it was sent; note: the post that brought it."""

    given_at: datetime
    revoked_at: datetime | None = None
    reason: str = ""
    person: str | None = None
    note: str | None = None


def hold_again(tx: Tx, reader: str, body: bytes, state: str, audience: str) -> bool:
    """One that somebody held there, or was offered; False when it is here already.

    About whom it is, every check says anew. SchemaError, Invalid.
    """
    if audience not in AUDIENCES or state not in ("held", "offered") or _on_the_shelf(tx, reader) >= MAX_HELD:
        raise Invalid({"file": TOO_LONG})
    name, found = new_id(tx.now), _read(body)
    if holding.keep(tx, name, "held" if state == "held" else "offered", reader, found, body) != name:
        return False
    shown = audience if state == "held" else "nobody"
    tx.execute(sa.update(credentials).where(credentials.c.id == name).values(audience=shown))
    return True


def _on_the_shelf(tx: Tx, reader: str) -> int:
    theirs = (credentials.c.owner == reader, credentials.c.side == "held")
    return int(tx.scalar(sa.select(sa.func.count()).where(*theirs)))


def staple_again(tx: Tx, reader: str, issuer: str, uri: str, body: bytes) -> bool:
    """A status list that was kept beside one that they hold; False when there is no such credential, or it is here.

    It is believed when its signature holds, and no other credential rests on it. SchemaError.
    """
    this = (credentials.c.owner == reader, credentials.c.side == "held", credentials.c.uri == uri)
    row = tx.row(sa.select(credentials).where(*this, credentials.c.issuer == issuer))
    document = loads_object(body)
    if row is None or any(one["id"] == document["id"] for one in queries.stapled(row)):
        return False
    return holding.staple(tx, row.id, document)


def carry_on(tx: Tx, author: Author, former: str, body: bytes) -> bool:
    """Go on with a status list of who somebody was, signed by who they are now; False when nothing in it is new.

    What is marked there stays marked. SchemaError; Invalid for what is no list of theirs, or too many.
    """
    found = _read(body)
    if found.kind != "status list" or found.issuer_id != former or not (found.id or "").startswith(f"{former}/status/"):
        raise Invalid({"file": NOT_A_LIST})
    url, bits = found.list_formerly or found.id or "", decode(found.list_bits)
    if len(bits) != ENTRIES // 8 or found.list_purpose != "revocation":
        raise Invalid({"file": NOT_A_LIST})
    row = lists.list_at(tx, author.actor_id, url)
    if row is None:
        _begin(tx, author, url, bits)
        return True
    both = bytes(one | other for one, other in zip(bits, row.bits, strict=True))
    if both == row.bits:
        return False
    lists.sign(tx, author, row, both)
    return True


def _begin(tx: Tx, author: Author, url: str, bits: bytes) -> None:
    """A full list, so that nothing new is entered in it: which entries were given away, only the old server knew."""
    theirs = status_lists.c.issuer == author.actor_id
    if int(tx.scalar(sa.select(sa.func.count()).where(theirs, status_lists.c.formerly.is_not(None)))) >= MAX_CARRIED:
        raise Invalid({"file": NOT_A_LIST})
    last = tx.scalar(sa.select(sa.func.max(status_lists.c.number)).where(theirs))
    head, _sep, own = url.rpartition("/")
    is_own = head == f"{author.actor_id}/status" and own.isdecimal()  # they live at the same address again
    number = int(own) if is_own else int(last or 0) + 1
    formerly = None if is_own else url
    signed = signing.signed_list(tx, author, list_url(author.actor_id, number), bits, formerly)
    values = {"issuer": author.actor_id, "number": number, "used": ENTRIES, "seed": b"", "bits": bits}
    tx.execute(sa.insert(status_lists).values(values | {"body": signed, "signed_at": tx.now, "formerly": formerly}))


def keep_issued(tx: Tx, author: Author, former: str, body: bytes, given: Given) -> bool:
    """One that somebody issued there; False when it is here already.

    It stays under its own address, which is not here; its entry is in a list that is carried on here, or else it is not
    taken in. SchemaError, Invalid.
    """
    found = _read(body)
    status = found.status
    row = None if status is None else lists.list_at(tx, author.actor_id, status.list_url)
    if status is None or row is None or status.index >= ENTRIES or found.kind == "status list":
        raise Invalid({"file": NO_CREDENTIAL})
    if found.issuer_id not in (former, author.actor_id) and row.formerly is None:
        raise Invalid({"file": NO_CREDENTIAL})
    name = new_id(tx.now)
    if holding.keep(tx, name, "issued", author.actor_id, found, body, person=given.person, note=given.note) != name:
        return False
    values: dict[str, Any] = {"came_at": min(given.given_at, tx.now)}
    if given.revoked_at is not None:
        lists.mark(tx, author, status.list_url, status.index)
        values |= {"state": "revoked", "revoked_at": min(given.revoked_at, tx.now), "reason": given.reason[:500]}
    tx.execute(sa.update(credentials).where(credentials.c.id == name).values(values))
    return True


def _read(body: bytes) -> Credential:
    if len(body) > MAX_BYTES:
        raise Invalid({"file": TOO_LONG})
    return parse_credential(loads_object(body))
