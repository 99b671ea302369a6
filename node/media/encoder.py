"""A process of its own that decodes one picture and makes new ones: `python -m node.media.encoder FORMAT SHAPE...`.

A decoder is C code that a stranger feeds. Here it has its own memory, little of it, and its own time, and dies with
it. In: the file on standard input, its format as the only one that may be tried. Out: for each shape four bytes of
length (big-endian) and a picture, with nothing in it but its pixels; of something that moves, the first frame.
"""

from __future__ import annotations

import io
import resource
import struct
import sys
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from PIL.Image import Image

Shape = Literal["square", "large", "small", "shown"]
"""square: of the middle, for people. large: what other servers are given, JPEG, or PNG where one can see through it.

small: for lists. shown: of another server's, for a page.
"""

SIDES: dict[Shape, int] = {"square": 400, "large": 2_048, "small": 800, "shown": 1_280}
MEMORY = 1 << 30  # bytes
SECONDS = 10
QUALITY = 86
QUALITY_OF_MANY = 80
BROKEN = 3


def main() -> None:
    """Exit code 3: not a picture of that format."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    body = sys.stdin.buffer.read()
    wanted = [shape for shape in SIDES if shape in sys.argv[2:]]
    try:
        made = shapes(body, sys.argv[1], wanted)
    except Exception:  # noqa: BLE001 - whatever a decoder stumbles over, it is the picture's fault
        sys.exit(BROKEN)
    for content in made:
        sys.stdout.buffer.write(struct.pack(">I", len(content)) + content)


def shapes(body: bytes, format: str, wanted: list[Shape]) -> list[bytes]:
    """A picture, upright, in each shape, none larger than it was; wanted: in the order of `SIDES`."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # the header has been checked against our own limit
    side = 2 * max(SIDES[shape] for shape in wanted)
    with Image.open(io.BytesIO(body), formats=[format]) as picture:
        picture.draft("RGB", (side, side))  # a large JPEG is decoded at a fraction of its size
        picture.load()
        ImageOps.exif_transpose(picture, in_place=True)
        clear = picture.has_transparency_data
        whole = picture.convert("RGBA" if clear else "RGB")
    if clear and whole.getchannel("A").getextrema() == (255, 255):
        whole = whole.convert("RGB")
    whole.info.clear()  # Pillow writes a comment or a profile that it has read into what it saves
    return [_made(whole, shape) for shape in wanted]


def _made(whole: Image, shape: Shape) -> bytes:
    from PIL import Image, ImageOps

    if shape == "square":
        side = min(SIDES[shape], *whole.size)
        return _saved(ImageOps.fit(whole, (side, side), Image.Resampling.LANCZOS), "WEBP", quality=QUALITY, method=4)
    copy = whole if max(whole.size) <= SIDES[shape] else _fitted(whole, SIDES[shape])
    if shape != "large":
        return _saved(copy, "WEBP", quality=QUALITY_OF_MANY, method=4)
    if copy.mode == "RGBA":
        return _saved(copy, "PNG", optimize=True)
    return _saved(copy, "JPEG", quality=QUALITY, optimize=True, progressive=True)


def _fitted(whole: Image, side: int) -> Image:
    from PIL import Image

    scale = side / max(whole.size)
    width, height = (max(1, round(length * scale)) for length in whole.size)
    return whole.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _saved(picture: Image, format: str, **options: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


if __name__ == "__main__":
    main()
