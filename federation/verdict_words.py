"""The verdicts that more than one kind of document gets, each in one place and one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from federation.errors import Busy, Gone, NotFound, Unreachable, Unsafe
from federation.said import Said
from keys.errors import BadSignature
from schemas.urls import origin_of, url_of

Outcome = Literal["holds", "fails", "unknown"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One answer: `holds`, `fails` or `unknown`, and a sentence that says what was seen (of ours a `Said`)."""

    outcome: Outcome
    sentence: str


class Offline(Unreachable):
    """Whoever checks has no network, or wants none."""


REASONS: tuple[tuple[type[Exception], Said], ...] = (
    (Offline, Said("there is no network")),
    (Busy, Said("too much is being asked for just now")),
    (Unreachable, Said("it does not answer")),
    (Gone, Said("it says that this is gone")),
    (NotFound, Said("it knows nothing of this")),
    (Unsafe, Said("its address is not one that may be asked")),
    (Exception, Said("its answer is not what was asked for")),
)


def why(error: Exception) -> Said:
    """Why somebody could not be asked, in words that give nothing away of the network of whoever asks."""
    return next(words for kind, words in REASONS if isinstance(error, kind))


HOLDS = Verdict("holds", Said("The signature holds: nothing was changed since it was signed."))
NOT_TRIED = Verdict("unknown", Said("The key could not be had, so the signature could not be tried."))
NOT_LOOKED_AT = Verdict("unknown", Said("Not looked at: what is not signed cannot be in force."))


def does_not_hold(error: Exception) -> Verdict:
    """A signature that was tried."""
    if type(error) is BadSignature:
        changed = "The signature does not hold: this is not what was signed, or another key signed it."
        return Verdict("fails", Said(changed))
    return Verdict("fails", Said("The signature does not hold: {reason}.", reason=str(error)))


def pinned(author: str) -> Verdict:
    """Nobody was asked, and nobody had to be."""
    return Verdict("holds", Said("The key of {author}, pinned from an earlier meeting.", author=author))


def unlisted_but_pinned(author: str) -> Verdict:
    """Its owner was met while the key was theirs."""
    return Verdict("holds", Said("A key of {author} that was pinned; it is no longer listed.", author=author))


def unlisted(author: str) -> Verdict:
    """The origin knows nothing of the key."""
    return Verdict("fails", Said("{author} does not list this key.", author=author))


def not_vouched(author: str, error: Exception) -> Verdict:
    """The origin answers, and not as the author."""
    vouch = "The author's server does not vouch for {author}: {reason}."
    return Verdict("fails", Said(vouch, author=author, reason=why(error)))


def expired(author: str, since: datetime) -> Verdict:
    """Signed when the key counted no more."""
    return Verdict("fails", Said("{author} signs nothing with this key since {day}.", author=author, day=since))


def seen_before(author: str, revoked: datetime) -> Verdict:
    """A key that was stolen later than this came here."""
    before = "The key of {author}, in other hands since {day}; this was here before that."
    return Verdict("holds", Said(before, author=author, day=revoked))


def signed_later(author: str, revoked: datetime) -> Verdict:
    """By its own date it was signed by whoever had stolen the key."""
    later = "{who} says that this key has been in other hands since {day}, and this was signed later."
    return Verdict("fails", Said(later, who=author, day=revoked))


def any_date(author: str, revoked: datetime) -> Verdict:
    """By its own date it is older than the theft, which proves nothing."""
    older = (
        "{who} says that this key has been in other hands since {day}. "
        "By its date this is older, but whoever has the key can write any date."
    )
    return Verdict("unknown", Said(older, who=author, day=revoked))


def unconfirmed(author: str) -> Verdict:
    """Somebody has the name of the server now; whether it is still the same is not known."""
    said = "The key of {author}, as its server says. No key that was pinned has named it."
    return Verdict("unknown", Said(said, author=author))


def named_by_pinned(author: str) -> Verdict:
    """A key was changed as planned."""
    said = "The key of {author}, checked at its origin, and named by one that was pinned."
    return Verdict("holds", Said(said, author=author))


def at_origin(author: str, new_since: datetime | None, expires: datetime | None) -> Verdict:
    """The origin names the key today. new_since: since when, where no older key has named it."""
    said = Said("The key of {author}, checked at its origin just now.", author=author)
    if new_since is not None:
        new = "{before} It is new since {day}: the server says so, the old key did not confirm it."
        said = Said(new, before=said, day=new_since)
    if expires is not None:
        said = Said("{before} What it signs counts until {day}.", before=said, day=expires)
    return Verdict("holds", said)


def could_not_ask(author: str, error: Exception) -> Verdict:
    """The origin did not answer."""
    if not url_of(author):
        return Verdict("unknown", Said("Could not ask anybody whose key it is: {reason}.", reason=why(error)))
    asked = "Could not ask {server} whose key it is: {reason}."
    return Verdict("unknown", Said(asked, server=origin_of(author), reason=why(error)))
