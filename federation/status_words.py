"""Whether a credential was taken back, as far as it can be known today (W3C Bitstring Status List 1.0 §3.2).

A list counts when its issuer is that of the credential and it is signed with the same key, or with one that is known
to be the issuer's. What was once revoked stays so, whatever a later list says. A list that came along with the
credential, or was kept from before, says how it stood then: it speaks where the issuer no longer does.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from federation.credential_keys import signed
from federation.desk import Desk
from federation.errors import FederationError
from federation.said import Said
from federation.verdict_words import Verdict, why
from keys.material import PublicKey
from schemas.credentials import Credential, Status, parse_credential
from schemas.errors import SchemaError
from schemas.status_lists import bit, decode

FRESH = timedelta(days=1)
"""For how long a list that was kept says how things stand, where its issuer does not answer."""
MAX_LISTS = 4
MAX_STATUSES = 3
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
    """What one list says. is_set: it was taken back. until: until when the list counts, as its issuer says."""

    is_set: bool
    as_of: datetime
    until: datetime | None
    document: dict[str, Any]


async def taken_back(credential: Credential, public: PublicKey | None, desk: Desk) -> Standing:
    """Whether it was taken back, or suspended. public: the key that signed the credential."""
    asked = [status for status in credential.statuses if status.purpose in PURPOSES][:MAX_STATUSES]
    found = [await _of_one(status, credential, public, desk) for status in asked]
    if credential.status_unread or len(asked) < len(credential.statuses):
        found.append(Standing(UNREAD))
    return min(found, key=lambda standing: ORDER.index(standing.verdict.outcome), default=Standing(NO_LIST))


async def _of_one(status: Status, credential: Credential, public: PublicKey | None, desk: Desk) -> Standing:
    fetched, reason = await _fetched(status, credential, public, desk)
    kept = [await _read(document, status, credential, public, desk) for document in desk.lists[:MAX_LISTS]]
    words = [word for word in (fetched, *kept) if isinstance(word, Word)]
    newest = max(words, key=lambda word: (word.is_set, word.as_of), default=None)
    verdict = _verdict(status, credential, fetched, newest, reason, desk.now)
    return Standing(verdict, None if newest is None else newest.document)


def _verdict(
    status: Status, credential: Credential, fetched: Word | None, newest: Word | None, reason: str, now: datetime
) -> Verdict:
    if newest is not None and newest.is_set:
        return _revoked(status, credential, newest)
    if fetched is not None and (fetched.until is None or fetched.until > now):
        clear = "It has not been taken back: the list of {day} has no mark at entry {entry}."
        return Verdict("holds", Said(clear, day=fetched.as_of, entry=status.index))
    if fetched is not None:
        reason = Said("it has not been renewed since {day}", day=fetched.as_of)
    return _as_of(newest, reason, now)


def _revoked(status: Status, credential: Credential, word: Word) -> Verdict:
    taken = "{author} has taken it back: entry {entry} of the list of {day} is marked."
    if status.purpose == "suspension":
        taken = "{author} has suspended it: entry {entry} of the list of {day} is marked."
    return Verdict("fails", Said(taken, author=credential.issuer_id, entry=status.index, day=word.as_of))


def _as_of(newest: Word | None, reason: str, now: datetime) -> Verdict:
    if newest is None:
        return Verdict(
            "unknown",
            Said("Whether it was taken back is not known. Its list could not be used: {reason}.", reason=reason),
        )
    as_of = Said(
        "Not taken back as of {day}. Its list could not be used today: {reason}.", day=newest.as_of, reason=reason
    )
    is_fresh = now - newest.as_of <= FRESH and (newest.until is None or newest.until > now)
    return Verdict("holds" if is_fresh else "unknown", as_of)


async def _fetched(
    status: Status, credential: Credential, public: PublicKey | None, desk: Desk
) -> tuple[Word | None, str]:
    """What the list says that stands at its address now; or None and why."""
    try:
        document = await desk.document(status.list_url)
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
        if found.kind != "status list" or found.id != status.list_url or found.list_bits is None:
            return Said("what stands at its address is not that list")
        if found.issuer_id != credential.issuer_id or found.list_purpose != status.purpose:
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
    return Word(is_set, found.valid_from, found.valid_until, document)
