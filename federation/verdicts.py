"""What can be said about a signed document: three questions, three answers each.

1. Does the signature hold?         The bytes are as they were signed, under this key.
2. Whose key is it?                 The key is the author's: checked at its origin today, or pinned from an earlier
                                    meeting; a key that only the document itself names proves nothing about a person.
                                    It was theirs when this was signed: not expired, not in other hands.
3. Is it still in force?            Not revoked, withdrawn, closed or replaced, as of a time.

"Could not check" is an answer of its own and never counts as a yes. One function for pages, commands and programs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from federation.errors import FederationError, Gone, NotFound, Refused, Unreachable, Unsafe
from federation.said import Said
from federation.verdict_words import (
    HOLDS,
    NOT_LOOKED_AT,
    NOT_TRIED,
    Offline,
    Verdict,
    any_date,
    at_origin,
    could_not_ask,
    does_not_hold,
    expired,
    named_by_pinned,
    not_vouched,
    pinned,
    seen_before,
    signed_later,
    unconfirmed,
    unlisted,
    unlisted_but_pinned,
    why,
)
from federation.verdict_words import Outcome as Outcome
from keys.encoding import public_from_multibase
from keys.errors import KeysError
from keys.material import PublicKey
from keys.proofs import ProofClaim, read_proof
from keys.rotation import KeyPeriod, confirmed, counts, standing
from schemas.actors import Actor, KeyClaim, is_actor, parse_actor
from schemas.base import datetime_of, id_of
from schemas.errors import Malformed, SchemaError
from schemas.jsonld import normalise

Fetch = Callable[[str], Awaitable[dict[str, Any]]]
"""Fetch the document at an id from its origin; raises FederationError."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The three answers about one document, with who and when as far as they are known."""

    signature: Verdict
    key: Verdict
    force: Verdict
    document_id: str | None = None
    author: str | None = None
    key_id: str | None = None
    signed_at: datetime | None = None

    @property
    def overall(self) -> Outcome:
        """`fails` if any answer does, `holds` only if all do."""
        outcomes = {self.signature.outcome, self.key.outcome, self.force.outcome}
        if "fails" in outcomes:
            return "fails"
        return "unknown" if "unknown" in outcomes else "holds"


@dataclass(frozen=True, slots=True)
class Pins:
    """Keys that the checker trusts already: by key id, and who holds them."""

    keys: Mapping[str, PublicKey]
    owners: Mapping[str, str]

    def of_author(self, author: str) -> dict[str, PublicKey]:
        """Those of one author."""
        return {key_id: key for key_id, key in self.keys.items() if self.owners[key_id] == author}

    def and_also(self, others: Pins) -> Pins:
        """These, and others beside them; of one id these count."""
        return Pins({**others.keys, **self.keys}, {**others.owners, **self.owners})

    @classmethod
    def of(cls, documents: list[dict[str, Any]]) -> Pins:
        """From actor documents (all their Ed25519 keys) or single Multikey documents.

        Raises SchemaError for others, KeysError for a key that cannot be read.
        """
        keys: dict[str, PublicKey] = {}
        owners: dict[str, str] = {}
        for document in documents:
            for key_id, owner, multibase in _listed_keys(document):
                keys[key_id], owners[key_id] = public_from_multibase(multibase), owner
        return cls(keys, owners)


def _listed_keys(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    if document.get("type") == "Multikey":
        key_id, owner, multibase = (document.get(name) for name in ("id", "controller", "publicKeyMultibase"))
        if not (isinstance(key_id, str) and isinstance(owner, str) and isinstance(multibase, str)):
            raise Malformed("type", "a Multikey has an id, a controller and publicKeyMultibase")
        return [(key_id, owner, multibase)]
    actor = parse_actor(normalise(document))
    return [(key.id, actor.id, key.multibase) for key in actor.public_keys if key.multibase]


@dataclass(frozen=True, slots=True)
class Memory:
    """What a node has noted.

    seen: since when it has this very document, signature and all. unconfirmed: since when it knows the key behind it,
    where only the server of its owner names that, and no key that was known before.
    """

    seen: datetime | None = None
    unconfirmed: datetime | None = None


NO_PINS = Pins({}, {})
NO_MEMORY = Memory()


async def check(
    document: dict[str, Any], fetch: Fetch | None, pins: Pins, now: datetime, memory: Memory = NO_MEMORY
) -> Verdicts:
    """Check one document as it came. `fetch` None: no network, so only pinned keys can answer question 2."""
    document_id = id_of(document)
    author = author_of(document)
    try:
        claim = read_proof(document)
    except KeysError as error:
        return _unsigned(Said("The proof cannot be read: {reason}.", reason=str(error)), document_id, author)
    if claim is None:
        return _unsigned(Said("It carries no signature of its own."), document_id, author)
    current = await _current(document_id, fetch)
    key, person = await _key(document, claim, author, _Asked(fetch, pins, memory, now, current))
    signature = _signature(claim, key)
    if claim.expires is not None and claim.expires <= now:
        force = Verdict("fails", Said("Its signature held only until {day}.", day=claim.expires))
    else:
        force = _force(document, document_id, current, now)
    if signature.outcome == "fails":
        force = NOT_LOOKED_AT
    return Verdicts(signature, person, force, document_id, author, claim.verification_method, claim.created)


def author_of(document: dict[str, Any]) -> str | None:
    """Who speaks in a document: an actor itself, an activity's actor, an object's attributedTo."""
    if is_actor(document):
        return id_of(document)
    return id_of(document.get("actor")) or id_of(document.get("attributedTo"))


def _unsigned(sentence: Said, document_id: str | None, author: str | None) -> Verdicts:
    nothing = Verdict("unknown", Said("Nothing is signed, so there is nothing to check."))
    return Verdicts(Verdict("fails", sentence), nothing, nothing, document_id, author)


def _signature(claim: ProofClaim, key: PublicKey | None) -> Verdict:
    if key is None:
        return NOT_TRIED
    try:
        claim.verify(key)
    except KeysError as error:
        return does_not_hold(error)
    return HOLDS


class _Asked(NamedTuple):
    """Whom the second question is put to. current: what stands at the document's id, or why that is not known."""

    fetch: Fetch | None
    pins: Pins
    memory: Memory
    now: datetime
    current: dict[str, Any] | FederationError | None


async def _key(
    document: dict[str, Any], claim: ProofClaim, author: str | None, asked: _Asked
) -> tuple[PublicKey | None, Verdict]:
    key_id, pins = claim.verification_method, asked.pins
    if author is None:
        return None, Verdict("fails", Said("The document names no author."))
    if key_id in pins.keys:
        if pins.owners[key_id] != author:
            whose = Said("The key belongs to {owner}, not to {author}.", owner=pins.owners[key_id], author=author)
            return pins.keys[key_id], Verdict("fails", whose)
        if asked.fetch is None:
            return pins.keys[key_id], pinned(author)
    try:
        if asked.fetch is None:
            raise Offline("no network")
        actor = await _actor(author, asked.fetch)
    except (Unreachable, Unsafe) as error:
        return _without_origin(document, key_id, author, pins, error)
    except (FederationError, SchemaError) as error:
        return pins.keys.get(key_id), not_vouched(author, error)
    return _by_origin(document, claim, actor, asked)


def _by_origin(
    document: dict[str, Any], claim: ProofClaim, actor: Actor, asked: _Asked
) -> tuple[PublicKey | None, Verdict]:
    """What the author's own server says of the key now."""
    key_id, pins = claim.verification_method, asked.pins
    named = next((key for key in (*actor.revoked_keys, *actor.public_keys) if key.id == key_id and key.multibase), None)
    public = None if named is None else _public(named)
    if named is None or public is None:
        if key_id in pins.keys:
            return pins.keys[key_id], unlisted_but_pinned(actor.id)
        return None, unlisted(actor.id)
    match standing(KeyPeriod(named.expires, named.revoked), claim.created, asked.memory.seen or asked.now):
        case "expired":
            assert named.expires is not None
            return public, expired(actor.id, named.expires)
        case "revoked":
            return public, _revoked(document, claim, actor, named, asked)
        case "before":
            assert named.revoked is not None
            return public, seen_before(actor.id, named.revoked)
        case _:
            return public, _of_author(actor, named, asked)


def _revoked(document: dict[str, Any], claim: ProofClaim, actor: Actor, key: KeyClaim, asked: _Asked) -> Verdict:
    """A date in a signature by a key that is in other hands says nothing, unless somebody saw it at that time."""
    assert key.revoked is not None
    if claim.created is None or claim.created >= key.revoked:
        return signed_later(actor.id, key.revoked)
    if isinstance(asked.current, dict) and _is_signed_anew(document, asked.current, actor, asked.now):
        anew = "{who} says that this key has been in other hands since {day}, and has signed the same words anew."
        return Verdict("holds", Said(anew, who=actor.id, day=key.revoked))
    return any_date(actor.id, key.revoked)


def _is_signed_anew(document: dict[str, Any], current: dict[str, Any], actor: Actor, now: datetime) -> bool:
    if _content(current) != _content(document):
        return False
    try:
        claim = read_proof(current)
        key = next((key for key in actor.public_keys if claim and key.id == claim.verification_method), None)
        public = None if key is None else _public(key)
        if claim is None or key is None or public is None:
            return False
        claim.verify(public)
    except KeysError:
        return False
    return counts(KeyPeriod(key.expires), claim.created, now)


def _of_author(actor: Actor, key: KeyClaim, asked: _Asked) -> Verdict:
    """A key that its origin names; and what those say who knew the author before."""
    known = asked.pins.of_author(actor.id)
    if known and key.id not in known:
        multikeys = [claim.multikey for claim in actor.public_keys if claim.multikey is not None]
        if key.id not in confirmed(known, multikeys):
            return unconfirmed(actor.id)
        return named_by_pinned(actor.id)
    return at_origin(actor.id, asked.memory.unconfirmed, key.expires)


def _without_origin(
    document: dict[str, Any], key_id: str, author: str, pins: Pins, error: FederationError
) -> tuple[PublicKey | None, Verdict]:
    if key_id in pins.keys:
        return pins.keys[key_id], pinned(author)
    unknown = could_not_ask(author, error)
    if is_actor(document):  # a profile carries its own key: enough for the signature, not for whose
        try:
            keys = parse_actor(normalise(document)).public_keys
            return next((_public(key) for key in keys if key.id == key_id and key.multibase), None), unknown
        except SchemaError:
            return None, unknown
    return None, unknown


async def _actor(author: str, fetch: Fetch) -> Actor:
    document = await fetch(author)
    actor = parse_actor(normalise(document))
    if actor.id != author:
        raise Refused(f"{author} answers as {actor.id}")
    return actor


def _public(key: KeyClaim) -> PublicKey | None:
    try:
        return public_from_multibase(key.multibase or "")
    except KeysError:
        return None  # weak or unreadable: as good as none


async def _current(document_id: str | None, fetch: Fetch | None) -> dict[str, Any] | FederationError | None:
    if document_id is None or fetch is None:
        return None
    try:
        return await fetch(document_id)
    except FederationError as error:
        return error


def _force(
    document: dict[str, Any], document_id: str | None, current: dict[str, Any] | FederationError | None, now: datetime
) -> Verdict:
    ends = datetime_of(document.get("endTime"))
    if ends is not None and ends <= now:
        return Verdict("fails", Said("It ended on {day}.", day=ends))
    if document_id is None:
        return Verdict("unknown", Said("It has no id, so nobody can be asked whether it still stands."))
    if current is None:
        return Verdict("unknown", Said("Without a network nobody could be asked whether it still stands."))
    if isinstance(current, Gone | NotFound):
        return Verdict("fails", Said("Its author has withdrawn it."))
    if isinstance(current, FederationError):
        return Verdict("unknown", Said("Could not ask whether it still stands: {reason}.", reason=why(current)))
    return _compare(document, current, now)


def _compare(document: dict[str, Any], current: dict[str, Any], now: datetime) -> Verdict:
    if current.get("type") == "Tombstone":
        return Verdict("fails", Said("Its author has withdrawn it."))
    ends = datetime_of(current.get("endTime"))
    if ends is not None and ends <= now:
        return Verdict("fails", Said("Its author has ended it on {day}.", day=ends))
    if _content(current) != _content(document):
        return Verdict("fails", Said("Its author has published another version since."))
    return Verdict("holds", Said("It stands at its origin, as of {day}.", day=now))


def _content(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("proof", "signature")}
