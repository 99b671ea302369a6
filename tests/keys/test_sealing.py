"""What is sealed to a phrase: opened by it alone, whole or not at all."""

from __future__ import annotations

import hashlib
import hmac
import json
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import sealing
from keys.errors import Damaged, UnsupportedScheme, WrongPhrase
from keys.phrases import new_phrase
from keys.sealing import CHUNK, HEADER_BYTES, TAG_BYTES, Lock, Opener, Sealer, make_lock, parse_header

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "sealing.json").read_text())
PHRASE = VECTORS["phrase"]


@pytest.fixture(autouse=True, scope="module")
def quick():
    """Scrypt is meant to take long: here once for each phrase and salt."""
    slow = sealing._private
    sealing._private = cache(slow)
    yield
    sealing._private = slow


@cache
def lock() -> Lock:
    return make_lock(PHRASE)


def seal(plain: bytes, *, step: int = CHUNK) -> bytes:
    sealer = Sealer(lock())
    parts = [plain[start : start + step] for start in range(0, len(plain), step)]
    return sealer.header + b"".join(map(sealer.update, parts)) + sealer.finish()


def opened(sealed: bytes, *, step: int = CHUNK, phrase: str = PHRASE) -> bytes:
    opener = Opener(parse_header(sealed[:HEADER_BYTES]), phrase)
    body = sealed[HEADER_BYTES:]
    parts = [body[start : start + step] for start in range(0, len(body), step)]
    return b"".join(map(opener.update, parts)) + opener.finish()


# ---- known answers


def test_a_stream_that_was_sealed_long_ago_is_still_opened():
    assert opened(bytes.fromhex(VECTORS["sealed"])) == VECTORS["plain"].encode()


def test_the_format_is_the_one_that_is_written_down():
    """Each step by another implementation: scrypt of hashlib, HKDF by hand (RFC 5869 §2)."""
    sealed = bytes.fromhex(VECTORS["sealed"])
    header, body = sealed[:HEADER_BYTES], sealed[HEADER_BYTES:]
    assert header[:9] == b"freehold\x01"
    salt, public, stream = header[9:25], header[25:57], header[57:89]
    own = X25519PrivateKey.from_private_bytes(
        hashlib.scrypt(PHRASE.encode(), salt=salt, n=2**15, r=8, p=1, maxmem=2**26, dklen=32)
    )
    assert own.public_key().public_bytes_raw() == public
    shared = own.exchange(X25519PublicKey.from_public_bytes(stream))
    key = hmac.digest(hmac.digest(header, shared, "sha256"), b"freehold sealed stream 1\x01", "sha256")
    assert ChaCha20Poly1305(key).decrypt(bytes(11) + b"\x01", body, None) == VECTORS["plain"].encode()


# ---- properties


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 3 * CHUNK + 2).flatmap(lambda n: st.tuples(st.just(n), st.integers(1000, 2 * CHUNK))))
def test_what_is_sealed_is_opened_in_parts_of_any_size(sizes: tuple[int, int]):
    length, step = sizes
    plain = (b"0123456789abcdef" * (length // 16 + 1))[:length]
    sealed = seal(plain, step=step)
    chunks = max(1, -(-length // CHUNK))
    assert len(sealed) == HEADER_BYTES + length + chunks * TAG_BYTES
    assert opened(sealed, step=step) == plain


@pytest.mark.parametrize("length", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_the_edges_of_a_chunk(length: int):
    assert opened(seal(b"x" * length)) == b"x" * length


@settings(deadline=None)
@given(st.data())
def test_any_changed_byte_is_noticed(data: st.DataObject):
    sealed = bytearray(seal(b"x" * 100))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((Damaged, WrongPhrase, UnsupportedScheme)):
        opened(bytes(sealed))


@pytest.mark.parametrize("kept", [HEADER_BYTES, HEADER_BYTES + 10, HEADER_BYTES + CHUNK + TAG_BYTES, -1])
def test_a_stream_that_was_cut_off_is_noticed(kept: int):
    """At the end of a chunk too: nothing says that there should have been more, but that its last is missing."""
    with pytest.raises(Damaged, match="damaged, or cut off"):
        opened(seal(b"x" * (2 * CHUNK + 5))[:kept])


def test_chunks_that_are_doubled_swapped_or_added_are_noticed():
    sealed = seal(bytes(3 * CHUNK))
    header, size = sealed[:HEADER_BYTES], CHUNK + TAG_BYTES
    first, second, third = (sealed[HEADER_BYTES + n * size : HEADER_BYTES + (n + 1) * size] for n in range(3))
    assert opened(header + first + second + third)
    for parts in ([second, first, third], [first, first, second, third], [first, third], [first, second, third, third]):
        with pytest.raises(Damaged):
            opened(header + b"".join(parts))


# ---- refusals


def test_186_another_phrase_opens_nothing():
    with pytest.raises(WrongPhrase, match="another recovery phrase"):
        opened(seal(b"keys"), phrase=new_phrase())


def test_two_locks_of_one_phrase_differ_and_it_opens_both():
    other = make_lock(PHRASE)
    assert other != lock()
    sealer = Sealer(other)
    assert opened(sealer.header + sealer.finish()) == b""


def test_what_is_sealed_does_not_say_what_it_is():
    assert b"keys" not in seal(b"keys")
    assert seal(b"keys") != seal(b"keys")


@pytest.mark.parametrize("raw", [b"", b"freehold", b"x" * HEADER_BYTES, b"PK\x03\x04" + bytes(HEADER_BYTES - 4)])
def test_what_is_none_of_ours_is_refused(raw: bytes):
    with pytest.raises(Damaged, match="not sealed by Freehold"):
        parse_header(raw)


def test_a_newer_version_is_named():
    with pytest.raises(UnsupportedScheme, match="newer version"):
        parse_header(b"freehold\x02" + bytes(HEADER_BYTES - 9))


def test_a_stream_key_of_small_order_is_refused():
    """Anybody would know the secret that it agrees upon."""
    header = parse_header(seal(b"")[:HEADER_BYTES])
    with pytest.raises(Damaged):
        Opener(header._replace(stream_public=bytes(32)), PHRASE)
