"""The tables of SECURITY.md: every attack case, by its number, stands with its tests or with what it waits for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SECURITY = TESTS.parent / "SECURITY.md"
NEVER_GIVEN = frozenset(
    {
        7,
        8,
        12,
        17,
        18,
        23,
        25,
        27,
        32,
        39,
        42,
        52,
        64,
        65,
        67,
        68,
        78,
        80,
        84,
        87,
        97,
        101,
        104,
        115,
        116,
        119,
        127,
        133,
    }
    | {135, 158, 159, 161, 167, 170, 172, 185}
)
CASES = frozenset(range(1, 189)) - NEVER_GIVEN

_ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| (`[^|]+`) \|$", re.MULTILINE)
_WAITING = re.compile(r"^\| ([^|`]+) \| (\d+(?:, \d+)*) \|$", re.MULTILINE)
_TEST = re.compile(r"^\s*(?:async )?def (test_\w+)\(", re.MULTILINE)


def proven() -> dict[int, list[str]]:
    """Number -> the files that prove it, as the first table names them."""
    return {int(number): re.findall(r"`([^`]+)`", files) for number, _, files in _ROW.findall(SECURITY.read_text())}


def waiting() -> set[int]:
    """The numbers of the second table."""
    return {int(number) for _, numbers in _WAITING.findall(SECURITY.read_text()) for number in numbers.split(", ")}


def numbers_of(name: str) -> set[int]:
    """`test_128_131_what_is_not_for_everybody` -> 128, 131."""
    found = re.match(r"test((?:_\d{2,3})+)_", name)
    return {int(number) for number in found[1].split("_")[1:]} if found else set()


def names_in(path: Path) -> list[str]:
    return _TEST.findall(path.read_text())


def test_every_case_stands_in_one_of_the_tables() -> None:
    assert set(proven()) | waiting() == CASES
    assert set(proven()) & waiting() == set()


@pytest.mark.parametrize("number", sorted(proven()))
def test_what_a_row_names_proves_it(number: int) -> None:
    for named in proven()[number]:
        name, _, test = named.partition("::")
        tests = names_in(TESTS / f"{name}.py")
        assert test in tests if test else any(number in numbers_of(one) for one in tests), named


def test_every_number_in_the_name_of_a_test_stands_in_the_first_table() -> None:
    files = [path for path in TESTS.rglob("test_*.py") if "node_modules" not in path.parts]
    named = {number: f"{path}::{one}" for path in files for one in names_in(path) for number in numbers_of(one)}
    assert {number: test for number, test in named.items() if number not in proven()} == {}
