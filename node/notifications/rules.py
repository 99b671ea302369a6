"""Which kinds of news there are, and what of them is mailed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Literal, get_args

from node.errors import Invalid
from node.language import _

Kind = Literal[
    "follow",
    "follow_request",
    "mention",
    "reply",
    "like",
    "boost",
    "message",
    "enquiry",
    "moved",
    "new_key",
    "credential",
    "endorsement",
    "ended_credential",
    "report",
    "availability",
    "operator",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
GROUPED: frozenset[Kind] = frozenset({"follow", "like", "boost", "message"})
"""Several of these about one thing, or in one conversation, stand in one line."""

_CREDENTIALS: tuple[Kind, ...] = ("credential", "endorsement", "ended_credential")

TABS: dict[str, tuple[str, tuple[Kind, ...]]] = {
    "": (_("All"), KINDS),
    "people": (
        _("People"),
        ("follow", "follow_request", "moved", "new_key", *_CREDENTIALS, "like", "boost"),
    ),
    "words": (_("Answers"), ("mention", "reply", "message", "enquiry")),
    "server": (_("Your node"), ("availability", "report", "operator")),
}

How = Literal["now", "daily", "never"]
HOWS: tuple[How, ...] = get_args(How)


@dataclass(frozen=True, slots=True)
class Choice:
    """A line of the settings: one or more kinds that are chosen together."""

    name: str
    label: str
    kinds: tuple[Kind, ...]
    default: How


CHOICES = (
    Choice("reach", _("Messages and enquiries"), ("message", "enquiry"), "now"),
    Choice("words", _("Answers and mentions"), ("mention", "reply"), "daily"),
    Choice("follows", _("New followers, and who asks to follow"), ("follow", "follow_request", "moved"), "daily"),
    Choice("keys", _("Somebody you follow signs with a key that nobody knows"), ("new_key",), "now"),
    Choice(
        "credentials",
        _("Credentials: you are given one, or one no longer holds"),
        _CREDENTIALS,
        "daily",
    ),
    Choice("echo", _("Who likes your posts or passes them on"), ("like", "boost"), "never"),
    Choice("node", _("What your node needs of you"), ("availability", "report", "operator"), "now"),
)
DEFAULTS: dict[Kind, How] = {kind: choice.default for choice in CHOICES for kind in choice.kinds}

MAX_ADDRESS = 254


def parse_address(text: str) -> str:
    """An address for mail: `name@host`, nothing around it; raises ValueError with the sentence."""
    text = text.strip()
    wrong = ValueError(_("This is not a mail address. Write it as name@example.eu."))
    if not 3 <= len(text) <= MAX_ADDRESS or not text.isascii() or any(char in text for char in ' \t\r\n"(),:;<>[\\]'):
        raise wrong
    name, at, host = text.partition("@")
    if parseaddr(text)[1] != text or not name or not at or "." not in host.strip(".") or "@" in host:
        raise wrong
    if "=?" in text:  # an encoded word (RFC 2047) is one address to us and another to whoever decodes it
        raise wrong
    return f"{name}@{host.lower()}"


def parse_choices(form: Mapping[str, str]) -> dict[Kind, How]:
    """The settings form -> how each kind is mailed; raises Invalid."""
    chosen: dict[Kind, How] = {}
    for choice in CHOICES:
        how = form.get(choice.name, choice.default)
        if how not in HOWS:
            raise Invalid({choice.name: _("Choose one of these: at once, once a day, or never.")})
        chosen |= dict.fromkeys(choice.kinds, how)
    return chosen
