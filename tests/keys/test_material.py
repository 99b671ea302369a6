"""Keys sign and verify; weak ones are no keys."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from keys.errors import BadKey, BadSignature
from keys.material import private_from_der, public_of
from tests.keys.made import key_of

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
ORDER = 2**252 + 27742317777372353535851937790883648493

both = pytest.mark.parametrize("algorithm", ["rsa", "ed25519"])


@both
def test_what_a_key_signs_its_public_half_verifies(algorithm):
    key = key_of(algorithm)
    assert key.public.verify(key.sign(b"hello"), b"hello") is None


@both
def test_a_changed_message_a_changed_signature_and_another_key_fail(algorithm):
    key, signature = key_of(algorithm), key_of(algorithm).sign(b"hello")
    changed = bytes([signature[0] ^ 1]) + signature[1:]
    for public, bad, message in [
        (key.public, signature, b"hellp"),
        (key.public, changed, b"hello"),
        (key.public, signature[:-1], b"hello"),
        (key.public, b"", b"hello"),
        (key_of(algorithm, "bob").public, signature, b"hello"),
    ]:
        with pytest.raises(BadSignature):
            public.verify(bad, message)


@both
def test_a_key_comes_back_from_its_der(algorithm):
    key = key_of(algorithm)
    again = private_from_der(key.der)
    assert again.public == key.public
    assert again.algorithm == algorithm
    key.public.verify(again.sign(b"hello"), b"hello")


@both
def test_nothing_secret_shows(algorithm):
    key = key_of(algorithm)
    shown = repr(key) + str(key) + f"{key}"
    assert key.der.hex() not in shown
    assert repr(key.der)[2:20] not in shown
    assert "_key" not in shown


@pytest.mark.parametrize("der", [b"", b"\x30\x00", b"x" * 200])
def test_what_is_no_private_key_is_refused(der):
    with pytest.raises(BadKey):
        private_from_der(der)


def test_our_rsa_keys_have_2048_bits_and_the_usual_exponent():
    numbers = key_of("rsa").public._key.public_numbers()
    assert numbers.n.bit_length() == 2048
    assert numbers.e == 65537


def _rsa_of(bits: int, exponent: int = 65537) -> object:
    return rsa.RSAPublicNumbers(exponent, 2 ** (bits - 1) + 12345).public_key()


@pytest.mark.parametrize(("bits", "exponent"), [(1024, 65537), (2047, 65537), (8193, 65537), (2048, 3), (2048, 65535)])
def test_048_weak_rsa_keys_are_refused(bits, exponent):
    with pytest.raises(BadKey):
        public_of(_rsa_of(bits, exponent))


@pytest.mark.parametrize("bits", [2048, 4096, 8192])
def test_048_usual_rsa_keys_are_taken(bits):
    assert public_of(_rsa_of(bits)).algorithm == "rsa"


def test_a_key_of_another_kind_is_refused():
    with pytest.raises(BadKey):
        public_of(ec.generate_private_key(ec.SECP256R1()).public_key())


def _add(one: tuple[int, int], two: tuple[int, int]) -> tuple[int, int]:
    """Addition on edwards25519 (RFC 8032 §5.1.4), affine."""
    (x1, y1), (x2, y2) = one, two
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return x, y


def _times(number: int, point: tuple[int, int]) -> tuple[int, int]:
    result = (0, 1)
    while number:
        if number & 1:
            result = _add(result, point)
        point, number = _add(point, point), number >> 1
    return result


def _x_of(y: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    for candidate in (root, root * pow(2, (P - 1) // 4, P) % P):
        if candidate * candidate % P == square:
            return candidate
    return None


def _small_order_points() -> set[tuple[int, int]]:
    """All eight: multiples of any point, by the order of the large subgroup, until one has order 8."""
    for y in range(2, 100):
        x = _x_of(y)
        if x is None:
            continue
        torsion = _times(ORDER, (x, y))
        points = {_times(number, torsion) for number in range(8)}
        if len(points) == 8:
            return points
    raise AssertionError("no point of order 8")


def _encodings() -> list[bytes]:
    """Every encoding that a lax reader takes for one of them: also y not reduced, and the wrong sign of x = 0."""
    found = set()
    for x, y in _small_order_points():
        signs = (0, 1) if x == 0 else (x & 1,)
        found |= {
            (value | sign << 255).to_bytes(32, "little") for value in (y, y + P) for sign in signs if value < 2**255
        }
    return sorted(found)


def test_the_points_of_small_order_are_all_known():
    points = _small_order_points()
    assert {_times(8, point) for point in points} == {(0, 1)}
    assert len(_encodings()) == 14


@pytest.mark.parametrize("point", _encodings(), ids=bytes.hex)
def test_048_ed25519_points_of_small_order_are_refused(point):
    with pytest.raises(BadKey):
        public_of(Ed25519PublicKey.from_public_bytes(point))


def test_the_library_alone_would_take_one_signature_for_every_message():
    """Why `material` refuses them: the identity as key, and as R, with S = 0."""
    identity = (1).to_bytes(32, "little")
    lax = Ed25519PublicKey.from_public_bytes(identity)
    for message in (b"one", b"two"):
        lax.verify(identity + bytes(32), message)


def test_an_ed25519_encoding_out_of_range_is_refused():
    for y in (P + 2, P + 18):
        with pytest.raises(BadKey):
            public_of(Ed25519PublicKey.from_public_bytes(y.to_bytes(32, "little")))


def test_a_signature_cannot_be_made_into_another_one():
    """RFC 8032 §5.1.7: S stays below the order."""
    key = key_of("ed25519")
    signature = key.sign(b"hello")
    larger = int.from_bytes(signature[32:], "little") + ORDER
    with pytest.raises(BadSignature):
        key.public.verify(signature[:32] + larger.to_bytes(32, "little"), b"hello")
