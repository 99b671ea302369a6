"""What a post must say, and to whom. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from node.fields import Fields, line, paragraphs
from node.language import _

MAX_POST = 10_000
MAX_WARNING = 200
MAX_PINS = 5
MAX_PICTURES = 4
MAX_ID = 2048

Reach = Literal["public", "unlisted", "followers", "direct"]
REACHES: tuple[Reach, ...] = ("public", "unlisted", "followers", "direct")  # from the widest to the narrowest


@dataclass(frozen=True, slots=True)
class PostDraft:
    """A post form, checked.

    audience: everybody, everybody but in no list, those who follow, or those alone who are named: in the text, or one
    person whose handle or address `to` is. warning: plain words behind which the text is folded. in_reply_to: the id
    of what it answers. attachments: ids of pictures that its author uploaded before.
    """

    body_md: str
    audience: Reach
    to: str = ""
    warning: str = ""
    in_reply_to: str = ""
    attachments: tuple[str, ...] = ()


def parse_post(form: Mapping[str, str]) -> PostDraft:
    """The post form -> draft; raises Invalid.

    Fields: body (Markdown), audience (one of REACHES), to (`@name@host` or an address), warning, in_reply_to, media
    (ids of pictures, with spaces between). Whoever names somebody in `to` writes to them alone.
    """
    fields = Fields(form)
    body = fields.read("body", paragraphs(MAX_POST, _("A post")), "")
    media = tuple(dict.fromkeys(fields.text("media")[:2_000].split()))
    if not body and not media:
        fields.wrong("body", _("Write something first."))
    if len(media) > MAX_PICTURES:
        fields.wrong("media", _("Give at most {most} pictures.", most=MAX_PICTURES))
    to = fields.text("to")[:500]
    audience = "direct" if to else fields.text("audience") or "public"
    if audience not in REACHES:
        fields.wrong("audience", _("Choose who can see it: everybody, your followers, or those whom you name."))
    warning = fields.read("warning", line(MAX_WARNING, _("A warning")), "")
    fields.check()
    return PostDraft(body, cast(Reach, audience), to, warning, fields.text("in_reply_to")[:MAX_ID], media)


def narrower(one: Reach, other: Reach) -> Reach:
    """Of two the one that fewer people see: an answer is for no more people than what it answers."""
    return max(one, other, key=REACHES.index)
