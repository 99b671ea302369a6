"""Seal and unseal private keys under the node's master key.

A sealed value is a version byte, 12 random bytes and the ciphertext of AES-256-GCM with its tag. The version and the
context (what is sealed, e.g. a key id) are authenticated with it, so a sealed key cannot be put in another's place.
The master key itself encrypts nothing: one key is derived from it to seal with, and another to know it again by.
"""

from __future__ import annotations

import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys.errors import BadKey, UnsupportedScheme, WrongMasterKey

KEY_BYTES = 32
VERSION = b"\x01"
_NONCE_BYTES = 12


def new_master_key() -> bytes:
    """32 random bytes."""
    return os.urandom(KEY_BYTES)


class Vault:
    """Seals and unseals under one master key; shows nothing of it."""

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != KEY_BYTES:
            raise BadKey(f"the master key must be {KEY_BYTES} bytes long. Restore it from your backup.")
        self._cipher = AESGCM(_derive(master_key, b"freehold seal 1"))
        self._fingerprint = _derive(master_key, b"freehold fingerprint 1").hex()[:32]
        self._root = _derive(master_key, b"freehold derived keys 1")

    def fingerprint(self) -> str:
        """32 hex digits that tell this master key from others and do not help to find it."""
        return self._fingerprint

    def derived(self, purpose: str) -> bytes:
        """32 bytes for one purpose, always the same under the same master key: to sign what only we must read again."""
        return _derive(self._root, purpose.encode())

    def seal(self, plain: bytes, context: str) -> bytes:
        """The secret, sealed; `context` must be given again to unseal it."""
        nonce = os.urandom(_NONCE_BYTES)
        return VERSION + nonce + self._cipher.encrypt(nonce, plain, VERSION + context.encode())

    def unseal(self, sealed: bytes, context: str) -> bytes:
        """The secret. WrongMasterKey: another master key, another context, or damaged; UnsupportedScheme: too new."""
        if sealed[:1] != VERSION:
            raise UnsupportedScheme("a secret was sealed by another version of Freehold: start the newer version again")
        nonce, secret = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, secret, VERSION + context.encode())
        except (InvalidTag, ValueError) as error:
            raise WrongMasterKey(
                f"the master key is not the one that {context} was sealed with, or the sealed key is damaged. "
                "Your private keys cannot be opened without it: restore it from your backup."
            ) from error


def _derive(master_key: bytes, purpose: bytes) -> bytes:
    """HKDF-Expand (RFC 5869 §2.3) of one block: the master key is random already."""
    return hmac.digest(master_key, purpose + b"\x01", "sha256")
