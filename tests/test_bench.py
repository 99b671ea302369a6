"""The benchmark programs run, with tiny numbers; what they measure is no part of any test."""

from __future__ import annotations

import json

import pytest

from tests.bench import __main__ as bench

TINY = {
    "hosts": 2, "people": 2, "young": 10, "messages": 10, "gets": 10, "inboxes": 4, "posts": 1, "starts": 1,
    "stored": 50, "found": 500, "badges": 3,
}  # fmt: skip


@pytest.mark.parametrize("group", bench.GROUPS)
def test_a_group_of_rows_is_measured(group, tmp_path, capsys):
    options = [f"--{name}={value}" for name, value in TINY.items()]
    bench.main([group, *options, "--json", str(tmp_path / "bench.json")])
    rows = json.loads((tmp_path / "bench.json").read_text())
    printed = capsys.readouterr().out
    assert rows
    assert all(f"| {row['name']} | {row['unit']} |" in printed for row in rows)
