"""What a signature by a replaced key is worth, and by what a new key is known to be its successor."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keys.rotation import KeyPeriod, confirm, confirmed, counts, standing
from tests.keys.made import NOW, ed25519

DAY = timedelta(days=1)
ACTOR = "https://a.example/users/alice"
FRESH = KeyPeriod()
REPLACED = KeyPeriod(expires=NOW)
STOLEN = KeyPeriod(revoked=NOW)


@pytest.mark.parametrize(
    ("period", "signed", "seen", "expected"),
    [
        (FRESH, NOW, NOW, "in force"),
        (FRESH, None, NOW, "in force"),
        (REPLACED, NOW - DAY, NOW + 100 * DAY, "in force"),
        (REPLACED, NOW, NOW, "expired"),
        (REPLACED, None, NOW - DAY, "expired"),
        (STOLEN, NOW - DAY, NOW - DAY, "before"),
        (STOLEN, NOW - DAY, NOW, "revoked"),  # whoever has the key can write any date
        (STOLEN, NOW, NOW - DAY, "revoked"),
        (STOLEN, None, NOW - DAY, "revoked"),
        (KeyPeriod(expires=NOW + DAY, revoked=NOW), NOW, NOW, "revoked"),
    ],
)
def test_183_184_what_a_signature_is_worth(period, signed, seen, expected):
    assert standing(period, signed, seen) == expected
    assert counts(period, signed, seen) == (expected in ("in force", "before"))


def multikey(name, by=None, **more):
    key = {
        "id": f"{ACTOR}#{name}",
        "type": "Multikey",
        "controller": ACTOR,
        "publicKeyMultibase": ed25519(name).public.multibase,
    }
    return key | ({"proof": confirm(key, ed25519(by), f"{ACTOR}#{by}", NOW)} if by else {}) | more


TRUSTED = {f"{ACTOR}#one": ed25519("one").public}


def test_183_the_old_key_names_the_new_one_and_that_the_next():
    keys = [multikey("three", by="two"), multikey("two", by="one", expires="2027-01-01T00:00:00Z"), multikey("one")]
    assert confirmed(TRUSTED, keys) == {f"{ACTOR}#two", f"{ACTOR}#three"}


@pytest.mark.parametrize(
    "stranger",
    [
        multikey("two"),
        multikey("two", by="three"),
        multikey("two", by="two"),
        multikey("two", by="one") | {"publicKeyMultibase": ed25519("four").public.multibase},
        multikey("two", by="one") | {"id": f"{ACTOR}#four"},
        multikey("two", by="one") | {"publicKeyMultibase": "z6Mk"},
        multikey("two", proof="word"),
        multikey("two", proof=[{"cryptosuite": "eddsa-jcs-2022"}]),
    ],
)
def test_183_nobody_else_names_a_successor(stranger):
    assert confirmed(TRUSTED, [stranger, multikey("one")]) == frozenset()
