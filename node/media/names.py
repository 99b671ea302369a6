"""How pictures are named: by what they contain, so that a name never comes to mean another picture."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from node.media.headers import read_header

NAME = re.compile(r"[0-9a-f]{40}(?:-small)?\.(webp|jpeg|png)\Z")
SMALL = "-small.webp"


def media_name(content: bytes) -> str:
    """The name of a picture that was made here; ValueError for what is none."""
    header = read_header(content)
    if header is None:
        raise ValueError("not a picture")
    return f"{hashlib.sha256(content).hexdigest()[:40]}.{header.format.lower()}"


def small_name(name: str) -> str:
    """The name of the small one that was made beside a large one."""
    return f"{name.partition('.')[0]}{SMALL}"


def small_path(path: str) -> str:
    """The same of a path on this node."""
    folder, _slash, name = path.rpartition("/")
    return f"{folder}/{small_name(name)}"


def media_type(name: str) -> str:
    """`image/webp`, by the end of a name."""
    return f"image/{name.rpartition('.')[2]}"


def media_url(origin: str, name: str) -> str:
    """Where everybody finds it."""
    return f"{origin}/media/{name}"


def path_of(folder: Path, name: str) -> Path | None:
    """The file of a name; None for what is not a name, which never becomes a path (SECURITY 102)."""
    return folder / name if NAME.match(name) else None
