"""What somebody answers to "are you free yet?", in a sentence, and how long it counts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from node.language import Sentence, Spoken, _, _n
from node.web import words
from node.web.words import Day, Tagged
from schemas.profiles import Availability, AvailabilityStatus

LATELY = timedelta(days=30)
"""An older answer is shown as not confirmed, its owner is asked, and the next save confirms it anew."""

NOT_SAID = _("They have not said yet.")


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer, with a day only while that day is to come. status None: nothing was said.

    row: the same for the profile's row "Free from". updated: when it was confirmed. sentence: in plain words.
    """

    status: AvailabilityStatus | None
    from_date: date | None
    hours: int | None
    updated: datetime | None
    row: str
    sentence: Sentence

    @property
    def markup(self) -> Tagged:
        """The sentence with its day as `<time>`, whose first two words stay together in large type."""
        if self.from_date is None:
            return Tagged(self.sentence)
        return Tagged(self.sentence, day=words.time_tag(self.from_date, Day(self.from_date, tight=True)))

    def is_stale(self, now: datetime) -> bool:
        """Whether nobody has confirmed it lately."""
        return self.status is not None and (self.updated is None or now - self.updated > LATELY)

    @property
    def since(self) -> Sentence:
        """Since when nobody has confirmed it: what is said where it is stale."""
        if self.updated is None:
            return _("Never confirmed")
        return _("Not confirmed since {day}", day=words.day(self.updated))

    def freshness(self, now: datetime) -> Spoken:
        """When it was said, as people say it."""
        if self.updated is None:
            return Spoken()
        days = (now.date() - self.updated.date()).days
        if days < 2:
            return _("Said yesterday") if days == 1 else _("Said today")
        if days > LATELY.days:
            return _("Said on {day}", day=words.day(self.updated))
        return _n("Said {count} day ago", "Said {count} days ago", days)


def answer(availability: Availability | None, today: date) -> Answer:
    """What an availability answers on a day."""
    if availability is None:
        return Answer(None, None, None, None, "", NOT_SAID)
    coming = availability.from_date if availability.from_date and availability.from_date > today else None
    hours = availability.hours_per_week or None
    row = _row(availability.status, coming, hours)
    if availability.updated is not None:
        row = f"{row} (said on {words.day(availability.updated)})"
    return Answer(
        availability.status, coming, hours, availability.updated, row, _say(availability.status, coming, hours)
    )


def _say(status: AvailabilityStatus, coming: date | None, hours: int | None) -> Sentence:
    if status == "busy":
        return _("No. Ask again from {day}.", day=words.day(coming)) if coming else _("No. Ask again later.")
    return _say_yes(coming, hours) if status == "open" else _say_a_little(coming, hours)


def _say_yes(coming: date | None, hours: int | None) -> Sentence:
    if coming is None:
        return _n("Yes, {count} hour a week.", "Yes, {count} hours a week.", hours) if hours else _("Yes.")
    day = words.day(coming)
    if hours is None:
        return _("Yes, from {day}.", day=day)
    return _n("Yes, from {day}, {count} hour a week.", "Yes, from {day}, {count} hours a week.", hours, day=day)


def _say_a_little(coming: date | None, hours: int | None) -> Sentence:
    if coming is None:
        if hours is None:
            return _("A little.")
        return _n("A little, {count} hour a week.", "A little, {count} hours a week.", hours)
    day = words.day(coming)
    if hours is None:
        return _("A little, from {day}.", day=day)
    return _n(
        "A little, from {day}, {count} hour a week.", "A little, from {day}, {count} hours a week.", hours, day=day
    )


def _row(status: AvailabilityStatus, coming: date | None, hours: int | None) -> str:
    """Behind the words "Free from", for servers that show rows: in English, since it is written once for everybody."""
    if status == "busy":
        return f"Not now. Ask again from {words.day(coming)}" if coming else "Not now"
    when = words.day(coming) if coming else "Now"
    much = f"{hours} hour{'' if hours == 1 else 's'} a week" if hours else ""
    if status == "open":
        return f"{when}, {much}" if much else str(when)
    return f"{when}, a little: {much}" if much else f"{when}, a little"
