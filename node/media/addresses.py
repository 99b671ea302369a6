"""The addresses under which this node shows pictures of other servers. Pure.

A browser asks us and nobody else. So that nobody can let us fetch what they like (SECURITY 71), an address carries
our own signature over three things: which picture, what names it (an object or an actor that is stored here), and in
which shape it is shown. It is made only where such a thing is put on a page.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from dataclasses import dataclass
from typing import Literal

from schemas.urls import url_of

Shown = Literal["square", "shown"]
SHAPES: tuple[Shown, ...] = ("square", "shown")
PURPOSE = "addresses of pictures of other servers 1"

_SIGNATURE = re.compile(r"[0-9a-f]{40}\Z")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an address of ours asks for. id: its signature; subject: the id of what names the picture."""

    id: str
    shape: Shown
    subject: str
    url: str


class Addresses:
    """Makes and reads them. key: of this node alone, `keys.vault.Vault.derived(PURPOSE)`."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, picture: str, subject: str, shape: Shown = "shown") -> str:
        """Where this node shows a picture; a path of our own is shown where it is."""
        if picture.startswith("/"):
            return picture
        return f"/media/remote/{self._sign(shape, subject, picture)}/{shape}/{_packed(subject)}/{_packed(picture)}"

    def read(self, signature: str, shape: str, subject: str, url: str) -> Wanted | None:
        """The parts of a path -> what is asked for; None for what we did not sign."""
        known = next((one for one in SHAPES if one == shape), None)
        named, wanted = _unpacked(subject), _unpacked(url)
        if known is None or named is None or wanted is None or not _SIGNATURE.match(signature):
            return None
        if not hmac.compare_digest(signature, self._sign(known, named, wanted)) or url_of(wanted) is None:
            return None
        return Wanted(signature, known, named, wanted)

    def _sign(self, shape: str, subject: str, url: str) -> str:
        message = "\n".join((shape, subject, url)).encode()  # no part holds a line's end: `url_of` refuses it
        return hmac.digest(self._key, message, "sha256").hex()[:40]


def _packed(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _unpacked(text: str) -> str | None:
    """The text, if `_packed` writes it so and in no other way."""
    try:
        found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    return found if _packed(found) == text else None
