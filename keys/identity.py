"""Who somebody is, whatever server they live on: an Ed25519 key made once, and what is said with it.

The key is named by its did:key, and is opened by its own recovery code (nine words of `keys.phrases`), which stands on
its owner's paper and on no server. It signs two things only:

    statement     FEP-c390: "this actor is me", with the did:key itself as the verification method. The actor's document
                  lists it, so the claim holds both ways.
    succession    The key names the one that takes its place, and that one countersigns what it said: `named` is the
                  proof of the old key over type, subject and successor, `proof` that of the new one over all of it.

A sealed key is a version byte, 16 random bytes of salt, 12 of nonce and the PKCS #8 of the key in ChaCha20-Poly1305
(RFC 8439), under a key that scrypt (RFC 7914; N 2^15, r 8, p 1) derives from the code. Version and salt are
authenticated with it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from keys.canonical import jcs
from keys.encoding import did_key, public_from_did_key
from keys.errors import BadHeader, BadKey, BadSignature, Damaged, NotCanonical, UnsupportedScheme, WrongPhrase
from keys.material import PrivateKey, PublicKey, generate_ed25519, private_from_der
from keys.phrases import new_phrase
from keys.proofs import add_proof, read_proof

STATEMENT = "VerifiableIdentityStatement"
SUCCESSION = "IdentitySuccession"
MAX_DOCUMENT = 8_192  # bytes of a statement or a succession in canonical form: ours have 600
MAX_SEALED = 512
MAX_CHAIN = 8  # successions that are followed from one key to the next
VERSION = b"\x01"
_SALT_BYTES = 16
_NONCE_BYTES = 12
_KEY_BYTES = 32
_MAGIC = b"freehold identity"


@dataclass(frozen=True, slots=True)
class IdentityKey:
    """An open identity key; what a node has in its hands only while its owner is there with the code."""

    key: PrivateKey = field(repr=False)

    @property
    def did(self) -> str:
        """`did:key:z6Mk...`."""
        return did_key(self.key.public)


class Succession(NamedTuple):
    """One key took the place of another: both as did:key."""

    old: str
    new: str


def new_identity() -> tuple[IdentityKey, str]:
    """A key, and the recovery code that is to seal it."""
    return IdentityKey(generate_ed25519()), new_phrase()


def seal_identity(identity: IdentityKey, code: str) -> bytes:
    """The key, for storing and for taking along. code: as `keys.phrases` writes it. Takes a tenth of a second."""
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    head = VERSION + salt
    return head + nonce + _cipher(code, salt).encrypt(nonce, identity.key.der, _MAGIC + head)


def open_identity(sealed: bytes, code: str) -> IdentityKey:
    """The way back, which takes a tenth of a second.

    Raises WrongPhrase for another code (or a sealed key that was changed), UnsupportedScheme for a newer form, Damaged
    for what is no sealed key.
    """
    if not sealed or len(sealed) > MAX_SEALED:
        raise Damaged("this is no sealed identity key")
    if sealed[:1] != VERSION:
        raise UnsupportedScheme("this identity key was sealed by another version of Freehold: use the newer version")
    head, rest = sealed[: 1 + _SALT_BYTES], sealed[1 + _SALT_BYTES :]
    try:
        der = _cipher(code, head[1:]).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _MAGIC + head)
        key = private_from_der(der)
    except InvalidTag as error:
        raise WrongPhrase("this code does not open the identity key") from error
    except (BadKey, ValueError) as error:
        raise Damaged("this is no sealed identity key") from error
    if key.algorithm != "ed25519":
        raise Damaged("this is no sealed identity key")
    return IdentityKey(key)


def _cipher(code: str, salt: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(Scrypt(salt=salt, length=_KEY_BYTES, n=2**15, r=8, p=1).derive(code.encode()))


def write_statement(identity: IdentityKey, actor_id: str, now: datetime) -> dict[str, Any]:
    """The FEP-c390 statement that an actor is this identity, for the `attachment` of its document."""
    said = {"type": STATEMENT, "subject": identity.did, "alsoKnownAs": actor_id}
    return add_proof(said, identity.key, identity.did, now)


def read_statement(document: dict[str, Any], actor_id: str, *, now: datetime | None = None) -> str:
    """The did:key that says that it is this actor. Raises KeysError unless all of it holds (FEP-c390).

    now: to refuse a proof that has expired (Expired).
    """
    _check_size(document)
    if document.get("type") != STATEMENT or document.get("alsoKnownAs") != actor_id:
        raise BadHeader("not an identity statement of this actor")
    did, public = _named(document, "subject")
    _check_proof(document, did, public, now)
    return did


def write_succession(old: IdentityKey, new: IdentityKey, now: datetime) -> dict[str, Any]:
    """What tells others that the new key is who the old one was."""
    said = {"type": SUCCESSION, "subject": old.did, "successor": new.did}
    named = add_proof(said, old.key, old.did, now)["proof"]
    return add_proof(said | {"named": named}, new.key, new.did, now)


def read_succession(document: dict[str, Any]) -> Succession:
    """Which key names which, once both have signed it. Raises KeysError."""
    _check_size(document)
    if document.get("type") != SUCCESSION:
        raise BadHeader("not a succession of identity keys")
    (old, old_key), (new, new_key) = _named(document, "subject"), _named(document, "successor")
    if old == new:
        raise BadHeader("an identity key that succeeds itself")
    said = {name: document[name] for name in ("type", "subject", "successor")}
    _check_proof(said | {"proof": document.get("named")}, old, old_key, None)
    _check_proof(document, new, new_key, None)
    return Succession(old, new)


def _check_size(document: dict[str, Any]) -> None:
    try:
        size = len(jcs(document))
    except NotCanonical as error:
        raise BadHeader(str(error)) from error
    if size > MAX_DOCUMENT:
        raise BadHeader(f"more than {MAX_DOCUMENT} bytes")


def _named(document: dict[str, Any], member: str) -> tuple[str, PublicKey]:
    """A did:key of Ed25519 without a fragment, with its key."""
    did = document.get(member)
    if not isinstance(did, str) or "#" in did:
        raise BadKey(f"its {member} is no did:key")
    public = public_from_did_key(did)
    if public.algorithm != "ed25519" or did_key(public) != did:
        raise BadKey(f"its {member} is no did:key of Ed25519")
    return did, public


def _check_proof(document: dict[str, Any], did: str, public: PublicKey, now: datetime | None) -> None:
    """FEP-c390 has the did itself as the method; others write it as the did:key method does, with its fragment."""
    claim = read_proof(document, now=now)
    if claim is None:
        raise BadSignature("it carries no proof that is read here")
    if claim.verification_method not in (did, f"{did}#{public.multibase}"):
        raise BadSignature("its proof is by another key than the one that it names")
    claim.verify(public)
