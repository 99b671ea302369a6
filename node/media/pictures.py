"""Taking pictures in: refused by their first bytes, decoded elsewhere, made anew, kept under what they contain."""

from __future__ import annotations

import asyncio
import os
import struct
import sys
from pathlib import Path
from typing import NamedTuple

from node.errors import Invalid
from node.language import _
from node.media.encoder import BROKEN, Shape
from node.media.headers import Header, read_header
from node.media.names import media_name, media_type, path_of, small_name

MAX_BYTES = 4_000_000  # of a portrait
MAX_ATTACHED = 8_000_000  # of a picture that goes with a post
MAX_PIXELS = 50_000_000
MIN_SIDE = 16
SECONDS = 15.0
AT_ONCE = 2

FIELD = "picture"
_KINDS = _("Choose a JPEG, PNG, WebP or GIF.")


class Made(NamedTuple):
    """A picture that was made of an upload: the name of the large one, width and height in pixels."""

    name: str
    media_type: str
    width: int
    height: int
    files: dict[str, bytes]


class Pictures:
    """The media folder of one node."""

    def __init__(self, media: Path) -> None:
        self._media = media
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def take_in(self, body: bytes) -> str:
        """An uploaded portrait -> the name of the square one that was made of it. Raises Invalid for `picture`."""
        (made,) = await self.make(body, "square", most=MAX_BYTES, least=MIN_SIDE)
        name = media_name(made)
        await self.keep({name: made})
        return name

    async def prepare(self, body: bytes) -> Made:
        """An uploaded picture -> a large and a small one, not kept yet. Raises Invalid for `picture`."""
        large, small = await self.make(body, "large", "small", most=MAX_ATTACHED)
        name, header = media_name(large), read_header(large)
        assert header is not None
        files = {name: large, small_name(name): small}
        return Made(name, media_type(name), header.width, header.height, files)

    async def make(self, body: bytes, *shapes: Shape, most: int, least: int = 1) -> list[bytes]:
        """A picture of anybody's in these shapes. Raises Invalid: no picture, too large, too small, broken.

        most: bytes of the file. least: pixels of each side.
        """
        header = _checked(body, most, least)
        async with self._slots:
            return await _encode(body, header, shapes)

    async def keep(self, files: dict[str, bytes]) -> None:
        """Write each under a name that only its content has."""
        for name, content in files.items():
            await asyncio.to_thread(_keep, self._media, name, content)

    async def read(self, name: str) -> bytes | None:
        """A kept picture; None for a name that is none, or that is not there."""
        return await asyncio.to_thread(_read, self._media, name)

    async def drop(self, name: str) -> None:
        """Remove a picture that nobody shows any more."""
        await asyncio.to_thread(remove, self._media, name)


def _checked(body: bytes, most: int, least: int) -> Header:
    if len(body) > most:
        raise _refused(_("This file is larger than {size} MB. Choose a smaller one.", size=most // 1_000_000))
    header = read_header(body)
    if header is None:
        raise _refused(_("This file is not a picture that can be shown here. {kinds}", kinds=_KINDS))
    if header.width * header.height > MAX_PIXELS:
        sentence = _("This picture has {width} by {height} points. Make it smaller, and try again.",
                     width=header.width, height=header.height)  # fmt: skip
        raise _refused(sentence)
    if min(header.width, header.height) < least:
        raise _refused(_("This picture is too small. It needs at least {least} points on each side.", least=least))
    return header


async def _encode(body: bytes, header: Header, shapes: tuple[Shape, ...]) -> list[bytes]:
    """In a process of its own, with a deadline."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-m", "node.media.encoder", header.format, *shapes,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env={},
    )  # fmt: skip
    try:
        written, _errors = await asyncio.wait_for(process.communicate(body), SECONDS)
    except TimeoutError:
        raise _refused(_("This picture takes too long to read. Choose another one.")) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    made = _split(written)
    if process.returncode == BROKEN or len(made) != len(shapes):
        raise _refused(_("This picture is broken. Save it anew, or choose another one. {kinds}", kinds=_KINDS))
    return made


def _split(written: bytes) -> list[bytes]:
    made, at = [], 0
    while len(written) - at > 4:
        (length,) = struct.unpack_from(">I", written, at)
        made.append(written[at + 4 : at + 4 + length])
        at += 4 + length
    return made


def _refused(sentence: str) -> Invalid:
    return Invalid({FIELD: sentence})


def _keep(media: Path, name: str, content: bytes) -> None:
    """Durably, and never half."""
    path = path_of(media, name)
    if path is None or path.exists():
        return
    media.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = media / f".{name}.{os.getpid()}"
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def _read(media: Path, name: str) -> bytes | None:
    path = path_of(media, name)
    try:
        return None if path is None else path.read_bytes()
    except FileNotFoundError:
        return None


def remove(media: Path, name: str) -> None:
    """Remove a file of the media folder, if it is one and there."""
    path = path_of(media, name)
    if path is not None:
        path.unlink(missing_ok=True)
