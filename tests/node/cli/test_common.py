"""Errors become one line and an exit code, and what is printed has one form."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from federation.errors import Busy, Refused
from keys.errors import BadSignature
from node.cli.common import Options, fail, read_text, run, show
from node.errors import Invalid, NotFound
from schemas.errors import Malformed

DISK = OperationalError("INSERT", {"secret": "x"}, Exception("disk I/O error"))


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (NotFound("This gig is not here."), 1, "This gig is not here."),
        (Invalid({"a": "Write a.", "b": "Write b.", "c": "Write a."}), 1, "Write a. Write b."),
        (Refused("no\nsuch\thandle"), 1, "no such handle"),
        (Malformed("url", "not an URL"), 1, "not an URL"),
        (BadSignature("does not hold"), 1, "does not hold"),
        (Busy("the database is locked"), 2, "the database is locked"),
        (FileNotFoundError(2, "No such file", "x.md"), 2, "No such file: x.md"),
        (ConnectionRefusedError("nobody listens"), 2, "nobody listens"),
        (DISK, 2, "disk I/O error"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_is_one_line_and_a_code(capsys, error, code, says):
    async def work():
        raise error

    with pytest.raises(SystemExit) as left:
        run(work)
    line = capsys.readouterr().err
    assert left.value.code == code
    assert line.startswith("freehold: ")
    assert says in line
    assert line.count("\n") == 1
    assert "secret" not in line


def test_a_fault_of_ours_is_not_hidden():
    async def work():
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        run(work)


def test_json_has_exact_numbers_and_times(capsys):
    value = {
        "sum": Decimal("4080.00"),
        "at": datetime(2026, 12, 7, tzinfo=UTC),
        "day": datetime(2026, 12, 7, tzinfo=UTC).date(),
        "name": "Zoë",
    }
    show(Options(Path(), None, True), value, "words")
    assert json.loads(capsys.readouterr().out) == {
        "sum": "4080.00", "at": "2026-12-07T00:00:00Z", "day": "2026-12-07", "name": "Zoë",
    }  # fmt: skip
    show(Options(Path(), None, False), value, "words")
    assert capsys.readouterr().out == "words\n"


def test_a_text_that_is_none_is_refused(tmp_path, capsys):
    path = tmp_path / "a.md"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SystemExit):
        read_text(path)
    path.write_bytes(b"x" * 1_000_001)
    with pytest.raises(SystemExit):
        read_text(path)
    assert capsys.readouterr().err.count("\n") == 2
    path.write_text("Zoë", "utf-8")
    assert read_text(path) == "Zoë"


def test_fail_is_one_line(capsys):
    with pytest.raises(SystemExit) as left:
        fail("a\nb", 2)
    assert (left.value.code, capsys.readouterr().err) == (2, "freehold: a b\n")
