"""Object proofs: Data Integrity with the cryptosuite eddsa-jcs-2022 (FEP-8b32; W3C vc-di-eddsa §3.3).

Signed are 64 bytes: SHA-256 of the proof's options (the proof without `proofValue`) and SHA-256 of the document
without its proof, both in canonical form (RFC 8785). Every option counts, also those that we do not know. A foreign
`signature` member (Linked Data signatures) is neither signed nor verified.

The W3C text lets a document's `@context` grow after it was signed. Here the context is signed like everything else,
since an added one could give the words another meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from keys import multibase
from keys.canonical import jcs, sha256
from keys.errors import BadHeader, BadKey, BadSignature, Expired, NotCanonical
from keys.material import PrivateKey, PublicKey
from schemas.base import datetime_of

PROOF_TYPE = "DataIntegrityProof"
CRYPTOSUITE = "eddsa-jcs-2022"
JCS = CRYPTOSUITE
PURPOSE = "assertionMethod"
MAX_PROOFS = 10
MAX_METHOD = 2_048
_UNSIGNED = ("proof", "signature")


@dataclass(frozen=True, slots=True)
class ProofClaim:
    """What a proof claims: that the holder of a key signed the document. True once `verify` has returned.

    verification_method: the key's id. created, expires: as the signer says; whoever reads without a clock has to
    look at `expires`.
    """

    verification_method: str
    created: datetime | None
    expires: datetime | None
    signature: bytes
    base: bytes
    suite: str = CRYPTOSUITE

    def verify(self, public_key: PublicKey) -> None:
        """Return if this key signed the document; raises BadSignature."""
        if public_key.algorithm != "ed25519":
            raise BadSignature("a proof of this kind is signed with Ed25519, and the key is not")
        public_key.verify(self.signature, self.base)


def add_proof(document: dict[str, Any], key: PrivateKey, verification_method: str, now: datetime) -> dict[str, Any]:
    """The document with a proof by this Ed25519 key in last place; one that it had is replaced."""
    if key.algorithm != "ed25519":
        raise BadKey("a proof is signed with an Ed25519 key")
    unsigned = _without_proof(document)
    context = {"@context": document["@context"]} if "@context" in document else {}
    options = context | {
        "type": PROOF_TYPE,
        "cryptosuite": CRYPTOSUITE,
        "created": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verificationMethod": verification_method,
        "proofPurpose": PURPOSE,
    }
    value = multibase.encode(key.sign(_base(unsigned, options)))
    return unsigned | {"proof": options | {"proofValue": value}}


def read_proof(document: dict[str, Any], *, now: datetime | None = None) -> ProofClaim | None:
    """What the document's proof claims; None when it has none of a kind that is read.

    Of a set of proofs, the one with our cryptosuite is taken. Raises BadHeader for a proof that says that it is of our
    kind and breaks its rules, Expired when `now` is given and later than `expires`.
    """
    proof = _chosen(document.get("proof"))
    if proof is None:
        return None
    _check_form(document, proof)
    claim = ProofClaim(
        verification_method=_method(proof.get("verificationMethod")),
        created=_time(proof, "created"),
        expires=_time(proof, "expires"),
        signature=_signature(proof.get("proofValue")),
        base=_readable_base(document, proof),
    )
    if now is not None and claim.expires is not None and claim.expires <= now:
        raise Expired("the proof held only until before now")
    return claim


def _chosen(value: Any) -> dict[str, Any] | None:
    proofs = value if isinstance(value, list) else [value]
    if len(proofs) > MAX_PROOFS:
        raise BadHeader(f"more than {MAX_PROOFS} proofs")
    ours = [proof for proof in proofs if isinstance(proof, dict) and proof.get("cryptosuite") == CRYPTOSUITE]
    if len(ours) > 1:
        raise BadHeader(f"more than one proof by {CRYPTOSUITE}, so it is not clear whose word this is")
    return ours[0] if ours else None


def _check_form(document: dict[str, Any], proof: dict[str, Any]) -> None:
    if proof.get("type") != PROOF_TYPE:
        raise BadHeader(f"a proof by {CRYPTOSUITE} is a {PROOF_TYPE}")
    if proof.get("proofPurpose") != PURPOSE:
        raise BadHeader(f"the proof was not made as {PURPOSE}")
    if "previousProof" in proof:
        raise BadHeader("proofs that build on others are not read")
    if "@context" in proof and not _begins(document.get("@context"), proof["@context"]):
        raise BadHeader("the document's @context does not begin with that of its proof")


def _begins(context: Any, start: Any) -> bool:
    have, wanted = (value if isinstance(value, list) else [value] for value in (context, start))
    return have[: len(wanted)] == wanted


def _method(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_METHOD:
        raise BadHeader("the proof names no verification method")
    return value


def _time(proof: dict[str, Any], name: str) -> datetime | None:
    if name not in proof:
        return None
    moment = datetime_of(proof[name])
    if moment is None:
        raise BadHeader(f"the proof's {name!r} is no time")
    return moment


def _signature(value: Any) -> bytes:
    try:
        signature = multibase.decode(value) if isinstance(value, str) else b""
    except BadKey as error:
        raise BadHeader(f"the proof's value: {error}") from error
    if len(signature) != 64:
        raise BadHeader("the proof's value is not an Ed25519 signature")
    return signature


def _readable_base(document: dict[str, Any], proof: dict[str, Any]) -> bytes:
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    try:
        return _base(_without_proof(document), options)
    except NotCanonical as error:
        raise BadHeader(str(error)) from error


def _without_proof(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in _UNSIGNED}


def _base(unsigned: dict[str, Any], options: dict[str, Any]) -> bytes:
    return sha256(jcs(options)) + sha256(jcs(unsigned))


def read_proofs(document: dict[str, Any]) -> tuple[ProofClaim, ...]:
    claim = read_proof(document)
    return () if claim is None else (claim,)
