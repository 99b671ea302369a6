"""A pack from an address or a file: read, bounded, and checked who made it, before anything is kept.

Two verdicts of `federation.verdicts` count: whether the signature holds, and whose key it is. Who could not be asked
today is no reason to refuse; a signature that does not hold is. A pack without one counts only at its author's server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from federation.authority import same_origin
from federation.errors import FederationError
from federation.verdicts import NO_PINS, check
from node.context import Node
from node.errors import Invalid
from node.errors import NotFound as NothingHere
from node.language import _
from node.packs.rules import PackDraft
from node.profiles import queries as people
from node.social.finding import find
from node.social.mentions import known
from schemas.errors import Malformed, SchemaError
from schemas.packs import MAX_BYTES, Member, Pack, parse_pack
from schemas.strict_json import dumps, loads_object

AT_ONCE = 8
SECONDS = 30.0
NO_ADDRESS = _("Give the address of a pack, beginning with https://, or choose its file.")
NOT_THERE = _("No pack is to be had at this address. Look whether it is right, or try again later.")
NO_PACK = _("This is not a pack that can be read here: it has to be a list of 1 to 150 people in ActivityPub's form.")
NOT_SIGNED = _("This file carries no signature, so nobody can say who made it. Give the pack's address instead.")
DOES_NOT_HOLD = _("The signature of this pack does not hold: it was changed, or somebody else made it.")


class Brought(NamedTuple):
    """A pack with the word on who made it. signature: holds, unknown, or none (delivered by its author's server)."""

    document: dict[str, Any]
    pack: Pack
    signature: str
    sentence: str


async def from_address(node: Node, address: str) -> Brought:
    """The pack at an address, ours included; Invalid with a sentence for the field `url`."""
    if not address.startswith(("https://", "http://")):
        raise Invalid({"url": NO_ADDRESS})
    try:
        if node.ids.is_local(address):
            document = await node.resolver.fetch(_id_of_page(node, address))
        else:
            document = (await node.resolver.object(address)).document
    except (FederationError, SchemaError, ValueError) as error:
        raise Invalid({"url": NOT_THERE}) from error
    return await _checked(node, document, "url", served=True)


def _id_of_page(node: Node, address: str) -> str:
    """`/@alice/packs/x` -> `/users/alice/packs/x`."""
    return address.replace(f"{node.ids.origin}/@", f"{node.ids.origin}/users/", 1)


async def from_file(node: Node, body: bytes) -> Brought:
    """The pack in a file; Invalid with a sentence for the field `file`."""
    try:
        document = loads_object(body, max_bytes=MAX_BYTES)
    except SchemaError as error:
        raise Invalid({"file": NO_PACK}) from error
    return await _checked(node, document, "file", served=False)


async def _checked(node: Node, document: dict[str, Any], field: str, *, served: bool) -> Brought:
    try:
        pack = parse_pack(document)
        if len(dumps(document)) > MAX_BYTES:
            raise Malformed("", "too large")
    except SchemaError as error:
        raise Invalid({field: NO_PACK}) from error
    if "proof" not in document:
        if not served or not same_origin(pack.id, pack.owner):
            raise Invalid({field: NOT_SIGNED})
        return Brought(document, pack, "none", "")
    verdicts = await check(document, node.resolver.fetch, NO_PINS, node.clock.now())
    outcomes = {verdicts.signature.outcome, verdicts.key.outcome}
    if "fails" in outcomes or not same_origin(verdicts.key_id or "", pack.owner):
        raise Invalid({field: DOES_NOT_HOLD})
    unsure = verdicts.key if verdicts.key.outcome == "unknown" else verdicts.signature
    return Brought(document, pack, "unknown" if "unknown" in outcomes else "holds", unsure.sentence)


# ---- whom a form names


async def members(node: Node, draft: PackDraft) -> list[Member]:
    """Who is meant by each handle of a form; Invalid, field `members`, names those behind whom nobody is.

    Somebody who does not want to be found is put into no list.
    """
    handles = [handle.lower() for handle in draft.handles]
    held = await node.db.read(known, handles, node.ids.handle_domain)
    missing = [handle for handle in draft.handles if handle.lower() not in held]
    ids = {handle.lower(): actor.id for handle, actor in held.items()}
    ids |= await _looked_up(node, missing)
    lost = [handle for handle in draft.handles if handle.lower() not in ids]
    if lost:
        raise Invalid({"members": _("Nobody is to be found here: {names}", names=_names(lost))})
    persons = await node.db.read(people.people, ids.values())
    shy = [handle for handle in draft.handles if not _wants(persons.get(ids[handle.lower()]))]
    if shy:
        raise Invalid({"members": _("Wants to stand in no list: {names}", names=_names(shy))})
    chosen = dict.fromkeys(ids[handle.lower()] for handle in draft.handles)
    return [Member(one, persons[one].handle) for one in chosen]


def _wants(person: people.Person | None) -> bool:
    return person is not None and (person.discoverable or person.local)


def _names(handles: Sequence[str]) -> str:
    return ", ".join(one if "://" in one else f"@{one}" for one in handles[:10])


async def _looked_up(node: Node, handles: Sequence[str]) -> dict[str, str]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(handle: str) -> str | None:
        async with gate:
            try:
                return (await find(node, handle, "members")).id
            except (Invalid, NothingHere):
                return None

    asking = {asyncio.create_task(ask(handle)): handle.lower() for handle in handles}
    if not asking:
        return {}
    done, late = await asyncio.wait(asking, timeout=SECONDS)
    for task in late:
        task.cancel()
    return {asking[task]: found for task in done if (found := task.result()) is not None}
