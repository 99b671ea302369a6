"""Logs: one line an event, with a static name (`delivery.failed`) and its facts; never bodies, tokens or keys."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from node.errors import SettingsError

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


MAX_VALUE = 500  # characters; a traceback is longer, and is ours

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")  # a line feed the renderer escapes itself


def _plain(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """No value is long, and none moves the operator's terminal."""
    for name, value in event.items():
        if isinstance(value, str) and name != "exception":
            event[name] = _CONTROL.sub(lambda found: ascii(found[0])[1:-1], value[:MAX_VALUE])
    return event


def set_up_logs(level: str, *, for_good: bool = False) -> None:
    """Log to stderr; SettingsError for a level that does not exist. Values are escaped: no log line can be forged.

    for_good: nothing of it will change while this process runs, so that a line that is not logged costs nothing.
    """
    if level not in LEVELS:
        raise SettingsError(f"FREEHOLD_LOG={level!r} is not a level. Choose one of {', '.join(LEVELS)}.")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _plain,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=for_good,
    )
    logging.getLogger("aiohttp").setLevel(logging.ERROR)
