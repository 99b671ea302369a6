"""What is sealed is opened by its own master key, for its own purpose, and by nothing else."""

from __future__ import annotations

import pytest

from keys.errors import BadKey, UnsupportedScheme, WrongMasterKey
from keys.vault import Vault, new_master_key

KEY = bytes(range(32))
PLAIN = b"a private key in PKCS #8"


def test_what_is_sealed_is_unsealed():
    sealed = Vault(KEY).seal(PLAIN, "alice")
    assert PLAIN not in sealed
    assert Vault(KEY).unseal(sealed, "alice") == PLAIN
    assert Vault(KEY).unseal(Vault(KEY).seal(b"", ""), "") == b""


def test_two_seals_of_one_secret_differ():
    vault = Vault(KEY)
    assert vault.seal(PLAIN, "alice") != vault.seal(PLAIN, "alice")


def test_186_another_master_key_says_what_to_do():
    sealed = Vault(KEY).seal(PLAIN, "the key of alice")
    with pytest.raises(WrongMasterKey) as caught:
        Vault(new_master_key()).unseal(sealed, "the key of alice")
    assert "not the one that the key of alice was sealed with" in str(caught.value)
    assert "restore it from your backup" in str(caught.value)


def test_a_sealed_key_cannot_stand_in_for_another():
    vault = Vault(KEY)
    with pytest.raises(WrongMasterKey):
        vault.unseal(vault.seal(PLAIN, "alice"), "bob")


@pytest.mark.parametrize("place", [1, 12, 13, 20, -1])
def test_a_damaged_seal_is_refused(place):
    sealed = bytearray(Vault(KEY).seal(PLAIN, "alice"))
    sealed[place] ^= 1
    with pytest.raises(WrongMasterKey):
        Vault(KEY).unseal(bytes(sealed), "alice")


@pytest.mark.parametrize("length", [1, 5, 13, 28])
def test_a_cut_seal_is_refused(length):
    with pytest.raises(WrongMasterKey):
        Vault(KEY).unseal(Vault(KEY).seal(PLAIN, "alice")[:length], "alice")


def test_a_seal_of_another_version_is_refused():
    sealed = Vault(KEY).seal(PLAIN, "alice")
    for other in (b"\x02" + sealed[1:], b"", b"\x00"):
        with pytest.raises(UnsupportedScheme):
            Vault(KEY).unseal(other, "alice")


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_master_key_has_32_bytes(length):
    with pytest.raises(BadKey):
        Vault(bytes(length))


def test_a_fingerprint_tells_keys_apart_and_gives_nothing_away():
    assert Vault(KEY).fingerprint() == Vault(KEY).fingerprint()
    assert Vault(KEY).fingerprint() != Vault(new_master_key()).fingerprint()
    assert len(Vault(KEY).fingerprint()) == 32
    assert KEY.hex()[:8] not in Vault(KEY).fingerprint()
    assert KEY.hex() not in repr(vars(Vault(KEY)))


def test_new_master_keys_are_new():
    assert len({new_master_key() for _ in range(10)}) == 10
    assert all(len(new_master_key()) == 32 for _ in range(3))
