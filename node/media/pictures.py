"""Taking pictures in: refused by their first bytes, decoded elsewhere, made anew, kept under what they contain."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from node.errors import Invalid
from node.media.encoder import BROKEN
from node.media.headers import Header, read_header
from node.media.names import NAME, media_name

MAX_BYTES = 4_000_000
MAX_PIXELS = 50_000_000
MIN_SIDE = 16
SECONDS = 15.0
AT_ONCE = 2

FIELD = "picture"
_KINDS = "Choose a JPEG, PNG, WebP or GIF."


class Pictures:
    """The media folder of one node."""

    def __init__(self, media: Path) -> None:
        self._media = media
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def take_in(self, body: bytes) -> str:
        """An uploaded picture -> the name of the square one that was made of it. Raises Invalid."""
        header = _checked(body)
        async with self._slots:
            made = await _encode(body, header)
        return await asyncio.to_thread(_keep, self._media, made)

    async def read(self, name: str) -> bytes | None:
        """A kept picture; None for a name that is none, or that is not there."""
        return await asyncio.to_thread(_read, self._media, name)

    async def drop(self, name: str) -> None:
        """Remove a picture that nobody shows any more."""
        if NAME.match(name):
            await asyncio.to_thread((self._media / name).unlink, missing_ok=True)


def _checked(body: bytes) -> Header:
    if len(body) > MAX_BYTES:
        raise _refused(f"This file is larger than {MAX_BYTES // 1_000_000} MB. Choose a smaller one.")
    header = read_header(body)
    if header is None:
        raise _refused(f"This file is not a picture that can be shown here. {_KINDS}")
    if header.width * header.height > MAX_PIXELS:
        raise _refused(f"This picture has {header.width} by {header.height} points. Make it smaller, and try again.")
    if min(header.width, header.height) < MIN_SIDE:
        raise _refused(f"This picture is too small. It needs at least {MIN_SIDE} points on each side.")
    return header


async def _encode(body: bytes, header: Header) -> bytes:
    """In a process of its own, with a deadline."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-m", "node.media.encoder", header.format,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env={},
    )  # fmt: skip
    try:
        made, _ = await asyncio.wait_for(process.communicate(body), SECONDS)
    except TimeoutError:
        raise _refused("This picture takes too long to read. Choose another one.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == BROKEN or not made:
        raise _refused(f"This picture is broken. Save it anew, or choose another one. {_KINDS}")
    return made


def _refused(sentence: str) -> Invalid:
    return Invalid({FIELD: sentence})


def _keep(media: Path, content: bytes) -> str:
    """Write under a name that only this content has, durably, and never half."""
    name = media_name(content)
    path = media / name
    if path.exists():
        return name
    media.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = media / f".{name}.{os.getpid()}"
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    return name


def _read(media: Path, name: str) -> bytes | None:
    if not NAME.match(name):
        return None
    try:
        return (media / name).read_bytes()
    except FileNotFoundError:
        return None
