"""What a message and a visitor's question must say, and how long things are kept. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from node.fields import Fields, line, paragraphs
from node.language import _
from node.notifications.rules import parse_address

MAX_MESSAGE = 5_000
MAX_NAME = 80
MAX_PEOPLE = 20
CONFIRM_WITHIN = timedelta(days=2)
KEEP_ENQUIRIES = timedelta(days=365)  # after the last word
MAX_WAITING = 200  # questions of one reader that nobody has confirmed
TRAP = "website"
"""A field that no person sees, and that programs fill in."""


@dataclass(frozen=True, slots=True)
class Question:
    """A visitor's form, checked. trapped: a program filled it in."""

    name: str
    address: str
    text: str
    trapped: bool


def parse_question(form: Mapping[str, str]) -> Question:
    """Fields: name, address, text, and the trap; raises Invalid."""
    fields = Fields(form)
    name = fields.read("name", line(MAX_NAME, _("A name")), "")
    address = fields.read("address", parse_address, "")
    text = fields.read("text", paragraphs(MAX_MESSAGE, _("A message")), "")
    if not name:
        fields.wrong("name", _("Write your name."))
    if not address:
        fields.wrong("address", _("Write your mail address: the answer goes there."))
    if not text:
        fields.wrong("text", _("Write what you want to ask."))
    fields.check()
    return Question(name, address, text, bool(fields.text(TRAP)))


def parse_message(form: Mapping[str, str]) -> str:
    """The text of an answer; raises Invalid."""
    fields = Fields(form)
    text = fields.read("text", paragraphs(MAX_MESSAGE, _("A message")), "")
    if not text:
        fields.wrong("text", _("Write something first."))
    fields.check()
    return text


def key_of(people: Iterable[str]) -> str:
    """What the conversations of the same people have in common."""
    return hashlib.sha256("\n".join(sorted(people)).encode()).hexdigest()
