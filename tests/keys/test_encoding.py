"""Public keys as others write them."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import multibase
from keys.encoding import (
    did_key,
    jwk,
    public_from_did_key,
    public_from_jwk,
    public_from_multibase,
    public_from_pem,
)
from keys.errors import BadKey
from tests.keys.made import key_of
from tests.vectors import load

KNOWN = load("public-keys.json")
RFC9421 = load("rfc9421.json")["keys"]

both = pytest.mark.parametrize("algorithm", ["rsa", "ed25519"])


@both
def test_every_form_leads_back_to_the_same_key(algorithm):
    public = key_of(algorithm).public
    assert public_from_pem(public.pem) == public
    assert public_from_multibase(public.multibase) == public
    assert public_from_did_key(did_key(public)) == public
    assert public_from_jwk(jwk(public)) == public


def test_fep_521a_ed25519():
    point = bytes.fromhex(KNOWN["ed25519"]["hex"])
    assert multibase.encode(multibase.ED25519_PREFIX + point) == KNOWN["ed25519"]["multibase"]
    assert public_from_multibase(KNOWN["ed25519"]["multibase"])._key.public_bytes_raw() == point


def test_fep_521a_rsa():
    der = bytes.fromhex(KNOWN["rsa"]["pkcs1_hex"])
    pem = f"-----BEGIN RSA PUBLIC KEY-----\n{base64.b64encode(der).decode()}\n-----END RSA PUBLIC KEY-----"
    assert public_from_pem(pem).multibase == KNOWN["rsa"]["multibase"]
    assert public_from_multibase(KNOWN["rsa"]["multibase"]) == public_from_pem(pem)


def test_fep_c390_did_key():
    public = public_from_did_key(KNOWN["did_key"])
    assert did_key(public) == KNOWN["did_key"]
    assert public_from_did_key(f"{KNOWN['did_key']}#{public.multibase}") == public


def test_rfc_8037_jwk():
    public = public_from_jwk(KNOWN["jwk"])
    assert public._key.public_bytes_raw().hex() == KNOWN["jwk_hex"]
    assert jwk(public) == KNOWN["jwk"]


def test_rfc_9421_b1_keys():
    assert public_from_pem(RFC9421["test-key-rsa"]["pkcs1"]) == public_from_pem(RFC9421["test-key-rsa"]["spki"])
    ed25519 = public_from_pem(RFC9421["test-key-ed25519"]["spki"])
    assert jwk(ed25519) == KNOWN["test-key-ed25519"]["jwk"]
    assert public_from_multibase("z6Mkh4LmfP1ev9MNPGr7JbEbtD6BD4fsu1duEj83PMCs3xHG") == ed25519


def test_pem_with_other_line_ends_is_the_same_key():
    public = key_of("rsa").public
    assert public_from_pem(public.pem.replace("\n", "\r\n")) == public
    assert public_from_pem(public.pem.strip()) == public


@pytest.mark.parametrize(
    "change",
    [
        lambda pem: "",
        lambda pem: "not a key",
        lambda pem: pem + pem,  # two readers would take two keys
        lambda pem: "text before\n" + pem,
        lambda pem: pem + "text after",
        lambda pem: pem[: len(pem) // 2],
        lambda pem: pem.replace("PUBLIC", "PRIVATE"),
        lambda pem: pem.replace("-----BEGIN PUBLIC KEY-----", "-----BEGIN CERTIFICATE-----"),
        lambda pem: pem.replace("M", "\u00e4", 1),
        lambda pem: pem.replace("A", "\ud800", 1),
        lambda pem: pem + " " * 5_000,
    ],
)
@both
def test_086_a_pem_that_is_not_one_key_is_refused(algorithm, change):
    with pytest.raises(BadKey):
        public_from_pem(change(key_of(algorithm).public.pem))


def test_a_key_of_another_kind_in_pem_is_refused():
    """RFC 9421 B.1.3, ECDSA."""
    pem = (
        "-----BEGIN PUBLIC KEY-----\n"
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf\n"
        "w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==\n"
        "-----END PUBLIC KEY-----\n"
    )
    with pytest.raises(BadKey):
        public_from_pem(pem)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "z",
        "z0",
        "zI",
        "6Mk",
        "u7QE",
        KNOWN["ed25519"]["multibase"][:-1],
        KNOWN["ed25519"]["multibase"] + "1",
        KNOWN["ed25519"]["multibase"].replace("z", "Z", 1),
        multibase.encode(b"\xec\x01" + bytes(32)),  # X25519
        multibase.encode(b"\x80\x26" + bytes(range(32))),  # an Ed25519 secret
        multibase.encode(multibase.ED25519_PREFIX + bytes(range(33))),
        multibase.encode(multibase.RSA_PREFIX + b"\x30\x03\x02\x01\x05"),
        "z" + "2" * 3_000,
    ],
)
def test_086_what_is_no_multikey_is_refused(text):
    with pytest.raises(BadKey):
        public_from_multibase(text)


def test_048_a_weak_multikey_is_refused():
    with pytest.raises(BadKey):
        public_from_multibase(multibase.encode(multibase.ED25519_PREFIX + (1).to_bytes(32, "little")))


def test_a_did_key_whose_fragment_is_another_key_is_refused():
    alice, bob = key_of("ed25519").public, key_of("ed25519", "bob").public
    for text in (f"{did_key(alice)}#{bob.multibase}", f"{did_key(alice)}#", f"did:web:{alice.multibase}"):
        with pytest.raises(BadKey):
            public_from_did_key(text)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"kty": "OKP"},
        {"kty": "OKP", "crv": "X25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        {"kty": "OKP", "crv": "Ed25519", "x": "11qY"},
        {"kty": "OKP", "crv": "Ed25519", "x": "11qY=="},
        {"kty": "OKP", "crv": "Ed25519", "x": 7},
        {"kty": "RSA", "n": "AQAB"},
        {"kty": "RSA", "n": "AA", "e": "AQAB"},
        {"kty": "RSA", "n": "A", "e": "AQAB"},
        {"kty": "EC", "crv": "P-256"},
        {"kty": ["RSA"]},
    ],
)
def test_086_what_is_no_jwk_is_refused(value):
    with pytest.raises(BadKey):
        public_from_jwk(value)


@given(st.binary(max_size=80))
def test_multibase_comes_back(data):
    assert multibase.decode(multibase.encode(data)) == data


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=60), lambda inner: st.lists(inner, max_size=3)
)


@given(st.text(max_size=200), st.dictionaries(st.sampled_from(["kty", "crv", "x", "n", "e"]), anything))
def test_174_readers_of_keys_return_or_refuse(text, value):
    attempts = [
        lambda: public_from_pem(text),
        lambda: public_from_pem(f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----"),
        lambda: public_from_multibase("z" + text),
        lambda: public_from_did_key("did:key:z" + text),
        lambda: public_from_jwk(value),
        lambda: public_from_jwk({"kty": "RSA", "n": text, "e": "AQAB"}),
    ]
    for attempt in attempts:
        with pytest.raises(BadKey):
            attempt()


@given(st.binary(min_size=1, max_size=600))
def test_174_der_of_strangers_is_read_or_refused(data):
    for prefix in (multibase.ED25519_PREFIX, multibase.RSA_PREFIX):
        try:
            public_from_multibase(multibase.encode(prefix + data))
        except BadKey:
            continue
