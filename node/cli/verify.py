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
from federation.credential_verdicts import CredentialVerdicts, examine
from federation.desk import Desk
from federation.errors import FederationError, Unsafe
from federation.fetches import is_at
from federation.rdf_process import Canonicaliser
from federation.storage import Database
from federation.verdict_words import Outcome
from federation.verdicts import NO_PINS, Pins, Verdicts
from keys.errors import KeysError
from node.cli.common import COULD_NOT, REFUSED, Options, common_options, fail, printable, run, show
from node.credentials.checking import Known, remembered
from node.outgoing import client_settings
from schemas.errors import SchemaError
from schemas.strict_json import MAX_BYTES, loads_object

EXIT: dict[Outcome, int] = {"holds": 0, "fails": REFUSED, "unknown": COULD_NOT}
MAX_SENTENCE = 500
MARKS: dict[Outcome, str] = {"holds": "yes", "fails": "NO", "unknown": "could not check"}


@click.command(
    help="Check a credential or another signed document: does the signature hold, whose key is it, is it in force?"
)
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
    show(options, _plain(verdicts), _words(verdicts))
    sys.exit(EXIT[verdicts.overall])


async def _verify(options: Options, what: str, pins: tuple[Path, ...]) -> Verdicts:
    settings = options.settings
    # trying things out on loopback is the only case in which plain http may vouch for anybody
    client = Client(client_settings(settings, allow_http=bool(settings.network.allow_networks)), None, None)

    async def fetch(document_id: str) -> dict[str, Any]:
        loaded = await client.get_statement(document_id)
        if not is_at(document_id, loaded.url):  # a redirect may lead to a stranger, who vouches for nobody
            raise Unsafe(f"{document_id} leads to {loaded.url}")
        return _object(loaded.url, loaded.body)

    canonicaliser = Canonicaliser()
    try:
        trusted = _pinned(pins) if pins else NO_PINS
        if what.lower().startswith(("https://", "http://")):
            body = await _fetched(what, client)
        else:
            body = _read(Path(what))
        document, clock = _object(what, body), Clock(timedelta(seconds=settings.node.clock_offset))
        known = await _remembered(options, document, body, clock)
        desk = Desk(
            now=clock.now(),
            fetch=fetch,
            quads=canonicaliser.quads,
            pins=trusted.and_also(known.pins),
            memory=known.memory,
            lists=known.lists,
            people=known.people,
        )
        return await examine(document, desk)
    finally:
        await canonicaliser.close()
        await client.close()


async def _remembered(options: Options, document: dict[str, Any], body: bytes, clock: Clock) -> Known:
    """What the node on this machine knows, if there is one; it is only asked, and not brought to this version."""
    settings = options.settings
    if not (settings.storage.database_url or (options.data / "freehold.db").exists()):
        return Known()
    try:
        db = await Database.open(settings.database_url, clock)
    except (DBAPIError, FederationError, OSError):
        return Known()
    try:
        return await db.read(remembered, document, body)
    except (DBAPIError, FederationError):
        return Known()
    finally:
        await db.close()


async def _fetched(url: str, client: Client) -> bytes:
    """From wherever it stands: its proof says whose it is, not its address."""
    try:
        return (await client.get_statement(url)).body
    except FederationError as error:
        not_tried = error.retry or isinstance(error, Unsafe)
        fail(f"no document to check: {error}", COULD_NOT if not_tried else REFUSED)


def _pinned(paths: tuple[Path, ...]) -> Pins:
    documents = [_object(str(path), _read(path)) for path in paths]
    try:
        return Pins.of(documents)
    except (SchemaError, KeysError) as error:
        named = ", ".join(str(path) for path in paths)
        fail(f"--pin takes documents of actors or of keys, and not what is in {named}: {error}.", REFUSED)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _object(what: str, body: bytes) -> dict[str, Any]:
    try:
        return loads_object(body)
    except SchemaError as error:
        fail(f"{what} is not a document that can be signed: {error}", REFUSED)


def _plain(verdicts: Verdicts) -> dict[str, Any]:
    """The verdicts as JSON: outcomes and sentences, never the document."""
    names = ["signature", "key", "force"]
    if isinstance(verdicts, CredentialVerdicts):
        names += ["subject", "dates", "revocation"]
    answers = {name: asdict(getattr(verdicts, name)) for name in names}
    who = {name: getattr(verdicts, name) for name in ("document_id", "author", "key_id", "signed_at")}
    return answers | who | {"overall": verdicts.overall}


def _words(verdicts: Verdicts) -> str:
    rows = [
        ("Signature", verdicts.signature),
        ("Whose key", verdicts.key),
        ("In force", verdicts.force),
    ]
    if isinstance(verdicts, CredentialVerdicts):
        rows += [("About", verdicts.subject), ("Dates", verdicts.dates), ("Revoked", verdicts.revocation)]
        rows.remove(("In force", verdicts.force))  # the last two say it in more words
    lines = [f"{title:<10} {MARKS[verdict.outcome]:<16} {verdict.sentence}" for title, verdict in rows]
    if verdicts.signed_at is not None:
        lines.append(f"{'Signed':<10} {verdicts.signed_at:%Y-%m-%d %H:%M} UTC with {verdicts.key_id}")
    return "\n".join(printable(line[:MAX_SENTENCE]) for line in lines)
