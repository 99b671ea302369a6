"""What `federation` says of a document, in the reader's language; and as JSON, to be said another day.

That package knows no languages, so the forms of its sentences are listed here, for the catalogues.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from federation.clock import iso
from federation.said import Said
from node.language import Sentence, _
from node.text import one_line
from node.web import words
from schemas.base import datetime_of

MAX_VALUE = 300

FORMS = (
    _("Nothing is signed, so there is nothing to check."),
    _("It stands at its origin, as of {day}."),
    _("It carries no signature of its own."),
    _("{before} {who} is the same person."),
    _("{before} It names an identity as its issuer's, which {who} has claimed."),
    _("It has not been taken back: {who}, who is the same person as its issuer, says so as of {day}."),
    _("Its signature held only until {day}."),
    _("The key belongs to {owner}, not to {author}."),
    _("{who} says that this key has been in other hands since {day}, and has signed the same words anew."),
    _("It ended on {day}."),
    _("It has no id, so nobody can be asked whether it still stands."),
    _("Without a network nobody could be asked whether it still stands."),
    _("Its author has withdrawn it."),
    _("Could not ask whether it still stands: {reason}."),
    _("Its author has ended it on {day}."),
    _("Its author has published another version since."),
    _("The proof cannot be read: {reason}."),
    _("The document names no author."),
    _("The signature holds: nothing was changed since it was signed."),
    _("The key could not be had, so the signature could not be tried."),
    _("Not looked at: what is not signed cannot be in force."),
    _("The key of {author}, checked at its origin just now."),
    _("there is no network"),
    _("too much is being asked for just now"),
    _("it does not answer"),
    _("it says that this is gone"),
    _("it knows nothing of this"),
    _("its address is not one that may be asked"),
    _("its answer is not what was asked for"),
    _("The signature does not hold: {reason}."),
    _("The key of {author}, pinned from an earlier meeting."),
    _("A key of {author} that was pinned; it is no longer listed."),
    _("{author} does not list this key."),
    _("The author's server does not vouch for {author}: {reason}."),
    _("{author} signs nothing with this key since {day}."),
    _("The key of {author}, in other hands since {day}; this was here before that."),
    _("{who} says that this key has been in other hands since {day}, and this was signed later."),
    _(
        "{who} says that this key has been in other hands since {day}. By its date this is older, but "
        "whoever has the key can write any date."
    ),
    _("The key of {author}, as its server says. No key that was pinned has named it."),
    _("The key of {author}, checked at its origin, and named by one that was pinned."),
    _("{before} It is new since {day}: the server says so, the old key did not confirm it."),
    _("{before} What it signs counts until {day}."),
    _("Could not ask {server} whose key it is: {reason}."),
    _("The signature does not hold: this is not what was signed, or another key signed it."),
    _("Could not ask anybody whose key it is: {reason}."),
    _("The key {key} is not one of {author}."),
    _("{author} has ended there, so nobody could be asked whose key it is."),
    _("{before} It is the key that was written into it when it was signed."),
    _("The issuer is this key itself. Nobody who is known here has said that it is theirs."),
    _("The signature could not be tried: {reason}."),
    _("{who} says that this key has been in other hands, and has signed the same words anew."),
    _("The key is the identity of {who}, who has said so."),
    _("It names a status of a kind that cannot be read here, so it may have been taken back."),
    _("It names no list on which its issuer could take it back."),
    _("Not taken back as of {day}. Its list could not be used today: {reason}."),
    _("it has not been renewed since {day}"),
    _("{author} has taken it back: entry {entry} of the list of {day} is marked."),
    _("{author} has suspended it: entry {entry} of the list of {day} is marked."),
    _("it is not signed with a key that is known to be the issuer's"),
    _("it does not say of when it is"),
    _("It has not been taken back: the list of {day} has no mark at entry {entry}."),
    _("Whether it was taken back is not known. Its list could not be used: {reason}."),
    _("what stands at its address is not that list"),
    _("it is of another issuer or purpose"),
    _("it cannot be read ({reason})"),
    _("It does not say about whom it is."),
    _("It is within its dates: it has no end."),
    _("It is about {who}, and not about {holder}, who shows it."),
    _("It is about {who}, who has signed a statement that the key it names is theirs."),
    _("It is valid only from {day}."),
    _("It was valid until {day}."),
    _("It is within its dates: valid until {day}."),
    _("It is about whoever holds {did}. Nobody who is known here has said that they do."),
    _("It is about {who}."),
    _("This is not a credential that can be read: {reason}."),
)


def sentence(said: str) -> Sentence:
    """A sentence of `federation`, to be shown. What a stranger has put into it stays on one line, and short."""
    if not isinstance(said, Said):
        return Sentence(one_line(said, MAX_VALUE), None, 0, {})
    return _(said.form, **{name: _value(value) for name, value in said.values.items()})


def _value(value: Any) -> Any:
    if isinstance(value, Said):
        return sentence(value)
    if isinstance(value, datetime):
        return words.instant(value)
    return one_line(value, MAX_VALUE) if isinstance(value, str) else value


def packed(said: str) -> list[Any]:
    """The same as JSON can hold it."""
    if not isinstance(said, Said):
        return [str(said), {}]
    return [said.form, {name: _packed(value) for name, value in said.values.items()}]


def _packed(value: Any) -> Any:
    if isinstance(value, Said):
        return {"said": packed(value)}
    return {"time": iso(value)} if isinstance(value, datetime) else value


def unpacked(parts: list[Any]) -> Said:
    """The way back."""
    form, values = parts
    return Said(form, **{name: _unpacked(value) for name, value in values.items()})


def _unpacked(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return unpacked(value["said"]) if "said" in value else datetime_of(value["time"])
