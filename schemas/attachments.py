"""What comes with a text: pictures, films, sounds, files, links (ActivityStreams 2.0 vocabulary §4, `attachment`)."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from schemas.base import localised, many, objects_of, text_of
from schemas.urls import url_of

Kind = Literal["image", "video", "audio", "file", "link"]

MAX_ATTACHMENTS = 20
MAX_DESCRIPTION = 2_000
MAX_SIDE = 100_000  # pixels
MAX_SIZE = 1 << 50  # bytes

_BY_TYPE: dict[str, Kind] = {"Image": "image", "Video": "video", "Audio": "audio", "Link": "link"}
_BY_MEDIA: dict[str, Kind] = {"image": "image", "video": "video", "audio": "audio"}
_BY_ENDING: dict[str, Kind] = {
    **dict.fromkeys(("jpg", "jpeg", "png", "gif", "webp", "avif", "heic", "svg"), "image"),
    **dict.fromkeys(("mp4", "webm", "mov", "m4v", "ogv", "m3u8"), "video"),
    **dict.fromkeys(("mp3", "ogg", "oga", "opus", "flac", "wav", "m4a", "aac"), "audio"),
}  # fmt: skip
_PAGE = "text/html"


class Attachment(msgspec.Struct, frozen=True):
    """A thing that comes with a text, with the words that describe it. width, height in pixels, size in bytes."""

    url: str
    media_type: str
    description: str
    type: str = "Document"
    width: int | None = None
    height: int | None = None
    size: int | None = None
    sensitive: bool = False

    @property
    def kind(self) -> Kind:
        """What it is: by its media type, else its type, else the end of its address."""
        by_media = _BY_MEDIA.get(self.media_type.partition("/")[0].lower())
        if by_media or self.media_type:
            return by_media or ("link" if self.type == "Link" or self.media_type == _PAGE else "file")
        path = self.url.partition("?")[0].partition("#")[0]
        return _BY_TYPE.get(self.type) or _BY_ENDING.get(path.rpartition(".")[2].lower()) or "file"


def attachments_of(document: dict[str, Any]) -> tuple[Attachment, ...]:
    """What comes with an object, at most 20, each address once: attachments, its `image`, and what it is itself.

    An Image, Video or Audio that is an object of its own is its own attachment. Malformed for absurdly long lists.
    """
    found: list[Attachment | None] = []
    if document.get("type") in ("Image", "Video", "Audio"):
        found.append(_attachment(document, name=localised(document, "name", limit=MAX_DESCRIPTION)))
    for member in ("attachment", "image"):
        found += [_attachment(item) for item in many(document.get(member))[:MAX_ATTACHMENTS]]
    by_url = {item.url: item for item in reversed(found) if item is not None}
    return tuple(dict.fromkeys(by_url[item.url] for item in found if item is not None))[:MAX_ATTACHMENTS]


def _attachment(item: Any, *, name: str = "") -> Attachment | None:
    if isinstance(item, str):
        url = url_of(item)
        return None if url is None else Attachment(url, "", "", "Link")
    if not isinstance(item, dict):
        return None
    link = _link(item)
    url = url_of(link.get("href")) if link else None
    if link is None or url is None:
        return None
    return Attachment(
        url=url,
        media_type=text_of(link.get("mediaType") or item.get("mediaType"), limit=100).partition(";")[0].strip().lower(),
        description=name or _words(item),
        type=text_of(item.get("type"), limit=50) or "Document",
        width=_number(link.get("width") or item.get("width"), MAX_SIDE),
        height=_number(link.get("height") or item.get("height"), MAX_SIDE),
        size=_number(link.get("size") or item.get("size"), MAX_SIZE),
        sensitive=item.get("sensitive") is True,
    )


def _words(item: dict[str, Any]) -> str:
    return localised(item, "name", limit=MAX_DESCRIPTION) or localised(item, "summary", limit=MAX_DESCRIPTION)


def _link(item: dict[str, Any]) -> dict[str, Any] | None:
    """Of several addresses the one of the thing itself, before the one of a page about it."""
    value = item.get("url")
    if value is None:
        return item if "href" in item else None
    links = [{"href": link} if isinstance(link, str) else link for link in many(value)[:MAX_ATTACHMENTS]]
    usable = [link for link in objects_of(links) if url_of(link.get("href")) is not None]
    things = [link for link in usable if link.get("mediaType") != _PAGE]
    return next(iter(things or usable), None)


def _number(value: Any, most: int) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= most else None


def write_picture(url: str, media_type: str, alt: str, width: int, height: int) -> dict[str, Any]:
    """A picture as Mastodon and GoToSocial read it; its description is its `name`, and left out where there is none."""
    document = {"type": "Document", "mediaType": media_type, "url": url, "width": width, "height": height}
    return document | ({"name": alt} if alt else {})
