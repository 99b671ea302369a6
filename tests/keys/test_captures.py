"""What real servers have sent (GoToSocial, Takahe, Fedify 1.5 and 2.3): all of it verifies, and no change of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache

import pytest

from keys.encoding import public_from_multibase, public_from_pem
from keys.errors import KeysError
from keys.material import PublicKey
from keys.proofs import read_proof
from keys.requests import Request, read
from schemas.strict_json import loads_object
from tests.vectors import FOLDER, load

NAMES = sorted(path.stem for path in (FOLDER / "captures").glob("*.json") if not path.name.startswith("doc-"))


def capture(name):
    return load(f"captures/{name}.json")


def is_signed(name: str) -> bool:
    return any(header.lower() == "signature" for header, _ in capture(name)["request"]["headers"])


SIGNED = [name for name in NAMES if is_signed(name)]
POSTED = [name for name in SIGNED if capture(name)["request"]["body"]]


@cache
def keys() -> dict[str, PublicKey]:
    """Every key in the documents that the peers served."""
    found = {}
    for path in (FOLDER / "captures").glob("doc-*.json"):
        document = json.loads(load(f"captures/{path.name}")["body"])
        for key in _many(document.get("publicKey")):
            found[key["id"]] = public_from_pem(key["publicKeyPem"])
        for key in _many(document.get("assertionMethod")):
            found[key["id"]] = public_from_multibase(key["publicKeyMultibase"])
    return found


def _many(value):
    return [] if value is None else value if isinstance(value, list) else [value]


def request_of(name: str) -> Request:
    seen = capture(name)
    request = seen["request"]
    headers = tuple((header.lower(), value) for header, value in request["headers"])
    return Request(request["method"], seen["our_origin"] + request["target"], headers, request["body"].encode() or None)


def received_at(name: str) -> datetime:
    return datetime.fromtimestamp(capture(name)["received_unix"], UTC)


def check(request: Request, now: datetime) -> None:
    claim = read(request, now)
    assert claim is not None
    claim.verify(keys()[claim.key_id])


def proven(name: str) -> list[dict]:
    """The activity and its object, as far as they carry proofs."""
    activity = loads_object(capture(name)["request"]["body"].encode())
    return [part for part in (activity, activity.get("object")) if isinstance(part, dict) and "proof" in part]


def test_the_captures_are_all_here():
    assert len(SIGNED) == 56
    assert sum(len(proven(name)) for name in POSTED) == 18
    schemes = {(name.split("-")[0], read(request_of(name), received_at(name)).scheme) for name in SIGNED}
    assert schemes == {
        ("gotosocial", "cavage"),
        ("takahe", "cavage"),
        ("fedify159", "cavage"),
        ("fedify236", "rfc9421"),
    }


@pytest.mark.parametrize("name", SIGNED)
def test_a_captured_request_verifies(name):
    check(request_of(name), received_at(name))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SIGNED])
def test_an_unsigned_request_claims_nothing(name):
    assert read(request_of(name), received_at(name)) is None


@pytest.mark.parametrize("name", POSTED)
def test_004_one_byte_of_the_body_changed_is_refused(name):
    request = request_of(name)
    middle = len(request.body) // 2
    body = request.body[:middle] + bytes([request.body[middle] ^ 1]) + request.body[middle + 1 :]
    with pytest.raises(KeysError):
        check(request._replace(body=body), received_at(name))


@pytest.mark.parametrize("name", SIGNED)
def test_006_one_byte_of_the_target_changed_is_refused(name):
    request = request_of(name)
    with pytest.raises(KeysError):
        check(request._replace(url=request.url[:-1] + ("x" if request.url[-1] != "x" else "y")), received_at(name))


@pytest.mark.parametrize("name", SIGNED)
def test_036_one_second_of_the_date_changed_is_refused(name):
    request = request_of(name)
    headers = tuple(
        (header, value[:-5] + str((int(value[-5]) + 1) % 10) + value[-4:] if header == "date" else value)
        for header, value in request.headers
    )
    assert headers != request.headers
    with pytest.raises(KeysError):
        check(request._replace(headers=headers), received_at(name))


@pytest.mark.parametrize("name", SIGNED)
def test_036_a_captured_request_is_too_old_by_now(name):
    with pytest.raises(KeysError):
        check(request_of(name), datetime(2026, 11, 24, tzinfo=UTC))


PROVEN = [name for name in POSTED if proven(name)]


@pytest.mark.parametrize("name", PROVEN)
def test_a_captured_proof_verifies(name):
    for document in proven(name):
        claim = read_proof(document)
        claim.verify(keys()[claim.verification_method])


@pytest.mark.parametrize("name", PROVEN)
def test_021_a_captured_proof_fails_when_anything_is_changed(name):
    for document in proven(name):
        options = document["proof"]
        changes = [
            {**document, "extra": True},
            {**document, "id": document["id"] + "x"},
            {**document, "proof": {**options, "created": "2026-11-23T14:05:13Z"}},
            {**document, "proof": {**options, "expires": "2036-01-01T00:00:00Z"}},
            {**document, "proof": {**options, "nonce": "1"}},
            {**document, "proof": {**options, "proofPurpose": "authentication"}},
            {**document, "proof": {name: value for name, value in options.items() if name != "@context"}},
            {**document, "@context": [*document["@context"], {"content": "https://evil.example/#content"}]},
        ]
        for changed in changes:
            with pytest.raises(KeysError):
                read_proof(changed).verify(keys()[options["verificationMethod"]])
