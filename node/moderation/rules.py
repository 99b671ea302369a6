"""What a report may say, and how many of them are heard. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from node.fields import Fields, paragraphs
from node.language import _

MAX_WORDS = 5_000
MAX_OBJECTS = 50
MAX_ID = 2_048
A_DAY = timedelta(days=1)
MAX_A_DAY = 50  # of one server; more say nothing new
MAX_OPEN = 1_000
KEEP = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class ReportDraft:
    """A report form, checked. object_ids: what of theirs it is about. forward: whether their server is told."""

    words: str
    object_ids: tuple[str, ...]
    forward: bool


def parse_report(form: Mapping[str, str], object_ids: Sequence[str]) -> ReportDraft:
    """The report form -> draft; raises Invalid. Fields: words, forward; object_ids: the posts that were ticked."""
    fields = Fields(form)
    words = fields.read("words", paragraphs(MAX_WORDS, _("A report")), "")
    if not words:
        fields.wrong("words", _("Say in a sentence what is wrong."))
    fields.check()
    chosen = tuple(dict.fromkeys(one for one in object_ids[:MAX_OBJECTS] if len(one) <= MAX_ID))
    return ReportDraft(words, chosen, form.get("forward") == "yes")
