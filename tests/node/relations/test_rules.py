"""Lists as files, and how long a mute lasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from node.errors import Invalid
from node.relations import rules

NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize("kind", rules.KINDS)
def test_a_list_comes_back_as_it_went(kind: rules.ListKind) -> None:
    people = ["bo@bo.example", "carol@c.example:8443"]
    lines = rules.read_list(rules.write_list(kind, people).encode())
    assert [line.address for line in lines] == people
    assert all(not line.wrong for line in lines)


def test_mastodons_own_file_is_read() -> None:
    text = "Account address,Show boosts,Notify on new posts,Languages\nbo@bo.example,true,false,\n"
    assert rules.write_list("follows", ["bo@bo.example"]) == text
    [line] = rules.read_list(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert (line.number, line.address, line.wrong) == (2, "bo@bo.example", "")


@pytest.mark.parametrize("cell", ["=cmd()", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_is_a_formula(cell: str) -> None:
    written = rules.write_list("blocks", [cell]).splitlines()[1]
    assert written.strip('"').startswith("'")


def test_each_address_once_and_what_is_none_says_so() -> None:
    lines = rules.read_list(b"bo@bo.example\nBo@bo.example\nnobody\n\n'@carol@c.example\n")
    assert [(line.number, line.address, bool(line.wrong)) for line in lines] == [
        (1, "bo@bo.example", False),
        (3, "nobody", True),
        (5, "carol@c.example", False),
    ]


@pytest.mark.parametrize(
    "body",
    [b"", b"Account address\n", b"\xff\xfe", b'"open\n', b"x@y.example\n" * 5_002, b"x" * 500_001],
    ids=["empty", "head", "bytes", "quote", "lines", "size"],
)
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        rules.read_list(body)


def test_a_mute_lasts_as_long_as_was_said() -> None:
    assert rules.parse_until("", NOW) is None
    assert rules.parse_until("week", NOW) == NOW + timedelta(days=7)
    with pytest.raises(Invalid):
        rules.parse_until("aeon", NOW)
