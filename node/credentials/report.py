"""Verdicts -> what a page says: one sentence on top, then each step of the check, then what it says and what now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from federation.credential_verdicts import CredentialVerdicts
from federation.verdict_words import Outcome, Verdict
from federation.verdicts import Verdicts
from node.credentials.rules import Found
from node.credentials.sentences import packed, sentence, unpacked
from node.language import _
from node.text import one_line
from schemas.credentials import Credential

CLASSES: dict[Outcome, str] = {"holds": "", "unknown": "unknown", "fails": "broken"}
MARKS: dict[Outcome, tuple[str, str]] = {
    "holds": ("good", "check"),
    "unknown": ("wait", "clock"),
    "fails": ("bad", "cross"),
}
TITLES: dict[str, dict[Outcome, str]] = {
    "signature": {
        "holds": _("The text is unchanged"),
        "unknown": _("The text: could not be checked"),
        "fails": _("The text is not what was signed"),
    },
    "key": {
        "holds": _("The key is theirs"),
        "unknown": _("Whose key it is: could not be checked"),
        "fails": _("The key is not theirs"),
    },
    "subject": {
        "holds": _("It says about whom it is"),
        "unknown": _("About whom it is: not known here"),
        "fails": _("It is about somebody else"),
    },
    "dates": {
        "holds": _("It is within its dates"),
        "unknown": _("Its dates: not looked at"),
        "fails": _("It is not within its dates"),
    },
    "revocation": {
        "holds": _("It has not been taken back"),
        "unknown": _("Whether it was taken back: not known"),
        "fails": _("It has been taken back"),
    },
    "force": {
        "holds": _("It still stands"),
        "unknown": _("Whether it still stands: could not be checked"),
        "fails": _("It stands no more"),
    },
}
FAILED: dict[str, str] = {
    "signature": _("Changed: this is not what was signed."),
    "key": _("Not theirs: this was not signed by whom it names."),
    "revocation": _("Revoked: the issuer has taken this back."),
    "dates": _("Not in force: it is outside of its dates."),
    "force": _("Not in force: its author does not stand by it any more."),
    "subject": _("Not theirs: this is about somebody else than who shows it."),
}
UNSURE: dict[str, str] = {
    "signature": _("Could not check today whether this was changed."),
    "key": _("Could not check today who signed this."),
    "revocation": _("Could not check today whether this still stands."),
    "force": _("Could not check today whether this still stands."),
}
SHORT: dict[Outcome, str] = {
    "holds": _("Valid"),
    "unknown": _("Could not check today"),
    "fails": _("Does not hold"),
}


class Row(NamedTuple):
    """A step of the check. mark: a class of the style sheet; drawing: an icon."""

    name: str
    outcome: Outcome
    mark: str
    drawing: str
    title: str
    words: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a page says of a check."""

    overall: Outcome
    headline: str
    rows: list[Row]
    at: datetime
    credential: Credential | None
    author: str | None
    signed_at: datetime | None
    title: str = ""

    @property
    def kind(self) -> str:
        """The class of the panel on top."""
        return CLASSES[self.overall]


def report_of(verdicts: Verdicts, at: datetime) -> Report:
    """What a check at a time has come to."""
    steps = _steps(verdicts)
    found = verdicts.credential if isinstance(verdicts, CredentialVerdicts) else None
    author = one_line(found.issuer_name if found and found.issuer_name else verdicts.author or "", 200)
    return Report(
        overall=verdicts.overall,
        headline=_headline(verdicts.overall, steps, author, is_credential=found is not None),
        rows=[_row(name, verdict.outcome, sentence(verdict.sentence)) for name, verdict in steps],
        at=at,
        credential=found,
        author=author,
        signed_at=verdicts.signed_at,
        title=one_line(found.title, 200) if found else "",
    )


def _steps(verdicts: Verdicts) -> list[tuple[str, Verdict]]:
    first = [("signature", verdicts.signature), ("key", verdicts.key)]
    if not isinstance(verdicts, CredentialVerdicts):
        return [*first, ("force", verdicts.force)]
    rest = [("subject", verdicts.subject), ("dates", verdicts.dates), ("revocation", verdicts.revocation)]
    return [*first, *rest]


def _headline(overall: Outcome, steps: list[tuple[str, Verdict]], author: str, *, is_credential: bool) -> str:
    if overall == "holds":
        if is_credential:
            return _("Valid: {author} said this, and has not taken it back.", author=author)
        return _("Valid: {author} said this, and still stands by it.", author=author)
    words = FAILED if overall == "fails" else UNSURE
    reasons = [words[name] for name, verdict in steps if verdict.outcome == overall and name in words]
    return reasons[0] if reasons else SHORT[overall]


def _row(name: str, outcome: Outcome, words: str) -> Row:
    mark, drawing = MARKS[outcome]
    return Row(name, outcome, mark, drawing, TITLES[name][outcome], words)


# ---- what is kept of a check


def found_of(verdicts: Verdicts) -> Found:
    """The same as it is kept beside a credential that somebody holds."""
    steps = _steps(verdicts)
    rows: list[tuple[str, str, list[object]]] = [
        (name, verdict.outcome, packed(verdict.sentence)) for name, verdict in steps
    ]
    return Found(verdicts.overall, rows)


def rows_of(found: Found) -> list[Row]:
    """The steps of a check that was kept."""
    return [_row(name, _outcome(outcome), sentence(unpacked(parts))) for name, outcome, parts in found.rows]


def _outcome(text: str) -> Outcome:
    return "holds" if text == "holds" else "fails" if text == "fails" else "unknown"


def short(overall: str) -> str:
    """In a word or two."""
    return SHORT[_outcome(overall)]


def seal_class(overall: str) -> str:
    """The class of a seal or a fold that says so."""
    return CLASSES[_outcome(overall)]
