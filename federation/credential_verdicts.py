"""The three verdicts about anything that was signed; and about a credential, what each of them rests on.

    signature   the bytes are as they were signed
    key         whose key that is: see `credential_keys`
    force       within its dates, and not taken back: see `status_words`

Beside these stands about whom it speaks. Pages, commands and programs all ask `examine`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from federation import verdicts
from federation.credential_keys import signed
from federation.desk import Desk
from federation.said import Said
from federation.status_words import Standing, taken_back
from federation.verdict_words import NOT_LOOKED_AT, Outcome, Verdict
from federation.verdicts import Verdicts
from schemas.base import many
from schemas.credentials import Credential, is_credential, is_presentation, parse_credential
from schemas.errors import SchemaError

MAX_PRESENTED = 5
NOT_SAID = Verdict("unknown", Said("It does not say about whom it is."))


@dataclass(frozen=True, slots=True)
class CredentialVerdicts(Verdicts):
    """The three answers about a credential, and what they rest on.

    suite: of the proof that was tried. newest_list: the newest status list that was believed, as it came.
    anew: the same words as their issuer has signed them again, after the first key was in other hands.
    """

    credential: Credential | None = None
    subject: Verdict = NOT_SAID
    dates: Verdict = NOT_LOOKED_AT
    revocation: Verdict = NOT_LOOKED_AT
    suite: str | None = None
    newest_list: dict[str, Any] | None = None
    anew: dict[str, Any] | None = None

    @property
    def overall(self) -> Outcome:
        """As of any document; and `fails` where somebody shows what is about somebody else."""
        outcomes = {self.signature.outcome, self.key.outcome, self.force.outcome}
        if "fails" in outcomes or self.subject.outcome == "fails":
            return "fails"
        return "unknown" if "unknown" in outcomes else "holds"


async def examine(document: dict[str, Any], desk: Desk) -> Verdicts:
    """Check what came: a credential, alone or presented with its status lists, or any other signed document."""
    document, lists = unpacked(document)
    if not is_credential(document):
        return await verdicts.check(document, desk.fetch, desk.pins, desk.now, desk.memory)
    try:
        credential = parse_credential(document)
    except SchemaError as error:
        unread = Verdict("fails", Said("This is not a credential that can be read: {reason}.", reason=str(error)))
        return Verdicts(unread, NOT_LOOKED_AT, NOT_LOOKED_AT)
    return await _examined(document, credential, replace(desk, lists=(*lists, *desk.lists)))


def unpacked(document: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Of a presentation (VC Data Model 2.0 §4.13) the first credential, and the status lists beside it.

    A presentation of several credentials is read for the first. Anything else is returned as it is.
    """
    if not is_presentation(document):
        return document, []
    held = [one for one in many(document.get("verifiableCredential"))[:MAX_PRESENTED] if isinstance(one, dict)]
    lists = [one for one in held if "BitstringStatusListCredential" in many(one.get("type"))]
    others = [one for one in held if one not in lists and is_credential(one)]
    return (others[0], lists) if others else (document, [])


async def _examined(document: dict[str, Any], credential: Credential, desk: Desk) -> CredentialVerdicts:
    mark = await signed(document, credential.issuer_id, credential.issuer_key, desk)
    dates = _dates(credential, desk.now)
    standing = Standing(NOT_LOOKED_AT)
    if mark.signature.outcome == "fails":
        dates = NOT_LOOKED_AT
    else:
        standing = await taken_back(credential, mark.public, desk)
    return CredentialVerdicts(
        signature=mark.signature,
        key=mark.key,
        force=_force(dates, standing.verdict),
        document_id=credential.id,
        author=credential.issuer_id,
        key_id=mark.claim.verification_method if mark.claim else None,
        signed_at=mark.claim.created if mark.claim else None,
        credential=credential,
        subject=_subject(credential.subject_id, desk),
        dates=dates,
        revocation=standing.verdict,
        suite=mark.claim.suite if mark.claim else None,
        newest_list=standing.newest,
        anew=mark.anew,
    )


def _dates(credential: Credential, now: datetime) -> Verdict:
    start, end = credential.valid_from, credential.valid_until
    if start is not None and start > now:
        return Verdict("fails", Said("It is valid only from {day}.", day=start))
    if end is not None and end <= now:
        return Verdict("fails", Said("It was valid until {day}.", day=end))
    if end is not None:
        return Verdict("holds", Said("It is within its dates: valid until {day}.", day=end))
    return Verdict("holds", Said("It is within its dates: it has no end."))


def _force(dates: Verdict, revocation: Verdict) -> Verdict:
    """The worse of the two; of equal ones what is said of the list, which says as of when."""
    return dates if dates.outcome == "fails" and revocation.outcome != "fails" else revocation


def _subject(subject: str | None, desk: Desk) -> Verdict:
    if subject is None:
        return NOT_SAID
    owners = desk.people.get(subject) or (() if subject.startswith("did:") else (subject,))
    if desk.shown_by is not None and owners and desk.shown_by not in owners:
        other = Said("It is about {who}, and not about {holder}, who shows it.", who=owners[0], holder=desk.shown_by)
        return Verdict("fails", other)
    if not owners:
        nobody = "It is about whoever holds {did}. Nobody who is known here has said that they do."
        return Verdict("unknown", Said(nobody, did=subject))
    if not subject.startswith("did:"):
        return Verdict("holds", Said("It is about {who}.", who=subject))
    claimed = "It is about {who}, who has signed a statement that the key it names is theirs."
    return Verdict("holds", Said(claimed, who=desk.shown_by or owners[0]))
