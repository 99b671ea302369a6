"""Ed25519 and RSA keys and their public halves. A key's type decides how it signs; nothing that a message says does.

RSA signs by RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2), Ed25519 as in RFC 8032. Weak public keys are refused: RSA
below 2048 or above 8192 bits, an even exponent or one below 65537, and the Ed25519 points of small order, under which
one signature fits every message.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key

from keys import multibase
from keys.errors import BadKey, BadSignature

Algorithm = Literal["rsa", "ed25519"]

RSA_BITS = 2048
MAX_RSA_BITS = 8192
MIN_EXPONENT = 65537
_PADDING = PKCS1v15()
_HASH = hashes.SHA256()

_FIELD = 2**255 - 19
_EIGHTH = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826  # y of a point of order 8
_SMALL_ORDER = frozenset({0, 1, _FIELD - 1, _EIGHTH, _FIELD - _EIGHTH})  # y of all points of order 1, 2, 4, 8


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that is not weak; two are equal when they are the same key.

    pem: SubjectPublicKeyInfo (RFC 5480). multibase: a Multikey's `publicKeyMultibase` (FEP-521a).
    """

    algorithm: Algorithm
    pem: str
    multibase: str
    _key: RSAPublicKey | Ed25519PublicKey = field(repr=False, compare=False)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if this key signed the message; raises BadSignature."""
        try:
            if isinstance(self._key, RSAPublicKey):
                self._key.verify(signature, message, _PADDING, _HASH)
            else:
                self._key.verify(signature, message)
        except InvalidSignature as error:
            raise BadSignature("the signature does not hold under this key") from error


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key that signs. `der` is its PKCS #8 (RFC 5208), to be sealed; neither shows in repr."""

    algorithm: Algorithm
    public: PublicKey
    der: bytes = field(repr=False)
    _key: RSAPrivateKey | Ed25519PrivateKey = field(repr=False, compare=False)

    def sign(self, message: bytes) -> bytes:
        """The signature: as long as the modulus for RSA, 64 bytes for Ed25519."""
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(message, _PADDING, _HASH)
        return self._key.sign(message)


def generate_rsa() -> PrivateKey:
    """A new RSA key of 2048 bits. Takes a tenth of a second or more: not inside a database scope."""
    return _made(generate_private_key(MIN_EXPONENT, RSA_BITS))


def generate_ed25519() -> PrivateKey:
    """A new Ed25519 key."""
    return _made(Ed25519PrivateKey.generate())


def private_from_der(der: bytes) -> PrivateKey:
    """A key from its own `der`, unsealed; BadKey when it is none.

    Not for keys of others: the numbers of an RSA key are not checked again, which costs 5 µs instead of 38 ms.
    """
    try:
        key = serialization.load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadKey("not a private key in PKCS #8") from error
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise BadKey("neither an RSA nor an Ed25519 key")
    public = public_of(key.public_key())
    return PrivateKey(public.algorithm, public, der, key)


def _made(key: RSAPrivateKey | Ed25519PrivateKey) -> PrivateKey:
    public = public_of(key.public_key())
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return PrivateKey(public.algorithm, public, der, key)


def public_of(key: object) -> PublicKey:
    """Take over a key that `cryptography` has read; BadKey when it is weak or of another kind."""
    if isinstance(key, RSAPublicKey):
        _check_rsa(key)
        number = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
        return PublicKey("rsa", _pem(key), multibase.encode(multibase.RSA_PREFIX + number), key)
    if isinstance(key, Ed25519PublicKey):
        point = key.public_bytes_raw()
        _check_point(point)
        return PublicKey("ed25519", _pem(key), multibase.encode(multibase.ED25519_PREFIX + point), key)
    raise BadKey("neither an RSA nor an Ed25519 key")


def _pem(key: RSAPublicKey | Ed25519PublicKey) -> str:
    encoded = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return encoded.decode("ascii")


def _check_rsa(key: RSAPublicKey) -> None:
    if not RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise BadKey(f"an RSA key of {key.key_size} bits: from {RSA_BITS} to {MAX_RSA_BITS} are accepted")
    numbers = key.public_numbers()
    if numbers.e < MIN_EXPONENT or numbers.e % 2 == 0 or numbers.n % 2 == 0:
        raise BadKey("a weak RSA key: its exponent must be odd and at least 65537")


def _check_point(point: bytes) -> None:
    """RFC 8032 §5.1.3: y below the field's prime, in one encoding only; and no point of small order."""
    y = int.from_bytes(point, "little") & (2**255 - 1)
    if y >= _FIELD:
        raise BadKey("a weak Ed25519 key: not in canonical form")
    if y in _SMALL_ORDER:
        raise BadKey("a weak Ed25519 key: a point of small order")
