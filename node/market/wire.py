"""Gig <-> FEP-0837 proposal in the shape of a Note.

A gig's `content` begins with its title and its terms in words, and ends with its hashtags: that is what servers show
that know no gigs. Where we read one of our own kind, both are cut off again, since the page says them better.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from html import escape
from urllib.parse import quote_plus

from msgspec.structs import replace

from federation.ids import Ids
from node.language import _, _n
from node.market.rules import GigDraft, end_of
from node.text import clean, markdown, plain
from node.web import words
from schemas.market import Gig
from schemas.money import Skill, Unit
from schemas.notes import Tag

MAX_HASHTAGS = 10
_WORD = re.compile(r"[^\W_]+")
PURPOSES = {"offer": "Offered", "request": "Looking for somebody"}


def to_gig(ids: Ids, gig_id: str, owner: str, draft: GigDraft, *, closed_at: datetime | None = None) -> Gig:
    """The gig that a draft becomes. closed_at: its owner takes no more answers from then on."""
    gig = Gig(
        id=gig_id,
        owner=owner,
        purpose=draft.purpose,
        title=draft.title,
        content="",
        unit=draft.unit,
        skills=draft.skills,
        price=draft.price,
        currency=draft.currency,
        available=draft.available,
        minimum=draft.minimum,
        updated=closed_at,
        end_time=closed_at or end_of(draft.until),
        url=ids.object_page(gig_id),
        tags=hashtags(ids.origin, draft.skills),
    )
    return replace(gig, content="\n".join(filter(None, (head(gig), markdown(draft.body_md), tail(gig)))))


def body_of(gig: Gig) -> str:
    """The clean HTML of a gig's own text, without head and tail where they are those that we write."""
    return clean(gig.content.removeprefix(head(gig)).removesuffix(tail(gig)))


def head(gig: Gig) -> str:
    """Title and terms in words; a closed gig says so first."""
    over = gig.end_time is not None and gig.updated is not None and gig.end_time <= gig.updated
    closed = "<p><strong>Closed.</strong> This gig takes no more answers.</p>\n" if over else ""
    return f"{closed}<p><strong>{escape(gig.title)}</strong></p>\n<p>{escape(terms(gig, closed=over))}</p>"


def terms(gig: Gig, *, closed: bool = False) -> str:
    """Offered: EUR 85.00 an hour. At least 3 hours, 40 hours in all. Answers until 4 December 2026."""
    said = [f"{PURPOSES[gig.purpose]}: {price_words(gig.price, gig.currency, gig.unit)}."]
    counts = quantity_words(gig.minimum, gig.available, gig.unit)
    if counts:
        said.append(f"{counts}.")
    if gig.end_time is not None and not closed:
        said.append(f"Answers until {words.day(gig.end_time.astimezone(UTC).date())}.")
    return " ".join(said)


def price_words(price: Decimal | None, currency: str | None, unit: Unit) -> str:
    """EUR 85.00 an hour; or that it is to be agreed."""
    if price is None or currency is None:
        return "price to be agreed"
    return f"{words.money(price, currency)} {words.UNITS[unit]}"


def quantity_words(minimum: Decimal | None, available: Decimal | None, unit: Unit) -> str:
    """At least 3 hours, 40 hours in all."""
    least = count_words(minimum, unit) if minimum is not None else ""
    most = count_words(available, unit) if available is not None else ""
    if least and most:
        return _("At least {least}, {most} in all", least=least, most=most)
    if least:
        return _("At least {least}", least=least)
    return _("{most} in all", most=most) if most else ""


def count_words(number: Decimal, unit: Unit) -> str:
    """1 hour, 2.5 days."""
    figure = format(number.normalize(), ",f")
    form = 1 if number == 1 else 2  # languages have forms for whole numbers; 2.5 takes that of many
    if unit == "hour":
        return _n("{count} hour", "{count} hours", form, count=figure)
    return _n("{count} day", "{count} days", form, count=figure) if unit == "day" else figure


def hashtags(origin: str, skills: tuple[Skill, ...]) -> tuple[Tag, ...]:
    """#InterfaceDesign for each skill whose name can be one; the link leads to gigs of that kind here."""
    tags: dict[str, Tag] = {}
    for skill in skills:
        joined = "".join(word[:1].upper() + word[1:] for word in _WORD.findall(skill.name))
        if len(joined) > 1 and not joined.isdigit() and len(tags) < MAX_HASHTAGS:
            href = f"{origin}/gigs?q={quote_plus(skill.name)}"
            tags.setdefault(joined.casefold(), Tag("Hashtag", f"#{joined}", href))
    return tuple(tags.values())


def tail(gig: Gig) -> str:
    """The hashtags as links."""
    links = [
        f'<a href="{escape(tag.href)}" class="mention hashtag" rel="tag">{escape(tag.name)}</a>'
        for tag in gig.tags
        if tag.type == "Hashtag" and tag.href
    ]
    return f"<p>{' '.join(links)}</p>" if links else ""


def search_words(title: str, body: str, skills: tuple[Skill, ...]) -> str:
    """What a search looks through, in small letters."""
    return "\n".join((title, *(skill.name for skill in skills), plain(body, 2_000))).casefold()
