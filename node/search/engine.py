"""The two engines behind the index: FTS5 on SQLite, tsvector on PostgreSQL. Nobody else knows which it is.

Both are given terms that are cut already (`node.search.rules`), and asked only which things have all of some terms.
What fits best is decided above, among a bounded number of the newest: to rank every place of a common word would cost
a hundred times as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from federation.storage import Tx
from node.search.rules import MIN_BEGINNING
from node.search.tables import WORDS, search_index

TITLE = "t:"  # before a term of a title
KIND = "k:"  # before the kind: no term has a colon of its own

_FTS = sa.table(WORDS, sa.column("rowid"), sa.column(WORDS), sa.column("terms"))
_VECTORS = sa.table(WORDS, sa.column("id"), sa.column("terms"))
_PUT_FTS = sa.text(f"INSERT INTO {WORDS} (rowid, terms) VALUES (:id, :terms)")  # noqa: S608 - a name of ours
_PUT_VECTOR = sa.text(f"INSERT INTO {WORDS} (id, terms) VALUES (:id, array_to_tsvector(:terms))").bindparams(  # noqa: S608
    sa.bindparam("terms", type_=sa.ARRAY(sa.Text))
)


def _is_sqlite(tx: Tx) -> bool:
    return tx.connection.dialect.name == "sqlite"


def put(tx: Tx, entries: Sequence[tuple[int, Sequence[str]]]) -> None:
    """Let these entries be found by these terms; none of them may be there already."""
    if not entries:
        return
    if _is_sqlite(tx):
        tx.execute(_PUT_FTS, [{"id": number, "terms": " ".join(terms)} for number, terms in entries])
    else:
        tx.execute(_PUT_VECTOR, [{"id": number, "terms": list(terms)} for number, terms in entries])


def drop(tx: Tx, numbers: Sequence[int]) -> None:
    """Let these entries be found by no term."""
    if numbers:
        table, key = (_FTS, _FTS.c.rowid) if _is_sqlite(tx) else (_VECTORS, _VECTORS.c.id)
        tx.execute(sa.delete(table).where(key.in_(numbers)))


def clear(tx: Tx) -> None:
    """Forget everything."""
    tx.execute(sa.text(f"DELETE FROM {WORDS}"))  # noqa: S608


def having(dialect: str, statement: sa.Select[Any]) -> sa.Select[Any]:
    """A select from `search_index`, of those entries alone that have all of some terms, the newest first.

    Which terms is its parameter `wanted`, as `wanted` writes it.
    """
    terms = sa.bindparam("wanted", type_=sa.Text)
    if dialect == "sqlite":
        found = statement.join(_FTS, _FTS.c.rowid == search_index.c.id).where(_FTS.c[WORDS].op("MATCH")(terms))
        return found.order_by(_FTS.c.rowid.desc())
    from sqlalchemy.dialects.postgresql import TSQUERY  # as heavy as what it is for

    found = statement.join(_VECTORS, _VECTORS.c.id == search_index.c.id)
    return found.where(_VECTORS.c.terms.op("@@")(sa.cast(terms, TSQUERY))).order_by(search_index.c.id.desc())


def wanted(dialect: str, words: Iterable[str], *, begins: bool = False) -> str:
    """All of these terms, as the engine has it; begins: a term of the query may be the beginning of a longer one."""
    ends = [(word, begins and _may_begin(word)) for word in words]
    if dialect == "sqlite":
        return " AND ".join(f'"{word}"{"*" if is_open else ""}' for word, is_open in ends)
    return " & ".join(f"'{word}'{':*' if is_open else ''}" for word, is_open in ends)


def _may_begin(word: str) -> bool:
    """Whether a term is long enough to stand for all that begin with it."""
    return not word.startswith(KIND) and len(word.removeprefix(TITLE)) >= MIN_BEGINNING
