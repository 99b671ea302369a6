"""Whether a credential was taken back, as far as it can be known today (W3C Bitstring Status List 1.0 §3.2).

A list counts when its issuer is that of the credential and it is signed with the same key, or with one that is known
to be the issuer's. What was once revoked stays so, whatever a later list says. A list that came along with the
credential, or was kept from before, says how it stood then: it speaks where the issuer no longer does.

Somebody who has moved carries their lists on where they live now: such a list names the one before. It counts when its
issuer is known to be the same person as the issuer of the credential, or to have claimed the identity that is named in
there as the issuer's; it is asked for where the list itself cannot be used, and where the issuer says to have moved.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from federation.credential_keys import signed
from federation.desk import Desk
from federation.errors import FederationError
from federation.said import Said
from federation.verdict_words import Verdict, why
from keys.material import PublicKey
from schemas.actors import Actor
from schemas.credentials import Credential, Status, parse_credential
from schemas.errors import SchemaError
from schemas.status_lists import bit, decode

FRESH = timedelta(days=1)
"""For how long a list that was kept says how things stand, where its issuer does not answer."""
MAX_LISTS = 8
MAX_STATUSES = 3
MAX_SUCCESSORS = 2
PURPOSES = ("revocation", "suspension")
ORDER = ("fails", "unknown", "holds")
UNREAD = Verdict(
    "unknown", Said("It names a status of a kind that cannot be read here, so it may have been taken back.")
)
NO_LIST = Verdict("holds", Said("It names no list on which its issuer could take it back."))


class Standing(NamedTuple):
    """The verdict, and the newest list that was believed, as it came: what is to be kept."""

    verdict: Verdict
    newest: dict[str, Any] | None = None


class Word(NamedTuple):
    """What one list says. is_set: it was taken back. until: until when the list counts, as its `author` says."""

    is_set: bool
    as_of: datetime
    until: datetime | None
    document: dict[str, Any]
    author: str

    def counts(self, now: datetime) -> bool:
        """Whether it still does."""
        return self.until is None or self.until > now


def carried_on_at(actor_id: str, list_url: str) -> str:
    """Where somebody says what has become of a list of theirs, of where they lived before."""
    return f"{actor_id}/status?{urlencode({'formerly': list_url})}"


async def taken_back(credential: Credential, public: PublicKey | None, desk: Desk) -> Standing:
    """Whether it was taken back, or suspended. public: the key that signed the credential."""
    asked = [status for status in credential.statuses if status.purpose in PURPOSES][:MAX_STATUSES]
    found = [await _of_one(status, credential, public, desk) for status in asked]
    if credential.status_unread or len(asked) < len(credential.statuses):
        found.append(Standing(UNREAD))
    return min(found, key=lambda standing: ORDER.index(standing.verdict.outcome), default=Standing(NO_LIST))


async def _of_one(status: Status, credential: Credential, public: PublicKey | None, desk: Desk) -> Standing:
    fetched, reason = await _fetched(status.list_url, status, credential, public, desk)
    carried = await _carried_on(status, credential, public, desk, fetched)
    kept = [await _read(document, status, credential, public, desk) for document in desk.lists[:MAX_LISTS]]
    words = [word for word in (fetched, *carried, *kept) if isinstance(word, Word)]
    newest = max(words, key=lambda word: (word.is_set, word.as_of), default=None)
    if newest is not None and newest.is_set:
        return Standing(_revoked(status, newest), newest.document)
    current = next((word for word in (fetched, *carried) if word is not None and word.counts(desk.now)), None)
    verdict = _as_of_now(status, credential, current) if current else _as_of_then(fetched, newest, reason, desk.now)
    return Standing(verdict, None if newest is None else newest.document)


async def _carried_on(
    status: Status, credential: Credential, public: PublicKey | None, desk: Desk, fetched: Word | None
) -> list[Word]:
    """What those say who are the same person as the issuer, where the list does not count or its issuer has moved."""
    others = _successors(credential, desk)
    asked = desk.asked.get(credential.issuer_id)
    if fetched is not None and fetched.counts(desk.now):
        others = [other for other in others if isinstance(asked, Actor) and asked.moved_to == other]
    found = []
    for other in others[:MAX_SUCCESSORS]:
        word, _reason = await _fetched(carried_on_at(other, status.list_url), status, credential, public, desk)
        if word is not None:
            found.append(word)
    return found


def _successors(credential: Credential, desk: Desk) -> list[str]:
    """Other actors of its issuer, the last known first: as known here, or by the identity that is written into it."""
    names = [credential.issuer_id, *([credential.issuer_identity] if credential.issuer_identity else [])]
    known = dict.fromkeys(owner for name in names for owner in desk.people.get(name, ()))
    return [owner for owner in reversed(known) if owner != credential.issuer_id]


def _as_of_now(status: Status, credential: Credential, word: Word) -> Verdict:
    if word.author == credential.issuer_id:
        clear = "It has not been taken back: the list of {day} has no mark at entry {entry}."
        return Verdict("holds", Said(clear, day=word.as_of, entry=status.index))
    carried = "It has not been taken back: {who}, who is the same person as its issuer, says so as of {day}."
    return Verdict("holds", Said(carried, who=word.author, day=word.as_of))


def _as_of_then(fetched: Word | None, newest: Word | None, reason: str, now: datetime) -> Verdict:
    if fetched is not None:
        reason = Said("it has not been renewed since {day}", day=fetched.as_of)
    return _as_of(newest, reason, now)


def _revoked(status: Status, word: Word) -> Verdict:
    taken = "{author} has taken it back: entry {entry} of the list of {day} is marked."
    if status.purpose == "suspension":
        taken = "{author} has suspended it: entry {entry} of the list of {day} is marked."
    return Verdict("fails", Said(taken, author=word.author, entry=status.index, day=word.as_of))


def _as_of(newest: Word | None, reason: str, now: datetime) -> Verdict:
    if newest is None:
        return Verdict(
            "unknown",
            Said("Whether it was taken back is not known. Its list could not be used: {reason}.", reason=reason),
        )
    as_of = Said(
        "Not taken back as of {day}. Its list could not be used today: {reason}.", day=newest.as_of, reason=reason
    )
    is_fresh = now - newest.as_of <= FRESH and newest.counts(now)
    return Verdict("holds" if is_fresh else "unknown", as_of)


async def _fetched(
    url: str, status: Status, credential: Credential, public: PublicKey | None, desk: Desk
) -> tuple[Word | None, str]:
    """What the list says that stands at an address now; or None and why."""
    try:
        document = await desk.document(url)
    except FederationError as error:
        return None, why(error)
    word = await _read(document, status, credential, public, desk)
    return (word, "") if isinstance(word, Word) else (None, word)


async def _read(
    document: dict[str, Any], status: Status, credential: Credential, public: PublicKey | None, desk: Desk
) -> Word | str:
    """What a list says of an entry, or why it says nothing that counts."""
    try:
        found = parse_credential(document)
        carries_on = found.list_formerly == status.list_url and found.issuer_id in _successors(credential, desk)
        if found.kind != "status list" or found.list_bits is None or not (found.id == status.list_url or carries_on):
            return Said("what stands at its address is not that list")
        is_theirs = carries_on or found.issuer_id == credential.issuer_id
        if not is_theirs or found.list_purpose != status.purpose:
            return Said("it is of another issuer or purpose")
        is_set = bit(decode(found.list_bits), status.index)
    except SchemaError as error:
        return Said("it cannot be read ({reason})", reason=str(error))
    mark = await signed(document, found.issuer_id, found.issuer_key, desk)
    same_key = public is not None and mark.public == public and mark.signature.outcome == "holds"
    if mark.signature.outcome != "holds" or not (same_key or mark.key.outcome == "holds"):
        return Said("it is not signed with a key that is known to be the issuer's")
    if found.valid_from is None or found.valid_from > desk.now:
        return Said("it does not say of when it is")
    return Word(is_set, found.valid_from, found.valid_until, document, found.issuer_id)
