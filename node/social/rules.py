"""What a post must say, and to whom. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from node.fields import Fields, paragraphs

MAX_POST = 10_000

Reach = Literal["public", "followers", "direct"]
REACHES: tuple[Reach, ...] = ("public", "followers", "direct")


@dataclass(frozen=True, slots=True)
class PostDraft:
    """A post form, checked. audience: everybody, those who follow, or one person, whose handle or address `to` is."""

    body_md: str
    audience: Reach
    to: str = ""


def parse_post(form: Mapping[str, str]) -> PostDraft:
    """The post form -> draft; raises Invalid.

    Fields: body (Markdown), audience (public | followers | direct), to (`@name@host` or an address). Whoever names
    somebody in `to` writes to them alone.
    """
    fields = Fields(form)
    body = fields.read("body", paragraphs(MAX_POST, "A post"), "")
    if not body:
        fields.wrong("body", "Write something first.")
    to = fields.text("to")[:500]
    audience = "direct" if to else fields.text("audience") or "public"
    if audience not in REACHES:
        fields.wrong("audience", "Choose who can see it: everybody, your followers, or one person.")
    fields.check()
    return PostDraft(body, cast(Reach, audience), to)
