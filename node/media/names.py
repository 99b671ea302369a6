"""How pictures are named: by what they contain, so that a name never comes to mean another picture."""

from __future__ import annotations

import hashlib
import re

NAME = re.compile(r"[0-9a-f]{40}\.webp\Z")
TYPE = "image/webp"


def media_name(content: bytes) -> str:
    """The name of a picture in the media folder."""
    return f"{hashlib.sha256(content).hexdigest()[:40]}.webp"


def media_url(origin: str, name: str) -> str:
    """Where everybody finds it."""
    return f"{origin}/media/{name}"
