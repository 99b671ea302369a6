"""A process of its own that decodes one picture and makes a new one: `python -m node.media.encoder FORMAT`.

A decoder is C code that a stranger feeds. Here it has its own memory, little of it, and its own time, and dies with
it. In: the file on standard input, its format as the only one that may be tried. Out: a square WebP, with nothing in
it but its pixels.
"""

from __future__ import annotations

import io
import resource
import sys

SIDE = 400
MEMORY = 1 << 30  # bytes
SECONDS = 10
QUALITY = 86
BROKEN = 3


def main() -> None:
    """Exit code 3: not a picture of that format."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    body = sys.stdin.buffer.read()
    try:
        made = square(body, sys.argv[1])
    except Exception:  # noqa: BLE001 - whatever a decoder stumbles over, it is the picture's fault
        sys.exit(BROKEN)
    sys.stdout.buffer.write(made)


def square(body: bytes, format: str) -> bytes:
    """The middle of a picture, upright, at most 400 pixels a side, as WebP."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # the header has been checked against our own limit
    with Image.open(io.BytesIO(body), formats=[format]) as picture:
        picture.draft("RGB", (2 * SIDE, 2 * SIDE))  # a large JPEG is decoded at a fraction of its size
        picture.load()
        ImageOps.exif_transpose(picture, in_place=True)
        side = min(SIDE, *picture.size)
        fitted = ImageOps.fit(picture.convert("RGBA"), (side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    opaque = fitted.getchannel("A").getextrema() == (255, 255)
    (fitted.convert("RGB") if opaque else fitted).save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue()


if __name__ == "__main__":
    main()
