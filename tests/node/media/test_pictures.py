"""Pictures are refused by what they are, not by what they are called, and made anew (SECURITY 100, 102, 109)."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from node.errors import Invalid
from node.media.headers import Header, read_header
from node.media.names import NAME
from node.media.pictures import MAX_BYTES, Pictures

GPS = 0x8825


def picture(kind: str = "PNG", size: tuple[int, int] = (600, 300), **options: object) -> bytes:
    """Left half red, right half blue."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, size[0], size[1]))
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that says that it is enormous."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes(height * (width // 8 + 2)), 9))
    return b"\x89PNG\r\n\x1a\n" + head + rows + chunk(b"IEND", b"")


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    return Pictures(tmp_path / "media")


def made(tmp_path: Path, name: str) -> Image.Image:
    return Image.open(tmp_path / "media" / name)


KINDS = (
    ("PNG", {}),
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("GIF", {}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
)


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_the_size_stands_in_the_first_bytes(kind: str, options: dict[str, object]):
    assert read_header(picture(kind, (123, 45), **options)) == Header(kind, 123, 45)


def test_an_animated_webp_says_its_size_too():
    frames = [Image.new("RGBA", (70, 50), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    assert read_header(out.getvalue()) == Header("WEBP", 70, 50)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_no_beginning_of_a_picture_breaks_the_reader(kind: str):
    whole = picture(kind, (64, 64))
    for end in range(min(len(whole), 400)):
        read_header(whole[:end])
    for at in range(min(len(whole), 200)):
        read_header(whole[:at] + b"\xff" + whole[at + 1 :])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
async def test_a_picture_becomes_a_square_of_its_middle(pictures: Pictures, tmp_path: Path, kind: str):
    name = await pictures.take_in(picture(kind, (900, 500)))
    assert NAME.match(name)
    with made(tmp_path, name) as image:
        assert (image.format, image.size) == ("WEBP", (400, 400))
        left, right = (image.convert("RGB").getpixel((x, 200)) for x in (20, 380))
    assert left[0] > 200 > 60 > left[2]
    assert right[2] > 200 > 60 > right[0]
    assert await pictures.read(name) == (tmp_path / "media" / name).read_bytes()
    assert await pictures.take_in(picture(kind, (900, 500))) == name, "the same content has the same name"
    assert [path.name for path in (tmp_path / "media").iterdir()] == [name], "no drafts stay"


async def test_a_small_picture_is_not_blown_up(pictures: Pictures, tmp_path: Path):
    with made(tmp_path, await pictures.take_in(picture(size=(90, 120)))) as image:
        assert image.size == (90, 90)


async def test_place_and_camera_are_gone_and_the_picture_is_upright(pictures: Pictures, tmp_path: Path):
    """SECURITY 109."""
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(GPS)[1] = "N"
    body = picture("JPEG", exif=exif, comment=b"SecretWord")
    assert b"SecretCamera" in body
    name = await pictures.take_in(body)
    content = (tmp_path / "media" / name).read_bytes()
    assert b"Secret" not in content
    with made(tmp_path, name) as image:
        assert not image.getexif()
        assert image.convert("RGB").getpixel((20, 200))[2] > 200, "blue stands on the left now"


async def test_transparency_stays(pictures: Pictures, tmp_path: Path):
    out = io.BytesIO()
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(out, "PNG")
    with made(tmp_path, await pictures.take_in(out.getvalue())) as image:
        assert image.mode == "RGBA"


REFUSED = {
    "an SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "HTML": b"<!doctype html><script>alert(1)</script>",
    "a PDF": b"%PDF-1.7 /JS (app.alert(1))",
    "JSON for another server": b'{"@context":"https://www.w3.org/ns/activitystreams","type":"Note"}',
    "a TIFF": b"II*\x00" + bytes(100),
    "nothing": b"",
    "half a PNG": picture("PNG")[:40],
    "a PNG that is none": b"\x89PNG\r\n\x1a\n" + picture("JPEG"),
    "a GIF with HTML behind it": b"GIF89a" + struct.pack("<HH", 100, 100) + b"<script>alert(1)</script>",
    "a speck": picture(size=(8, 8)),
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
async def test_anything_else_is_refused_whatever_its_name(pictures: Pictures, tmp_path: Path, body: bytes):
    with pytest.raises(Invalid) as refused:
        await pictures.take_in(body)
    assert list(refused.value.errors) == ["picture"]
    assert not (tmp_path / "media").exists(), "nothing was written"


async def test_an_enormous_picture_is_refused_before_it_is_decoded(
    pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """13,000 by 13,000 points in 20 KB cost 820 MB when decoded."""
    body = bomb(13_000, 13_000)
    assert len(body) < 40_000
    monkeypatch.setattr("node.media.pictures._encode", None)
    with pytest.raises(Invalid, match="13000 by 13000"):
        await pictures.take_in(body)
    assert not (tmp_path / "media").exists()


async def test_one_that_is_just_small_enough_is_decoded_within_its_memory(pictures: Pictures, tmp_path: Path):
    name = await pictures.take_in(bomb(7_000, 7_000))
    assert (tmp_path / "media" / name).exists()


async def test_a_large_file_is_refused(pictures: Pictures):
    with pytest.raises(Invalid, match="4 MB"):
        await pictures.take_in(picture() + bytes(MAX_BYTES))


async def test_a_decoder_that_does_not_end_is_ended(pictures: Pictures, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("node.media.pictures.SECONDS", 0.001)
    with pytest.raises(Invalid, match="takes too long"):
        await pictures.take_in(picture())


@pytest.mark.parametrize("name", ["../freehold.db", "master.key", "", ".", "a" * 5_000, "0" * 40 + ".webp\n", "\0",
                                  "/etc/passwd", f"../{'0' * 40}.webp"])  # fmt: skip
async def test_a_name_never_becomes_a_path(pictures: Pictures, tmp_path: Path, name: str):
    """SECURITY 102."""
    (tmp_path / "master.key").write_text("secret")
    assert await pictures.read(name) is None
    await pictures.drop(name)
    assert (tmp_path / "master.key").exists()


async def test_a_dropped_picture_is_gone(pictures: Pictures, tmp_path: Path):
    name = await pictures.take_in(picture())
    await pictures.drop(name)
    assert await pictures.read(name) is None
    await pictures.drop(name)
