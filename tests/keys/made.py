"""Keys that tests share, since making an RSA key takes long, and values that they agree on."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keys import multibase
from keys.material import PrivateKey, generate_ed25519, generate_rsa, private_from_der

NOW = datetime(2026, 12, 7, 10, 0, tzinfo=UTC)
KEY_ID = "https://a.example/users/alice#main-key"


@cache
def rsa(name: str = "alice") -> PrivateKey:
    return generate_rsa()


@cache
def ed25519(name: str = "alice") -> PrivateKey:
    return generate_ed25519()


def key_of(algorithm: str, name: str = "alice") -> PrivateKey:
    return rsa(name) if algorithm == "rsa" else ed25519(name)


def ed25519_from_seed(seed: bytes) -> PrivateKey:
    der = Ed25519PrivateKey.from_private_bytes(seed).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private_from_der(der)


def ed25519_from_multibase(text: str) -> PrivateKey:
    """A `secretKeyMultibase`: the multicodec 0x1300, then the seed."""
    data = multibase.decode(text)
    assert data[:2] == b"\x80\x26"
    return ed25519_from_seed(data[2:])
