"""Writes of lists: begin to read one, note what came of a row, forget those that are old."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from federation.authors import Author
from federation.ids import new_id
from federation.storage import Tx
from node.errors import Invalid
from node.language import _
from node.relations import commands
from node.relations.queries import Due
from node.relations.rules import Line, ListKind
from node.relations.tables import list_import_rows, list_imports
from node.social import following
from schemas.actors import Actor

TOPIC = "list_imports"
KEEP = timedelta(days=7)
ONE_AT_A_TIME = _("Another list is being read. Wait until that is done.")


def begin(tx: Tx, author: Author, kind: ListKind, lines: Sequence[Line]) -> str:
    """Take a list in, to be read in the background; returns its id. Invalid while another one is being read."""
    mine = (list_imports.c.owner == author.actor_id, list_imports.c.finished_at.is_(None))
    if tx.row(sa.select(list_imports.c.id).where(*mine)) is not None:
        raise Invalid({"file": ONE_AT_A_TIME})
    import_id = new_id(tx.now)
    values = {"id": import_id, "owner": author.actor_id, "kind": kind, "created_at": tx.now}
    tx.execute(sa.insert(list_imports).values(values))
    rows = [
        {
            "import_id": import_id,
            "number": line.number,
            "address": line.address,
            "state": "failed" if line.wrong else "pending",
            "words": str(line.wrong),
        }
        for line in lines
    ]
    tx.execute(sa.insert(list_import_rows), rows)
    _finish(tx, import_id)
    tx.notify(TOPIC)
    return import_id


def apply_row(tx: Tx, author: Author, due: Due, found: Actor) -> None:
    """Do what a row of a list asks for; what cannot be is its answer, and the next row has its turn."""
    words = ""
    try:
        with tx.savepoint():
            _apply(tx, author, due.kind, found)
    except Invalid as error:
        words = next(iter(error.errors.values()))
    settle(tx, due, words)


def _apply(tx: Tx, author: Author, kind: str, found: Actor) -> None:
    if kind == "follows":
        following.follow(tx, author, found)
    elif kind == "blocks":
        commands.block(tx, author, found.id)
    else:
        commands.mute(tx, author, found.id)


def settle(tx: Tx, due: Due, words: str) -> None:
    """Note what came of a row; words: why it failed, empty when it did not."""
    this = (list_import_rows.c.import_id == due.import_id, list_import_rows.c.number == due.number)
    state = "failed" if words else "done"
    tx.execute(sa.update(list_import_rows).where(*this).values(state=state, words=str(words)[:500]))
    _finish(tx, due.import_id)


def _finish(tx: Tx, import_id: str) -> None:
    left = sa.exists().where(list_import_rows.c.import_id == import_id, list_import_rows.c.state == "pending")
    done = sa.update(list_imports).where(list_imports.c.id == import_id, list_imports.c.finished_at.is_(None), ~left)
    tx.execute(done.values(finished_at=tx.now))


def tidy(tx: Tx) -> None:
    """A list and what came of it are kept for seven days."""
    old = sa.select(list_imports.c.id).where(list_imports.c.created_at < tx.now - KEEP)
    tx.execute(sa.delete(list_import_rows).where(list_import_rows.c.import_id.in_(old)))
    tx.execute(sa.delete(list_imports).where(list_imports.c.created_at < tx.now - KEEP))
