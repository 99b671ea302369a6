"""What is mailed, in words: confirmations, news at once, and the daily letter. Pure but for the rows it reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.storage import Tx
from node.accounts.tables import accounts
from node.language import ENGLISH, Sentence, _, _n, say
from node.mail.commands import queue
from node.notifications import queries
from node.notifications.queries import News
from node.notifications.rules import Kind
from node.notifications.tables import mail_addresses, notifications

DAY = timedelta(days=1)
AT_ONCE = 200
MOST_AT_ONCE = 10_000
MAX_LINES = 30


class Letter(NamedTuple):
    """A mail to be written. Plain text."""

    subject: str
    text: str


def letter(language: str | None, subject: Sentence, *paragraphs: Sentence | str) -> Letter:
    """A mail in its reader's language."""
    chosen = language or ENGLISH
    return Letter(say(subject, chosen), "\n\n".join(str(say(part, chosen)) for part in paragraphs) + "\n")


def confirmation(origin: str, username: str, secret: str, language: str | None) -> Letter:
    """Is this address yours?"""
    return letter(
        language,
        _("Confirm your address"),
        _("@{name} at {origin} wants to get mail at this address.", name=username, origin=origin),
        _("If that is you, open this link within two days:"),
        f"{origin}/settings/notices/confirm/{secret}",
        _("If it is not you, do nothing. Nothing more will come."),
    )


_ALONE: dict[Kind, Sentence] = {
    "follow": _("{name} follows you."),
    "follow_request": _("{name} asks to follow you."),
    "mention": _("{name} named you: {title}"),
    "reply": _("{name} answered you: {title}"),
    "like": _("{name} likes “{title}”."),
    "boost": _("{name} passed on “{title}”."),
    "message": _("{name} wrote to you."),
    "enquiry": _("{name} asks you something."),
    "moved": _("{name} has moved to another server. You follow them there."),
    "new_key": _("{name} signs with a new key, which the old one did not confirm. Ask them whether it is theirs."),
    "credential": _("{name} gave you a credential: {words}"),
    "endorsement": _("{name} endorses a skill of yours: {words}"),
    "ended_credential": _("A credential that you hold is no longer in force: {words}"),
    "report": _("Somebody reports something: {words}"),
    "availability": _("You have not confirmed for 30 days whether you are free. Does your answer still hold?"),
    "operator": _("Your node needs you: {words}"),
}
_TOGETHER: dict[Kind, Callable[..., Sentence]] = {
    "follow": lambda count, **values: _n(
        "{name} and {count} other follow you.", "{name} and {count} others follow you.", count, **values
    ),
    "like": lambda count, **values: _n(
        "{name} and {count} other like “{title}”.", "{name} and {count} others like “{title}”.", count, **values
    ),
    "boost": lambda count, **values: _n(
        "{name} and {count} other passed on “{title}”.",
        "{name} and {count} others passed on “{title}”.",
        count,
        **values,
    ),
}


def sentence(news: News) -> Sentence:
    """One line of news in words."""
    name = news.people[0].name if news.people else news.visitor or _("Somebody")
    values = {"name": name, "title": news.thing.title if news.thing else "…", "words": news.words}
    others = news.actors - 1
    if others > 0 and news.kind in _TOGETHER:
        return _TOGETHER[news.kind](others, **values)
    return Sentence(_ALONE[news.kind].one, None, 0, values)


def write_letters(tx: Tx, origin: str) -> int:
    """Queue what is to be mailed now: what is wanted at once, and the daily letter of whoever's day is over.

    Returns how many letters. Run from housekeeping; what was looked at already is not mailed any more.
    """
    written = 0
    for person in _who_waits(tx):
        news = _waiting(tx, person.actor_id, daily=tx.now - person.digest_at >= DAY)
        if news:
            _write(tx, origin, person.address, person.unsubscribe, person.language, news)
            written += 1
    over = mail_addresses.c.digest_at <= tx.now - DAY
    tx.execute(sa.update(mail_addresses).where(over).values(digest_at=tx.now))
    _let_go(tx)
    return written


def _who_waits(tx: Tx) -> Sequence[Row[Any]]:
    """Confirmed addresses of those for whom something is new: the others cost nothing."""
    waiting = (notifications.c.mailed_at.is_(None), notifications.c.read_at.is_(None))
    readers = sa.select(notifications.c.reader).where(*waiting).order_by(notifications.c.id).limit(MOST_AT_ONCE)
    statement = sa.select(mail_addresses, accounts.c.language).join(
        accounts, accounts.c.actor_id == mail_addresses.c.actor_id
    )
    return tx.rows(statement.where(mail_addresses.c.confirmed_at.is_not(None), mail_addresses.c.actor_id.in_(readers)))


def _waiting(tx: Tx, actor_id: str, *, daily: bool) -> list[News]:
    """Unread and not mailed yet, of the kinds that are mailed now; they count as mailed from here on."""
    wanted = [
        kind for kind, how in queries.choices_of(tx, actor_id).items() if how == "now" or (daily and how == "daily")
    ]
    fresh = (
        notifications.c.reader == actor_id,
        notifications.c.mailed_at.is_(None),
        notifications.c.read_at.is_(None),
        notifications.c.kind.in_(wanted),
    )
    rows = tx.rows(sa.select(notifications).where(*fresh).order_by(notifications.c.id.desc()).limit(AT_ONCE))
    if not rows:
        return []
    ids = [row.id for row in rows]
    tx.execute(sa.update(notifications).where(notifications.c.id.in_(ids)).values(mailed_at=tx.now))
    return queries.news_of(tx, actor_id, rows)


def _write(tx: Tx, origin: str, address: str, unsubscribe: str, language: str | None, news: list[News]) -> None:
    told = [sentence(_discreet(one)) for one in news]
    lines = "\n".join(f"- {say(one, language or ENGLISH)}" for one in told[:MAX_LINES])
    subject = told[0] if len(news) == 1 else _n("{count} thing is new", "{count} things are new", len(news))
    stop = f"{origin}/unsubscribe/{unsubscribe}"
    made = letter(
        language,
        subject,
        lines,
        f"{origin}/notifications",
        _("You get this because you asked your node to mail you. To stop all mails: {url}", url=stop),
    )
    queue(tx, address, made.subject, made.text, unsubscribe=stop)


def _discreet(news: News) -> News:
    """Without a word of what is not for everybody: a mail is read by every server on its way."""
    return replace(news, thing=None) if news.thing is not None and not news.thing.is_open else news


def _let_go(tx: Tx) -> None:
    """Of people without an address, and what was read: nothing waits to be mailed for ever."""
    reads = sa.select(mail_addresses.c.actor_id).where(mail_addresses.c.confirmed_at.is_not(None))
    idle = sa.or_(notifications.c.reader.not_in(reads), notifications.c.read_at.is_not(None))
    some = sa.select(notifications.c.id).where(notifications.c.mailed_at.is_(None), idle).limit(1_000)
    tx.execute(sa.update(notifications).where(notifications.c.id.in_(some)).values(mailed_at=tx.now))
