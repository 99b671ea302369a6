"""RFC 9421's own examples (appendix B, §4.3), and another implementation's opinion of what we send."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, InvalidSignature
from http_message_signatures.algorithms import ED25519, RSA_V1_5_SHA256

from keys.encoding import public_from_pem
from keys.errors import BadHeader, UnsupportedScheme
from keys.fields import parse_dictionary
from keys.material import private_from_der
from keys.message import take_apart
from keys.requests import Request, read, sign
from keys.rfc9421 import base_of
from tests.keys.made import KEY_ID, key_of
from tests.vectors import load

KNOWN = load("rfc9421.json")
SIGNATURES = {each["section"]: each for each in KNOWN["signatures"]}
CREATED = datetime.fromtimestamp(1618884473, UTC)


def request_of(known, *headers) -> Request:
    pairs = (*(tuple(pair) for pair in known["headers"]), *headers)
    return Request(known["method"], known["url"], pairs, known["body"].encode())


def base(known) -> bytes:
    return base_of(take_apart(request_of(KNOWN["request"])), parse_dictionary(f"sig={known['input']}")["sig"])


def carrying(known, parameters: str = "") -> Request:
    """The RFC's request with one of its signatures."""
    value = (("signature-input", f"sig={known['input']}{parameters}"), ("signature", f"sig=:{known['signature']}:"))
    return request_of(KNOWN["request"], *value)


@pytest.mark.parametrize("section", [section for section, known in SIGNATURES.items() if known["base"]])
def test_appendix_b_bases_are_ours_byte_for_byte(section):
    assert base(SIGNATURES[section]) == "\n".join(SIGNATURES[section]["base"]).encode()


def test_appendix_b_2_6_ed25519_is_made_and_verified():
    known = SIGNATURES["B.2.6"]
    signature = base64.b64decode(known["signature"])
    keys = KNOWN["keys"]["test-key-ed25519"]
    public_from_pem(keys["spki"]).verify(signature, base(known))
    assert private_from_der(base64.b64decode(keys["secret"])).sign(base(known)) == signature


def test_section_4_3_rsa_is_verified():
    """The only example of rsa-v1_5-sha256: its digest is SHA-512, so the whole request is not one that we take."""
    known = KNOWN["proxied"]
    message = take_apart(request_of(known))
    signed = base_of(message, parse_dictionary(f"sig={known['input']}")["sig"])
    public_from_pem(KNOWN["keys"]["test-key-rsa"]["pkcs1"]).verify(base64.b64decode(known["signature"]), signed)


def test_appendix_b_2_3_rsa_pss_signs_our_base():
    """The base is right, though rsa-pss is no algorithm of ours."""
    known = SIGNATURES["B.2.3"]
    key = serialization.load_pem_public_key(KNOWN["keys"]["test-key-rsa-pss"]["spki"].encode())
    pss = padding.PSS(padding.MGF1(hashes.SHA512()), 64)
    key.verify(base64.b64decode(known["signature"]), base(known), pss, hashes.SHA512())


@pytest.mark.parametrize("section", ["B.2.1", "B.2.2", "B.2.3", "B.2.4", "B.2.5"])
def test_algorithms_that_are_not_ours_are_refused_by_name(section):
    known = SIGNATURES[section]
    with pytest.raises(UnsupportedScheme):
        read(carrying(known, f';alg="{known["algorithm"]}"'), CREATED)


@pytest.mark.parametrize("section", ["B.2.2", "B.2.4"])
def test_components_that_are_not_ours_are_refused(section):
    with pytest.raises(UnsupportedScheme):
        base(SIGNATURES[section])


@pytest.mark.parametrize("section", ["B.2.1", "B.2.3", "B.2.5", "B.2.6"])
def test_005_006_the_examples_cover_too_little_for_a_post(section):
    with pytest.raises(BadHeader):
        read(carrying(SIGNATURES[section]), CREATED)


class Keys(HTTPSignatureKeyResolver):
    """Ours, as the other implementation wants them."""

    def resolve_public_key(self, key_id):
        return serialization.load_pem_public_key(key_of(key_id.rpartition("#")[2]).public.pem.encode())

    def resolve_private_key(self, key_id):
        raise NotImplementedError


class Plain:
    """A request as it reads them."""

    def __init__(self, request: Request) -> None:
        self.method = request.method
        self.url = request.url
        self.headers = dict(request.headers)


@pytest.mark.parametrize(("algorithm", "theirs"), [("rsa", RSA_V1_5_SHA256), ("ed25519", ED25519)])
@pytest.mark.parametrize(("method", "body"), [("POST", b'{"a":1}'), ("GET", None)])
@pytest.mark.parametrize("url", ["https://node.example/inbox", "https://node.example:8443/a/b%20c?d=e%2Ff&g"])
def test_another_implementation_verifies_what_we_send(algorithm, theirs, method, body, url):
    now = datetime.now(UTC).replace(microsecond=0)
    request = Request(method, url, (), body)
    added = sign(request, f"{KEY_ID}#{algorithm}", key_of(algorithm), "rfc9421", now)
    headers = tuple((name.lower(), value) for name, value in added.items())
    plain = Plain(request._replace(headers=headers))
    verifier = HTTPMessageVerifier(signature_algorithm=theirs, key_resolver=Keys())
    result = verifier.verify(plain, max_age=timedelta(minutes=1))[0]
    assert result.parameters["keyid"] == f"{KEY_ID}#{algorithm}"
    assert '"@target-uri"' in result.covered_components
    plain.url += "x"
    with pytest.raises(InvalidSignature):
        verifier.verify(plain, max_age=timedelta(minutes=1))
