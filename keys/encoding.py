"""The ways in which a public key is written: PEM, Multikey (FEP-521a), did:key (FEP-c390), JWK (RFC 7517, RFC 8037).

Keys of peers are verified with again and again, so a parsed one is kept; a refusal is not.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from keys import multibase
from keys.errors import BadKey
from keys.material import PublicKey, public_of
from schemas.terms import DID_KEY

MAX_PEM = 5_000
_PEM = re.compile(r"\s*-----BEGIN (RSA )?PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END (RSA )?PUBLIC KEY-----\s*\Z")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+\Z")


def public_from_pem(text: str) -> PublicKey:
    """One PEM block: SubjectPublicKeyInfo, or RSAPublicKey of PKCS #1. BadKey: unreadable, weak, or more than one."""
    if len(text) > MAX_PEM:
        raise BadKey(f"a PEM of more than {MAX_PEM} characters")
    return _from_pem(text)


@lru_cache(4096)
def _from_pem(text: str) -> PublicKey:
    if not _PEM.match(text):
        raise BadKey("not one public key in PEM")
    try:
        key = serialization.load_pem_public_key(text.strip().encode("ascii"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey("not a readable public key in PEM") from error
    return public_of(key)


def public_from_multibase(text: str) -> PublicKey:
    """A Multikey's `publicKeyMultibase`: `z6Mk...` for Ed25519, `z4MX...` for RSA. BadKey: unreadable or weak."""
    if len(text) > multibase.MAX_TEXT:
        raise BadKey(f"a Multikey of more than {multibase.MAX_TEXT} characters")
    return _from_multibase(text)


@lru_cache(4096)
def _from_multibase(text: str) -> PublicKey:
    data = multibase.decode(text)
    try:
        if data.startswith(multibase.ED25519_PREFIX):
            return public_of(Ed25519PublicKey.from_public_bytes(data[2:]))
        if data.startswith(multibase.RSA_PREFIX):
            return _from_pkcs1(data[2:])
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey("not a readable Multikey") from error
    raise BadKey("a Multikey of another kind than Ed25519 or RSA")


def _from_pkcs1(der: bytes) -> PublicKey:
    body = base64.encodebytes(der).decode("ascii")
    pem = f"-----BEGIN RSA PUBLIC KEY-----\n{body}-----END RSA PUBLIC KEY-----\n"
    return public_of(serialization.load_pem_public_key(pem.encode("ascii")))


def did_key(public: PublicKey) -> str:
    """`did:key:z6Mk...`."""
    return DID_KEY + public.multibase


def public_from_did_key(text: str) -> PublicKey:
    """The key in a did:key, with or without the fragment that names it once more. BadKey for anything else."""
    if not text.startswith(DID_KEY):
        raise BadKey("not a did:key")
    name, mark, fragment = text[len(DID_KEY) :].partition("#")
    if mark and fragment != name:
        raise BadKey("a did:key whose fragment is another key")
    return public_from_multibase(name)


def jwk(public: PublicKey) -> dict[str, str]:
    """The public key as a JWK: `kty` OKP for Ed25519 (RFC 8037 §2), RSA for RSA (RFC 7518 §6.3.1)."""
    key = serialization.load_pem_public_key(public.pem.encode("ascii"))
    if isinstance(key, Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": _base64url(key.public_bytes_raw())}
    assert isinstance(key, RSAPublicKey)
    numbers = key.public_numbers()
    return {"kty": "RSA", "n": _base64url(_minimal(numbers.n)), "e": _base64url(_minimal(numbers.e))}


def public_from_jwk(value: dict[str, Any]) -> PublicKey:
    """The inverse of `jwk`; members that say more about the key are passed over. BadKey: unreadable or weak."""
    kind = value.get("kty")
    try:
        if kind == "OKP" and value.get("crv") == "Ed25519":
            return public_of(Ed25519PublicKey.from_public_bytes(_member(value, "x")))
        if kind == "RSA":
            n, e = (int.from_bytes(_member(value, name)) for name in ("n", "e"))
            return public_of(RSAPublicNumbers(e, n).public_key())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey("not a readable JWK") from error
    raise BadKey("a JWK of another kind than Ed25519 or RSA")


def _member(value: dict[str, Any], name: str) -> bytes:
    text = value.get(name)
    if not isinstance(text, str) or len(text) > multibase.MAX_TEXT or not _BASE64URL.match(text):
        raise BadKey(f"a JWK without a readable {name!r}")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise BadKey(f"a JWK without a readable {name!r}") from error


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _minimal(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)
