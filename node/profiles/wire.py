"""Profile <-> actor document: what programs read, and the rows and the summary that everybody can."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html import escape, unescape
from typing import Any

from federation.authors import Author
from node.language import Sentence
from node.profiles.answers import answer
from node.profiles.rules import GUARDED, MAX_LINKS, Audience, ProfileDraft
from node.text import markdown, one_line, plain
from node.web import words
from schemas.actors import Actor, ActorDraft, write_actor
from schemas.cv import SECTIONS, Cv, Entry
from schemas.money import Rate
from schemas.profiles import Card, FreelanceProfile
from schemas.urls import parse_url, url_of

NO_CV = Cv()
REL = "me nofollow noopener noreferrer"
_HREF = re.compile(r'<a [^<>]{0,1000}?href="([^"<>]{1,2048})"')


def to_actor(
    author: Author,
    profile: ProfileDraft,
    *,
    kind: str,
    published: str,
    icon: str | None,
    today: date,
    cv: Cv = NO_CV,
    card: str | None = None,
) -> dict[str, Any]:
    """The actor document of a profile, without its proof. kind: Person or Organization. icon: a URL of a WebP.

    card: where the CV stands, instead of `cv`, when it is too long.
    """
    ids = author.ids
    return write_actor(
        ActorDraft(
            id=author.actor_id,
            type=kind,
            username=author.username,
            name=profile.name,
            summary=_with_headline(markdown(profile.summary_md), profile.headline),
            url=ids.page(author.username),
            inbox=author.inbox,
            shared_inbox=ids.shared_inbox,
            published=published,
            acct=ids.acct(author.username),
            keys=author.keys,
            icon=(icon, "image/webp") if icon else None,
            discoverable=profile.discoverable,
            indexable=profile.indexable,
            manually_approves=profile.approves,
            profile=structured(profile, cv),
            rows=_rows(profile, today),
            card=card,
        )
    )


def structured(profile: ProfileDraft, cv: Cv) -> FreelanceProfile:
    """What programs read of a draft."""
    return FreelanceProfile(
        headline=profile.headline,
        skills=profile.skills,
        languages=profile.languages,
        rate=profile.rate,
        availability=profile.availability,
        levels={code: profile.levels[code] for code in profile.languages if code in profile.levels},
        cv=cv,
    )


NOTHING: dict[str, Any] = {
    "availability": None,
    "summary": "",
    "rate": None,
    "skills": (),
    "languages": (),
    "links": (),
}


def part_for(draft: ProfileDraft, who: Audience) -> ProfileDraft:
    """Only what is for these, and for nobody else, of the fields that may be for some only."""
    others = [name for name in GUARDED if draft.audiences.get(name, "public") != who]
    blank = {"summary_md" if name == "summary" else name: NOTHING[name] for name in others}
    return replace(draft, audiences={}, **blank)


def to_card(draft: ProfileDraft, cv: Cv, today: date) -> tuple[Card | None, str]:
    """What is for some only, and the same in words; None where that is nothing. draft: see `part_for`."""
    profile = structured(replace(draft, headline=""), cv)
    if profile == FreelanceProfile() and not draft.summary_md and not draft.links:
        return None, ""
    summary = markdown(draft.summary_md)
    rows = [f"<p>{escape(name)}: {value}</p>" for name, value in _rows(draft, today)]
    skills = ", ".join(skill.name for skill in draft.skills)
    words = [summary, *rows, f"<p>{escape(skills)}</p>" if skills else "", _lines(cv)]
    card = Card(id="", owner="", profile=profile, summary=summary, links=draft.links)
    return card, "\n".join(word for word in words if word)


def cv_card(cv: Cv) -> tuple[Card, str]:
    """A CV that stands beside the actor's document, and the same in words."""
    return Card(id="", owner="", profile=FreelanceProfile(cv=cv)), _lines(cv)


def _lines(cv: Cv) -> str:
    """A CV for servers that know none."""
    return "\n".join(_line(entry) for section in SECTIONS for entry in cv.of(section))


def _line(entry: Entry) -> str:
    said = [", ".join(part for part in (entry.title, entry.organisation, entry.place) if part)]
    when = words.span(entry.start, entry.end)
    return f"<p>{escape(' · '.join(part for part in (*said, str(when)) if part))}</p>"


def _rows(profile: ProfileDraft, today: date) -> tuple[tuple[str, str], ...]:
    """Other servers show these as a table; those that verify links find rel=me."""
    rows = []
    if profile.availability is not None:
        rows.append(("Free from", escape(answer(profile.availability, today).row)))
    if profile.rate is not None:
        rows.append(("Rate", escape(rate_words(profile.rate))))
    return (*rows, *(("Web", _link(url)) for url in profile.links))


def rate_words(rate: Rate) -> Sentence:
    """EUR 68 an hour."""
    return words.rate_words(rate.amount, rate.currency, rate.unit)


def _link(url: str) -> str:
    return f'<a href="{escape(url)}" rel="{REL}">{escape(link_words(url))}</a>'


def link_words(url: str) -> str:
    """A link as people read it: the whole host, and the path where there is one."""
    parsed = parse_url(url)
    return parsed.authority + (parsed.target if parsed.target != "/" else "")


def links_of(actor: Actor) -> tuple[str, ...]:
    """The addresses in the rows of an actor, ours or another's."""
    found: dict[str, None] = {}
    for _, value in actor.attachments:
        for href in _HREF.findall(value):
            if url := url_of(unescape(href)):
                found[url] = None
        if url := url_of(value.strip()):
            found[url] = None
    return tuple(found)[:MAX_LINKS]


def rows_of(actor: Actor) -> tuple[tuple[str, str], ...]:
    """The rows of an actor as plain words, but those that are only a link, which `links_of` has."""
    found = ((one_line(name, 100), plain(value, 300)) for name, value in actor.attachments if not _HREF.search(value))
    return tuple((name, value) for name, value in found if name and value)


def _headline_html(headline: str) -> str:
    return f"<p><strong>{escape(headline)}</strong></p>\n" if headline else ""


def _with_headline(summary: str, headline: str) -> str:
    """Servers that know no headline show it as the first line."""
    return (_headline_html(headline) + summary).strip()


def without_headline(summary: str, headline: str) -> str:
    """The way back."""
    return summary.removeprefix(_headline_html(headline).strip()).strip() if headline else summary
