"""Logs: one line an event, with a static name (`delivery.failed`) and its facts; never bodies, tokens or keys."""

from __future__ import annotations

import logging
import sys

import structlog

from node.errors import SettingsError

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def set_up_logs(level: str) -> None:
    """Log to stderr; SettingsError for a level that does not exist. Values are escaped, so no log line can be forged."""
    if level not in LEVELS:
        raise SettingsError(f"FREEHOLD_LOG={level!r} is not a level. Choose one of {', '.join(LEVELS)}.")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.getLogger("aiohttp").setLevel(logging.ERROR)
