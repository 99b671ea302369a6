"""Profile <-> actor document: what programs read, and the rows and the summary that everybody can."""

from __future__ import annotations

import re
from datetime import date
from html import escape, unescape
from typing import Any

from federation.authors import Author
from node.profiles.rules import MAX_LINKS, ProfileDraft, answer
from node.text import markdown
from node.web import words
from schemas.actors import Actor, ActorDraft, FreelanceProfile, write_actor
from schemas.money import Rate
from schemas.urls import parse_url, url_of

REL = "me nofollow noopener noreferrer"
_HREF = re.compile(r'<a [^<>]{0,1000}?href="([^"<>]{1,2048})"')


def to_actor(
    author: Author, profile: ProfileDraft, *, kind: str, published: str, icon: str | None, today: date
) -> dict[str, Any]:
    """The actor document of a profile, without its proof. kind: Person or Organization. icon: a URL of a WebP."""
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
            rsa_key_id=author.rsa_key_id,
            rsa_pem=author.rsa.public.pem,
            ed25519_key_id=author.ed25519_key_id,
            ed25519_multibase=author.ed25519.public.multibase,
            icon=(icon, "image/webp") if icon else None,
            discoverable=profile.discoverable,
            indexable=profile.indexable,
            profile=_structured(profile),
            rows=_rows(profile, today),
        )
    )


def _structured(profile: ProfileDraft) -> FreelanceProfile:
    return FreelanceProfile(
        headline=profile.headline,
        skills=profile.skills,
        languages=profile.languages,
        rate=profile.rate,
        availability=profile.availability,
    )


def _rows(profile: ProfileDraft, today: date) -> tuple[tuple[str, str], ...]:
    """Other servers show these as a table; those that verify links find rel=me."""
    rows = []
    if profile.availability is not None:
        rows.append(("Free from", escape(answer(profile.availability, today).row)))
    if profile.rate is not None:
        rows.append(("Rate", escape(rate_words(profile.rate))))
    return (*rows, *(("Web", _link(url)) for url in profile.links))


def rate_words(rate: Rate) -> str:
    """EUR 68 an hour."""
    return f"{words.short_money(rate.amount, rate.currency)} {words.UNITS[rate.unit]}"


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


def _headline_html(headline: str) -> str:
    return f"<p><strong>{escape(headline)}</strong></p>\n" if headline else ""


def _with_headline(summary: str, headline: str) -> str:
    """Servers that know no headline show it as the first line."""
    return (_headline_html(headline) + summary).strip()


def without_headline(summary: str, headline: str) -> str:
    """The way back."""
    return summary.removeprefix(_headline_html(headline).strip()).strip() if headline else summary
