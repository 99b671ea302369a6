"""Who signed a credential: whether a proof holds, and whose the key is.

Three sources may know the key: its origin today, whoever has met the issuer before, and the credential itself, into
which the key was written when it was signed. The last is enough to see that nothing was changed; that it is the
issuer's, only the other two can say.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from federation.authority import origin
from federation.desk import Desk
from federation.errors import FederationError, Gone, Unreachable, Unsafe
from federation.said import Said
from federation.verdict_words import (
    HOLDS,
    NOT_TRIED,
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
from keys.encoding import public_from_did_key, public_from_multibase
from keys.errors import KeysError
from keys.material import PublicKey
from keys.proofs import ProofClaim, canonicalised, read_proofs
from keys.rotation import KeyPeriod, confirmed, standing
from schemas.actors import Actor, KeyClaim
from schemas.base import id_of
from schemas.errors import SchemaError
from schemas.terms import DID_KEY

NOT_SIGNED = Verdict("fails", Said("It carries no signature of its own."))


class Signed(NamedTuple):
    """What is known of a signature.

    public: the key under which it holds, if it does. anew: the same words with another signature, where the first key
    was in other hands and its owner has signed them again.
    """

    signature: Verdict
    key: Verdict
    claim: ProofClaim | None = None
    public: PublicKey | None = None
    anew: dict[str, Any] | None = None


async def signed(document: dict[str, Any], issuer: str, written: str | None, desk: Desk) -> Signed:
    """Try the proofs of a credential of `issuer`. written: the key that the credential itself names as the issuer's.

    The proof by JCS is tried first, since it costs a hundredth of the other; one that does not hold is the end.
    """
    nothing = Verdict("unknown", Said("Nothing is signed, so there is nothing to check."))
    try:
        claim = await _claim(document, desk)
    except KeysError as error:
        return Signed(Verdict("fails", Said("The proof cannot be read: {reason}.", reason=str(error))), nothing)
    except (FederationError, SchemaError) as error:
        late = Said("The signature could not be tried: {reason}.", reason=why(error))
        return Signed(Verdict("unknown", late), nothing)
    if claim is None:
        return Signed(NOT_SIGNED, nothing)
    if not _is_of(claim.verification_method, issuer):
        foreign = Said("The key {key} is not one of {author}.", key=claim.verification_method, author=issuer)
        return Signed(NOT_TRIED, Verdict("fails", foreign), claim)
    asked = None if issuer.startswith(DID_KEY) else await desk.actor(issuer)
    signature, public = _tried(claim, _candidates(claim, issuer, written, asked, desk))
    key = _without_key(issuer, asked) if public is None else _whose(public, claim, issuer, asked, desk)
    anew = None
    if isinstance(asked, Actor) and _is_revoked(public, asked) and key.outcome != "fails":
        anew = await _anew(document, asked, desk)
    if anew is not None and key.outcome == "unknown":
        words = "{who} says that this key has been in other hands, and has signed the same words anew."
        key = Verdict("holds", Said(words, who=issuer))
    return Signed(signature, key, claim, public, anew)


def _is_revoked(public: PublicKey | None, actor: Actor) -> bool:
    return any(public is not None and key.multibase == public.multibase for key in actor.revoked_keys)


async def _anew(document: dict[str, Any], actor: Actor, desk: Desk) -> dict[str, Any] | None:
    """The same words, as the issuer has signed them with a key of today, at the address of the credential."""
    try:
        current = await desk.document(str(id_of(document)))
        [claim, *_others] = read_proofs(current)
        by_id = {named.id: named for named in actor.public_keys if named.multibase}
        claim.verify(public_from_multibase(by_id[claim.verification_method].multibase or ""))
    except (FederationError, KeysError, KeyError, ValueError):
        return None
    return current if _words(current) == _words(document) else None


def _words(document: dict[str, Any]) -> dict[str, Any]:
    """What a credential says, without its proofs and without the keys that are written into it."""
    issuer = document.get("issuer")
    bare = {name: value for name, value in document.items() if name not in ("proof", "issuer")}
    inner = issuer if isinstance(issuer, dict) else {"id": issuer}
    return bare | {"issuer": {name: value for name, value in inner.items() if name != "otherIdentifier"}}


async def _claim(document: dict[str, Any], desk: Desk) -> ProofClaim | None:
    """What its proof by JCS claims; that by RDF of a document that has no other."""
    simple = read_proofs(document)
    if simple:
        return simple[0]
    made = [(part, await desk.quads(part)) for part in canonicalised(document)]

    def quads(asked: dict[str, Any]) -> bytes:
        return next(canonical for part, canonical in made if part == asked)

    return next(iter(read_proofs(document, quads)), None)


def _is_of(method: str, issuer: str) -> bool:
    """Whether a key is under the authority of an issuer: below the same did:key, or of the same origin."""
    if issuer.startswith(DID_KEY) or method.startswith(DID_KEY):
        return method.partition("#")[0] == issuer
    mine = origin(issuer)
    return mine is not None and origin(method) == mine


def _candidates(
    claim: ProofClaim, issuer: str, written: str | None, asked: Actor | FederationError | None, desk: Desk
) -> list[PublicKey]:
    """Every key that may be the one, each once; those first whose word counts most."""
    if issuer.startswith(DID_KEY):
        return [key for key in (_did(issuer),) if key is not None]
    method = claim.verification_method
    named = [key.multibase for key in _claims(asked) if key.id == method and key.multibase]
    of_issuer = [key.multibase for key in desk.pins.of_author(issuer).values() if key.algorithm == "ed25519"]
    texts = dict.fromkeys([*named, *of_issuer, *([written] if written else [])])
    return [key for key in map(_read, texts) if key is not None]


def _claims(asked: Actor | FederationError | None) -> tuple[KeyClaim, ...]:
    return (*asked.revoked_keys, *asked.public_keys) if isinstance(asked, Actor) else ()


def _read(multibase: str) -> PublicKey | None:
    try:
        return public_from_multibase(multibase)
    except KeysError:
        return None  # weak or unreadable: as good as none


def _did(issuer: str) -> PublicKey | None:
    try:
        return public_from_did_key(issuer)
    except KeysError:
        return None


def _tried(claim: ProofClaim, candidates: list[PublicKey]) -> tuple[Verdict, PublicKey | None]:
    failed: Verdict = NOT_TRIED
    for public in candidates:
        try:
            claim.verify(public)
        except KeysError as error:
            failed = does_not_hold(error)
        else:
            return HOLDS, public
    return failed, None


def _without_key(issuer: str, asked: Actor | FederationError | None) -> Verdict:
    """Nobody knows a key under which it holds."""
    if isinstance(asked, FederationError):
        return _no_answer(issuer, asked)
    return unlisted(issuer)


def _no_answer(issuer: str, error: FederationError) -> Verdict:
    if isinstance(error, Unreachable | Unsafe):
        return could_not_ask(issuer, error)
    if isinstance(error, Gone):
        ended = Said("{author} has ended there, so nobody could be asked whose key it is.", author=issuer)
        return Verdict("unknown", ended)
    return not_vouched(issuer, error)


def _whose(
    public: PublicKey, claim: ProofClaim, issuer: str, asked: Actor | FederationError | None, desk: Desk
) -> Verdict:
    if asked is None:
        return _of_did(issuer, desk)
    known = desk.pins.of_author(issuer)
    is_pinned = any(key == public for key in known.values())
    if isinstance(asked, Actor):
        return _by_origin(public, claim, asked, desk, is_pinned=is_pinned)
    if is_pinned:
        return pinned(issuer)
    answer = _no_answer(issuer, asked)
    if answer.outcome == "unknown":
        written = Said("{before} It is the key that was written into it when it was signed.", before=answer.sentence)
        return Verdict("unknown", written)
    return answer


def _of_did(issuer: str, desk: Desk) -> Verdict:
    owners = desk.people.get(issuer)
    if owners:
        return Verdict("holds", Said("The key is the identity of {who}, who has said so.", who=", ".join(owners)))
    nobody = "The issuer is this key itself. Nobody who is known here has said that it is theirs."
    return Verdict("unknown", Said(nobody))


def _by_origin(public: PublicKey, claim: ProofClaim, actor: Actor, desk: Desk, *, is_pinned: bool) -> Verdict:
    named = next((key for key in _claims(actor) if key.multibase == public.multibase), None)
    if named is None:
        return unlisted_but_pinned(actor.id) if is_pinned else unlisted(actor.id)
    match standing(KeyPeriod(named.expires, named.revoked), claim.created, desk.memory.seen or desk.now):
        case "expired":
            assert named.expires is not None
            return expired(actor.id, named.expires)
        case "revoked":
            assert named.revoked is not None
            is_later = claim.created is None or claim.created >= named.revoked
            return (signed_later if is_later else any_date)(actor.id, named.revoked)
        case "before":
            assert named.revoked is not None
            return seen_before(actor.id, named.revoked)
        case _:
            return _in_force(named, actor, desk, is_pinned=is_pinned)


def _in_force(named: KeyClaim, actor: Actor, desk: Desk, *, is_pinned: bool) -> Verdict:
    known = desk.pins.of_author(actor.id)
    if known and not is_pinned:
        multikeys = [claim.multikey for claim in actor.public_keys if claim.multikey is not None]
        if named.id not in confirmed(known, multikeys):
            return unconfirmed(actor.id)
        return named_by_pinned(actor.id)
    return at_origin(actor.id, desk.memory.unconfirmed, named.expires)
