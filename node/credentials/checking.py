"""What this node can say about something that was signed: its own memory and the network, put to `federation`.

Three callers: the page on which anybody checks a file or an address, the loop that looks after what people here hold,
and the command line. What was met before is what answers when an issuer is gone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from federation.credential_verdicts import CredentialVerdicts, examine, unpacked
from federation.desk import Desk
from federation.documents import read_document
from federation.errors import FederationError, Gone, NotFound
from federation.ids import Ids
from federation.known_keys import recall
from federation.storage import Tx
from federation.verdicts import NO_MEMORY, NO_PINS, Memory, Pins, Verdicts, author_of
from keys.errors import KeysError
from keys.proofs import read_proof
from node.context import Node
from node.credentials import lists, queries
from schemas.base import id_of
from schemas.credentials import is_credential, is_presentation, parse_credential
from schemas.errors import SchemaError
from schemas.strict_json import dumps, loads_object
from schemas.urls import url_of


class Known(NamedTuple):
    """What is remembered of a document and of those whom it names."""

    pins: Pins = NO_PINS
    memory: Memory = NO_MEMORY
    lists: tuple[dict[str, Any], ...] = ()
    people: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 - never written to


async def judge(node: Node, document: dict[str, Any], body: bytes, *, shown_by: str | None = None) -> Verdicts:
    """The verdicts about what came as `body`. shown_by: whoever holds it here and shows it as their own.

    Of a presentation that names its holder, that is who shows it; they are asked who they are.
    """
    holder = None if shown_by else await _holder(node, document)
    known = await node.db.read(remembered, document, body)
    desk = Desk(
        now=node.clock.now(),
        fetch=lambda url: fetched(node, url),
        quads=node.canonicaliser.quads,
        pins=known.pins,
        memory=known.memory,
        lists=known.lists,
        people=known.people,
        shown_by=shown_by or holder,
    )
    return await examine(document, desk)


async def _holder(node: Node, document: dict[str, Any]) -> str | None:
    """Who presents it, by the presentation's own word; None where that is nobody who can be asked."""
    holder = url_of(id_of(document.get("holder"))) if is_presentation(document) else None
    if holder is None:
        return None
    try:
        return (await node.resolver.actor(holder)).id
    except FederationError:
        return None


def remembered(tx: Tx, document: dict[str, Any], body: bytes) -> Known:
    """What this node has noted that bears on a document."""
    carried, (document, _lists) = is_presentation(document), unpacked(document)
    if carried:
        body = dumps(document)
    if not is_credential(document):
        return Known(memory=_memory(tx, document, author_of(document)))
    try:
        found = parse_credential(document)
    except SchemaError:
        return Known()
    memory = _memory(tx, document, found.issuer_id)
    seen = queries.since(tx, found.id or "", body)
    kept = queries.kept_list(tx, found.status.list_url) if found.status else None
    return Known(
        pins=queries.pins_of(tx, [found.issuer_id]),
        memory=Memory(seen=seen, unconfirmed=memory.unconfirmed),
        lists=() if kept is None else (kept,),
        people=queries.claimed(tx, (found.subject_id, found.issuer_id)),
    )


def _memory(tx: Tx, document: dict[str, Any], author: str | None) -> Memory:
    if author is None:
        return NO_MEMORY
    try:
        claim = read_proof(document)
    except KeysError:
        return NO_MEMORY
    return NO_MEMORY if claim is None else recall(tx, author, document, claim)


async def fetched(node: Node, url: str) -> dict[str, Any]:
    """What stands at an address, ours included; raises FederationError."""
    if not node.ids.is_local(url):
        return await node.resolver.statement(url)
    return await node.db.read(_ours, url)


def _ours(tx: Tx, url: str) -> dict[str, Any]:
    body = lists.served(tx, url) or queries.issued_body(tx, url)
    if body is not None:
        return loads_object(body)
    found = read_document(tx, url)
    if found is None or not found.public:
        raise NotFound(f"{url} does not stand here")
    if found.gone:
        raise Gone(f"{url} is gone")
    return loads_object(found.body)


async def bytes_at(node: Node, url: str) -> bytes:
    """What anybody may have from an address, as bytes: of a page of ours the document that it is the page of."""
    if not node.ids.is_local(url):
        return await node.resolver.found_at(url)
    return await node.db.read(_own_bytes, node.ids, url)


def _own_bytes(tx: Tx, ids: Ids, url: str) -> bytes:
    there = url.partition("?")[0].partition("#")[0].replace(f"{ids.origin}/@", f"{ids.origin}/users/", 1)
    head, _, name = there.rpartition("/credentials/")
    body = queries.open_body(tx, ids.username(head) or "", name) if head else None
    return dumps(_ours(tx, there)) if body is None else body


def list_of(verdicts: Verdicts) -> str | None:
    """Where a credential that was checked would be taken back."""
    if not isinstance(verdicts, CredentialVerdicts) or verdicts.credential is None:
        return None
    status = verdicts.credential.status
    return None if status is None else status.list_url
