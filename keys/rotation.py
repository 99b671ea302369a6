"""What a signature by a key that was replaced is worth, and how an old key names its successor: pure policy.

A key that is replaced expires, so that it signs nothing more; what it signed until then stands (SECURITY 183). A key
that was stolen is revoked as of a time. Whoever has it can write any date into a signature, so that what it signed
before counts only where somebody saw it before (SECURITY 184). Both times stand on the key itself, as `expires` and
`revoked` (W3C Controlled Identifiers 1.0 §2.2).

A new key is named by its owner's server, which whoever takes over the name of the server can do as well. So the old key
says it too: a Multikey carries a proof by the key before it, over the members of `STATEMENT`, which never change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from keys.encoding import public_from_multibase
from keys.errors import KeysError
from keys.material import PrivateKey, PublicKey
from keys.proofs import add_proof, read_proof

OVERLAP = timedelta(days=7)
"""For how long a replaced key expires later than it is replaced: what it has signed is still under way."""

STATEMENT = ("id", "type", "controller", "publicKeyMultibase")

Standing = Literal["in force", "expired", "before", "revoked"]


@dataclass(frozen=True, slots=True)
class KeyPeriod:
    """The end of a key, if it has one."""

    expires: datetime | None = None
    revoked: datetime | None = None


def standing(period: KeyPeriod, signed: datetime | None, seen: datetime) -> Standing:
    """What a signature is worth. signed: when, as its signer says, if at all; seen: when we first had it.

    `before`: it stands, although the key was revoked later. `expired` and `revoked` do not stand.
    """
    if period.revoked is not None:
        is_earlier = signed is not None and signed < period.revoked and seen < period.revoked
        return "before" if is_earlier else "revoked"
    if period.expires is not None and (signed is None or signed >= period.expires):
        return "expired"
    return "in force"


def counts(period: KeyPeriod, signed: datetime | None, seen: datetime) -> bool:
    """Whether it stands."""
    return standing(period, signed, seen) in ("in force", "before")


def confirm(multikey: dict[str, Any], old: PrivateKey, old_id: str, now: datetime) -> dict[str, Any]:
    """The proof with which an old Ed25519 key names its successor, for the member `proof` of a Multikey."""
    proof: dict[str, Any] = add_proof(_statement(multikey), old, old_id, now)["proof"]
    return proof


def confirmed(trusted: Mapping[str, PublicKey], multikeys: Iterable[dict[str, Any]]) -> frozenset[str]:
    """Of these Multikeys, the ids of those that a trusted key has named, or one that such a key has named.

    trusted: Ed25519 keys by their ids.
    """
    known, waiting = dict(trusted), [key for key in multikeys if key.get("id") not in trusted]
    while named := [key for key in waiting if _is_named(known, key)]:
        for key in named:
            known[key["id"]] = public_from_multibase(key["publicKeyMultibase"])
        waiting = [key for key in waiting if key not in named]
    return frozenset(known.keys() - trusted.keys())


def _is_named(known: Mapping[str, PublicKey], multikey: dict[str, Any]) -> bool:
    try:
        claim = read_proof(_statement(multikey) | {"proof": multikey.get("proof")})
        if claim is None or claim.verification_method not in known:
            return False
        claim.verify(known[claim.verification_method])
        public_from_multibase(multikey["publicKeyMultibase"])
    except KeysError:
        return False
    return True


def _statement(multikey: dict[str, Any]) -> dict[str, Any]:
    return {name: multikey[name] for name in STATEMENT if name in multikey}
