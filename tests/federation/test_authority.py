from __future__ import annotations

import pytest

from federation import authority
from federation.errors import FederationError, Forbidden, Unacceptable
from federation.ids import Ids
from schemas.base import Envelope

OURS = Ids("https://node.example", "node.example")


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("https://a.example/x", "https://a.example/y", True),
        ("https://A.example:443/x", "https://a.example/y", True),
        ("https://a.example/x", "https://a.example:8443/y", False),
        ("https://a.example/x", "http://a.example/x", False),
        ("https://a.example/x", "https://b.a.example/x", False),
        ("not an url", "not an url", False),
        ("https://a.example/" + "x" * 3000, "https://a.example/" + "x" * 3000, False),
    ],
)
def test_origins(left: str, right: str, same: bool) -> None:
    assert authority.same_origin(left, right) is same


@pytest.mark.parametrize(
    ("activity", "actor", "error"),
    [
        ("https://b.example/1", "https://a.example/users/bob", Forbidden),
        ("https://a.example:8443/1", "https://a.example/users/bob", Forbidden),
        ("https://node.example/1", "https://node.example/users/alice", Forbidden),
        ("https://NODE.example/1", "https://NODE.example/users/alice", Forbidden),
        ("https://a.example/1", "https://node.example/users/alice", Forbidden),
        ("http://a.example/1", "http://a.example/users/bob", Unacceptable),
        ("https://good.example\\@evil.example/1", "https://good.example/users/bob", Unacceptable),
    ],
)
def test_an_envelope_of_nobody_is_refused(activity: str, actor: str, error: type[FederationError]) -> None:
    with pytest.raises(error):
        authority.check_envelope(Envelope(activity, "Create", actor), OURS)


def test_an_envelope_of_its_actor_passes() -> None:
    authority.check_envelope(Envelope("https://a.example/1#create", "Create", "https://a.example/users/bob"), OURS)


def test_a_node_on_http_hears_http() -> None:
    plain = Ids("http://127.0.0.1:8000", "127.0.0.1:8000")
    authority.check_envelope(Envelope("http://127.0.0.2/1", "Create", "http://127.0.0.2/bob"), plain)


@pytest.mark.parametrize(
    ("document", "owner"),
    [
        ({"type": "Note", "id": "https://a/1", "attributedTo": "https://a/bob"}, "https://a/bob"),
        ({"type": "Note", "id": "https://a/1", "attributedTo": {"id": "https://a/bob"}}, "https://a/bob"),
        ({"type": "Note", "id": "https://a/1", "attributedTo": ["https://a/bob"]}, "https://a/bob"),
        ({"type": "Note", "id": "https://a/1", "attributedTo": ["https://a/bob", "https://a/eve"]}, None),
        ({"type": "Note", "id": "https://a/1"}, None),
        ({"type": "Follow", "id": "https://a/1", "actor": "https://a/bob"}, "https://a/bob"),
        ({"type": "Person", "id": "https://a/bob", "attributedTo": "https://a/eve"}, "https://a/bob"),
    ],
)
def test_owners(document: dict[str, object], owner: str | None) -> None:
    assert authority.owner_of(document) == owner


def test_an_object_on_another_origin_belongs_to_nobody() -> None:
    note = {"type": "Note", "id": "https://b.example/1", "attributedTo": "https://a.example/bob"}
    assert not authority.belongs_to(note, "https://a.example/bob")
    assert authority.belongs_to(note | {"id": "https://a.example/1"}, "https://a.example/bob")
