"""Proofs that travel in what they sign: Data Integrity with Ed25519, in two cryptosuites (W3C vc-di-eddsa §3.2, §3.3).

`eddsa-jcs-2022` for objects (FEP-8b32) and credentials, `eddsa-rdfc-2022` beside it in credentials, since the world of
Open Badges reads only that. Signed are 64 bytes: SHA-256 of the proof's options (the proof without `proofValue`) and
SHA-256 of the document without its proof, both in canonical form: RFC 8785, or RDFC-1.0, which comes as a function
(`schemas.rdf.canonical_quads`, or what a process of its own answered). Every option counts, also those that we do not
know. A foreign `signature` member (Linked Data signatures) is neither signed nor verified.

The W3C text lets a document's `@context` grow after it was signed. Here the context is signed like everything else,
since an added one could give the words another meaning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from keys import multibase
from keys.canonical import jcs, sha256
from keys.errors import BadHeader, BadKey, BadSignature, Expired, NotCanonical
from keys.material import PrivateKey, PublicKey
from schemas.base import datetime_of

Suite = Literal["eddsa-jcs-2022", "eddsa-rdfc-2022"]
Quads = Callable[[dict[str, Any]], bytes]
"""The canonical N-Quads of a document; raises SchemaError where it has none."""

PROOF_TYPE = "DataIntegrityProof"
CRYPTOSUITE: Suite = "eddsa-jcs-2022"
RDF_CRYPTOSUITE: Suite = "eddsa-rdfc-2022"
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
    suite: Suite = CRYPTOSUITE

    def verify(self, public_key: PublicKey) -> None:
        """Return if this key signed the document; raises BadSignature."""
        if public_key.algorithm != "ed25519":
            raise BadSignature("a proof of this kind is signed with Ed25519, and the key is not")
        public_key.verify(self.signature, self.base)


def add_proof(document: dict[str, Any], key: PrivateKey, verification_method: str, now: datetime) -> dict[str, Any]:
    """The document with a proof by this Ed25519 key in last place; one that it had is replaced."""
    _check_key(key)
    unsigned = _without_proof(document)
    context = {"@context": document["@context"]} if "@context" in document else {}
    options = context | _options(CRYPTOSUITE, verification_method, now)
    value = multibase.encode(key.sign(_base(unsigned, options)))
    return unsigned | {"proof": options | {"proofValue": value}}


def add_proofs(
    document: dict[str, Any], key: PrivateKey, verification_method: str, now: datetime, quads: Quads
) -> dict[str, Any]:
    """A credential with two proofs by this Ed25519 key, one of each cryptosuite; those that it had are replaced.

    `quads` is asked for the documents that `canonicalised` lists for the result.
    """
    simple = add_proof(document, key, verification_method, now)
    options = _options(RDF_CRYPTOSUITE, verification_method, now)
    unsigned = _without_proof(document)
    value = multibase.encode(key.sign(_rdf_base(unsigned, options, quads)))
    return unsigned | {"proof": [simple["proof"], options | {"proofValue": value}]}


def to_canonicalise(document: dict[str, Any], verification_method: str, now: datetime) -> tuple[dict[str, Any], ...]:
    """The documents of which `add_proofs` asks the quads, for who lets them be made elsewhere."""
    return _rdf_parts(_without_proof(document), _options(RDF_CRYPTOSUITE, verification_method, now))


def canonicalised(document: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """The documents of which `read_proofs` asks the quads: none without a proof by eddsa-rdfc-2022.

    Raises BadHeader as `read_proofs` does.
    """
    proof = _chosen(document.get("proof"), RDF_CRYPTOSUITE)
    return () if proof is None else _rdf_parts(_without_proof(document), _signed_options(proof))


def _check_key(key: PrivateKey) -> None:
    if key.algorithm != "ed25519":
        raise BadKey("a proof is signed with an Ed25519 key")


def _options(suite: Suite, verification_method: str, now: datetime) -> dict[str, Any]:
    return {
        "type": PROOF_TYPE,
        "cryptosuite": suite,
        "created": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verificationMethod": verification_method,
        "proofPurpose": PURPOSE,
    }


def read_proof(document: dict[str, Any], *, now: datetime | None = None) -> ProofClaim | None:
    """What the document's proof claims; None when it has none by eddsa-jcs-2022.

    Of a set of proofs, the one with that cryptosuite is taken. Raises BadHeader for a proof that says that it is of
    this kind and breaks its rules, Expired when `now` is given and later than `expires`.
    """
    proof = _chosen(document.get("proof"), CRYPTOSUITE)
    if proof is None:
        return None
    claim = _claim(document, proof, CRYPTOSUITE, _readable_base(document, proof))
    if now is not None and claim.expires is not None and claim.expires <= now:
        raise Expired("the proof held only until before now")
    return claim


def read_proofs(document: dict[str, Any], quads: Quads | None = None) -> tuple[ProofClaim, ...]:
    """What the document's proofs claim, at most one of each cryptosuite, the one by eddsa-jcs-2022 first.

    Without `quads` the one by eddsa-rdfc-2022 is passed over. Raises BadHeader for a proof that breaks the rules of
    its kind, and what `quads` raises.
    """
    simple = read_proof(document)
    proof = _chosen(document.get("proof"), RDF_CRYPTOSUITE)
    if proof is None or quads is None:
        return () if simple is None else (simple,)
    base = _rdf_base(_without_proof(document), _signed_options(proof), quads)
    claim = _claim(document, proof, RDF_CRYPTOSUITE, base)
    return (claim,) if simple is None else (simple, claim)


def _claim(document: dict[str, Any], proof: dict[str, Any], suite: Suite, base: bytes) -> ProofClaim:
    _check_form(document, proof)
    return ProofClaim(
        verification_method=_method(proof.get("verificationMethod")),
        created=_time(proof, "created"),
        expires=_time(proof, "expires"),
        signature=_signature(proof.get("proofValue")),
        base=base,
        suite=suite,
    )


def _chosen(value: Any, suite: Suite) -> dict[str, Any] | None:
    proofs = value if isinstance(value, list) else [value]
    if len(proofs) > MAX_PROOFS:
        raise BadHeader(f"more than {MAX_PROOFS} proofs")
    ours = [proof for proof in proofs if isinstance(proof, dict) and proof.get("cryptosuite") == suite]
    if len(ours) > 1:
        raise BadHeader(f"more than one proof by {suite}, so it is not clear whose word this is")
    return ours[0] if ours else None


def _check_form(document: dict[str, Any], proof: dict[str, Any]) -> None:
    if proof.get("type") != PROOF_TYPE:
        raise BadHeader(f"such a proof is a {PROOF_TYPE}")
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
    try:
        return _base(_without_proof(document), _signed_options(proof))
    except NotCanonical as error:
        raise BadHeader(str(error)) from error


def _signed_options(proof: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in proof.items() if name != "proofValue"}


def _without_proof(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in _UNSIGNED}


def _base(unsigned: dict[str, Any], options: dict[str, Any]) -> bytes:
    return sha256(jcs(options)) + sha256(jcs(unsigned))


def _rdf_base(unsigned: dict[str, Any], options: dict[str, Any], quads: Quads) -> bytes:
    document, configuration = _rdf_parts(unsigned, options)
    return sha256(quads(configuration)) + sha256(quads(document))


def _rdf_parts(unsigned: dict[str, Any], options: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """The document, and the proof's options in the document's own context (vc-di-eddsa §3.2.5)."""
    return unsigned, options | {"@context": unsigned.get("@context")}
