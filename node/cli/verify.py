"""`freehold verify`: three verdicts about a file or an address. Needs no node; asks one here what it knows."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import DBAPIError

from federation.client import Client
from federation.clock import Clock
from federation.errors import FederationError, Unsafe
from federation.fetches import is_at
from federation.known_keys import recall
from federation.storage import Database
from federation.verdicts import NO_MEMORY, NO_PINS, Memory, Outcome, Pins, Verdicts, author_of, check
from keys.errors import KeysError
from keys.proofs import read_proof
from node.cli.common import COULD_NOT, REFUSED, Options, common_options, fail, printable, run, show
from node.outgoing import client_settings
from schemas.errors import SchemaError
from schemas.strict_json import MAX_BYTES, loads_object

EXIT: dict[Outcome, int] = {"holds": 0, "fails": REFUSED, "unknown": COULD_NOT}
MAX_SENTENCE = 500
MARKS: dict[Outcome, str] = {"holds": "yes", "fails": "NO", "unknown": "could not check"}


@click.command(help="Check a signed document: does the signature hold, whose key is it, is it still in force?")
@click.argument("what", metavar="FILE|URL")
@click.option(
    "--pin",
    "pins",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A key or actor document that you trust already.",
)
@common_options
def verify(options: Options, what: str, pins: tuple[Path, ...]) -> None:
    """Exit 0: holds; 1: does not; 2: could not check."""
    verdicts = run(_verify, options, what, pins)
    show(options, asdict(verdicts) | {"overall": verdicts.overall}, _words(verdicts))
    sys.exit(EXIT[verdicts.overall])


async def _verify(options: Options, what: str, pins: tuple[Path, ...]) -> Verdicts:
    settings = options.settings
    # trying things out on loopback is the only case in which plain http may vouch for anybody
    client = Client(client_settings(settings, allow_http=bool(settings.network.allow_networks)), None, None)

    async def fetch(document_id: str) -> dict[str, Any]:
        fetched = await client.get_document(document_id)
        if not is_at(document_id, fetched.url):  # a redirect may lead to a stranger, who vouches for nobody
            raise Unsafe(f"{document_id} leads to {fetched.url}")
        return fetched.document

    try:
        trusted = _pinned(pins) if pins else NO_PINS
        if what.lower().startswith(("https://", "http://")):
            document = await _fetched(what, client)
        else:
            document = _read(Path(what))
        clock = Clock(timedelta(seconds=settings.node.clock_offset))
        return await check(document, fetch, trusted, clock.now(), await _recalled(options, document, clock))
    finally:
        await client.close()


async def _recalled(options: Options, document: dict[str, Any], clock: Clock) -> Memory:
    """What the node on this machine knows, if there is one; it is only asked, and not brought to this version."""
    author, settings = author_of(document), options.settings
    if author is None or not (settings.storage.database_url or (options.data / "freehold.db").exists()):
        return NO_MEMORY
    try:
        claim = read_proof(document)
        db = await Database.open(settings.database_url, clock)
    except (KeysError, DBAPIError, FederationError, OSError):
        return NO_MEMORY
    try:
        return NO_MEMORY if claim is None else await db.read(recall, author, document, claim)
    except (DBAPIError, FederationError):
        return NO_MEMORY
    finally:
        await db.close()


async def _fetched(url: str, client: Client) -> dict[str, Any]:
    """From wherever it stands: its proof says whose it is, not its address."""
    try:
        return (await client.get_document(url)).document
    except FederationError as error:
        not_tried = error.retry or isinstance(error, Unsafe)
        fail(f"no document to check: {error}", COULD_NOT if not_tried else REFUSED)


def _pinned(paths: tuple[Path, ...]) -> Pins:
    documents = [_read(path) for path in paths]
    try:
        return Pins.of(documents)
    except (SchemaError, KeysError) as error:
        named = ", ".join(str(path) for path in paths)
        fail(f"--pin takes documents of actors or of keys, and not what is in {named}: {error}.", REFUSED)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return loads_object(file.read(MAX_BYTES + 1))
    except SchemaError as error:
        fail(f"{path} is not a document that can be signed: {error}", REFUSED)


def _words(verdicts: Verdicts) -> str:
    rows = [
        ("Signature", verdicts.signature),
        ("Whose key", verdicts.key),
        ("In force", verdicts.force),
    ]
    lines = [f"{title:<10} {MARKS[verdict.outcome]:<16} {verdict.sentence}" for title, verdict in rows]
    if verdicts.signed_at is not None:
        lines.append(f"{'Signed':<10} {verdicts.signed_at:%Y-%m-%d %H:%M} UTC with {verdicts.key_id}")
    return "\n".join(printable(line[:MAX_SENTENCE]) for line in lines)
