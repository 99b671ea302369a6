"""Logs: one line an event, whatever is in it."""

from __future__ import annotations

import pytest
import structlog

from node.errors import SettingsError
from node.logs import set_up_logs


@pytest.fixture(autouse=True)
def _as_it_was():
    yield
    structlog.reset_defaults()


def test_a_value_cannot_forge_a_second_line_or_colour_the_terminal(capsys):  # SECURITY 92
    set_up_logs("info")
    structlog.get_logger().info("request", path="/a\nlevel=error event=forged", agent="\x1b[31mred")
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert "\x1b" not in text
    assert r'path="/a\nlevel=error event=forged"' in text


def test_a_long_value_is_cut_and_a_traceback_is_one_line(capsys):
    set_up_logs("info")
    try:
        raise KeyError("inside")
    except KeyError as error:
        structlog.get_logger().error("failed", key_id="x" * 5000, exc_info=error)
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert "x" * 501 not in text
    assert "KeyError" in text


def test_less_than_the_level_is_not_said(capsys):
    set_up_logs("warning")
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert [line.split("event=")[1] for line in capsys.readouterr().err.splitlines()] == ["loud"]


def test_an_unknown_level_is_named_with_those_that_exist():
    with pytest.raises(SettingsError, match="debug, info, warning, error"):
        set_up_logs("loud")
