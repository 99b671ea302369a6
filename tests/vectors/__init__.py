"""Values that others have published or sent: each file names its source."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@cache
def _text(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def load(name: str) -> Any:
    """A fresh copy of a file's JSON."""
    return json.loads(_text(name))
