"""Seal a stream so that only a recovery phrase opens it: whoever seals needs no secret.

From the phrase and 16 random bytes scrypt (RFC 7914; N 2^15, r 8, p 1) derives an X25519 key (RFC 7748). Its public
half and those bytes are the `Lock`, which is all that a node keeps. Sealing makes a key pair for one stream, agrees on
a secret with the lock, and derives the stream's key by HKDF-SHA-256 (RFC 5869) over the whole header:

    header    "freehold", version 1, salt (16), public half of the lock (32), public half of the stream's key (32)
    chunks    ChaCha20-Poly1305 (RFC 8439) over 64 KiB each; nonce: number of the chunk (11 bytes, big-endian) and
              1 for the last chunk, 0 for every other

So a chunk that was changed, left out, doubled or moved is noticed, and a stream that was cut off too: its last chunk is
missing. The order of chunks and the mark of the last follow the STREAM construction (Hoang, Reyhanitabar, Rogaway and
Vizár 2015). Memory holds two chunks, however long the stream is.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from keys.errors import Damaged, UnsupportedScheme, WrongPhrase

MAGIC = b"freehold"
VERSION = b"\x01"
SALT_BYTES = 16
KEY_BYTES = 32
HEADER_BYTES = len(MAGIC) + 1 + SALT_BYTES + 2 * KEY_BYTES
CHUNK = 65_536
TAG_BYTES = 16
_INFO = b"freehold sealed stream 1"


class Lock(NamedTuple):
    """What a phrase opens, and what tells nothing of the phrase."""

    salt: bytes
    public: bytes


class Header(NamedTuple):
    """How a sealed stream begins."""

    lock: Lock
    stream_public: bytes
    raw: bytes


def make_lock(phrase: str) -> Lock:
    """The lock of a phrase (as `keys.phrases` writes it); another one each time."""
    salt = os.urandom(SALT_BYTES)
    return Lock(salt, _private(phrase, salt).public_key().public_bytes_raw())


def parse_header(raw: bytes) -> Header:
    """The first HEADER_BYTES of a stream. Damaged: it is none of ours; UnsupportedScheme: a newer one."""
    if len(raw) != HEADER_BYTES or not raw.startswith(MAGIC):
        raise Damaged("this was not sealed by Freehold, or its beginning is damaged")
    body = raw[len(MAGIC) :]
    if body[:1] != VERSION:
        raise UnsupportedScheme("this was sealed by another version of Freehold: use the newer version")
    salt, keys = body[1 : 1 + SALT_BYTES], body[1 + SALT_BYTES :]
    return Header(Lock(salt, keys[:KEY_BYTES]), keys[KEY_BYTES:], raw)


class Sealer:
    """Seals one stream: write `header`, what `update` returns, and what `finish` returns."""

    def __init__(self, lock: Lock) -> None:
        own = X25519PrivateKey.generate()
        self.header = MAGIC + VERSION + lock.salt + lock.public + own.public_key().public_bytes_raw()
        self._cipher = _cipher(own, lock.public, self.header)
        self._waiting = bytearray()
        self._number = 0

    def update(self, plain: bytes) -> bytes:
        """Take more; returns what is sealed so far, perhaps nothing."""
        self._waiting += plain
        sealed = []
        while len(self._waiting) > CHUNK:  # one full chunk stays: it may be the last
            sealed.append(self._seal(bytes(self._waiting[:CHUNK]), b"\x00"))
            del self._waiting[:CHUNK]
        return b"".join(sealed)

    def finish(self) -> bytes:
        """The last chunk."""
        return self._seal(bytes(self._waiting), b"\x01")

    def _seal(self, plain: bytes, last: bytes) -> bytes:
        nonce = self._number.to_bytes(11, "big") + last
        self._number += 1
        return self._cipher.encrypt(nonce, plain, None)


class Opener:
    """Opens one stream. Raises WrongPhrase when the phrase is not the one that it was sealed to."""

    def __init__(self, header: Header, phrase: str) -> None:
        own = _private(phrase, header.lock.salt)
        if own.public_key().public_bytes_raw() != header.lock.public:
            raise WrongPhrase("this was sealed to another recovery phrase")
        try:
            self._cipher = _cipher(own, header.stream_public, header.raw)
        except ValueError as error:  # a point of small order
            raise Damaged("the beginning of what was sealed is damaged") from error
        self._waiting = bytearray()
        self._number = 0

    def update(self, sealed: bytes) -> bytes:
        """Take more of the stream; returns what it says so far. Damaged: something of it is not as it was sealed."""
        self._waiting += sealed
        plain = []
        while len(self._waiting) > CHUNK + TAG_BYTES:
            plain.append(self._open(bytes(self._waiting[: CHUNK + TAG_BYTES]), b"\x00"))
            del self._waiting[: CHUNK + TAG_BYTES]
        return b"".join(plain)

    def finish(self) -> bytes:
        """The end. Damaged when it is not the end that was sealed: then nothing that came before counts either."""
        plain = self._open(bytes(self._waiting), b"\x01")
        if not plain and self._number > 1:
            raise Damaged("what was sealed has an empty end, which nothing of ours has")
        return plain

    def _open(self, sealed: bytes, last: bytes) -> bytes:
        nonce = self._number.to_bytes(11, "big") + last
        self._number += 1
        try:
            return self._cipher.decrypt(nonce, sealed, None)
        except InvalidTag as error:
            raise Damaged(f"what was sealed is damaged, or cut off, at its part {self._number}") from error


def _private(phrase: str, salt: bytes) -> X25519PrivateKey:
    secret = Scrypt(salt=salt, length=KEY_BYTES, n=2**15, r=8, p=1).derive(phrase.encode())
    return X25519PrivateKey.from_private_bytes(secret)


def _cipher(own: X25519PrivateKey, other: bytes, header: bytes) -> ChaCha20Poly1305:
    shared = own.exchange(X25519PublicKey.from_public_bytes(other))
    return ChaCha20Poly1305(HKDF(SHA256(), KEY_BYTES, salt=header, info=_INFO).derive(shared))
