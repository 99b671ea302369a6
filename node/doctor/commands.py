"""Writes."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from federation.storage import Tx
from node.accounts import queries as accounts
from node.doctor.rules import Finding
from node.doctor.tables import doctor
from node.language import packed
from node.notifications import commands as notifications
from node.unguessable import digest_of

WORD_LASTS = timedelta(minutes=2)


def give_word(tx: Tx) -> str:
    """A word by which the node will know the doctor's own request, for two minutes."""
    word = secrets.token_urlsafe(24)
    _write(tx, nonce=digest_of(word), nonce_until=tx.now + WORD_LASTS)
    return word


def keep(tx: Tx, findings: Sequence[Finding]) -> None:
    """The report, for the pages. What is broken is told to the owner, each thing once a day."""
    report = [(one.key, one.health, packed(one.words), packed(one.mend)) for one in findings]
    _write(tx, report=msgspec.json.encode(report), checked_at=tx.now)
    owner = accounts.owner(tx)
    for finding in findings if owner is not None else ():
        if finding.health == "broken" and owner is not None:
            about = f"doctor {finding.key} {tx.now.date().isoformat()}"
            words = f"{finding.words} {finding.mend}"
            notifications.notify(tx, owner.actor_id, "operator", object_id=about, words=words)


def _write(tx: Tx, **values: object) -> None:
    insert = tx.insert(doctor).values(id=1, **values)
    tx.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values))
