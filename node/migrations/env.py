"""What alembic runs: our tables, on the connection and in the transaction that `node.migrate` has opened."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate import renderers
from alembic.operations.ops import CreateTableOp, MigrateOperation, MigrationScript

import node
from federation.storage import Timestamp
from federation.tables import metadata

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext

for _slice in pkgutil.iter_modules(node.__path__):  # each puts its tables into the one `metadata`
    if _slice.ispkg and importlib.util.find_spec(f"node.{_slice.name}.tables"):
        importlib.import_module(f"node.{_slice.name}.tables")


def _render(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """A migration must outlive the code of its day, and speak to either database.

    So our own types are written as what they are in the database, and false as itself: as text it would be SQLite's 0.
    """
    if kind == "type" and isinstance(item, Timestamp):
        return "sa.BigInteger()"
    if kind == "server_default" and isinstance(getattr(item, "arg", None), sa.False_):
        return "sa.false()"
    return False


BESIDE = metadata.info.get("beside", {})
"""What SQLAlchemy has no words for, by the name of the table that it is made with."""
NOT_TABLES = ("search_words",)
"""How the names of what they make begin: on SQLite that is several tables for one."""


class _Beside(MigrateOperation):
    """The statements to make it, for each kind of database."""

    def __init__(self, statements: dict[str, tuple[str, ...]]) -> None:
        self.statements = statements


@renderers.dispatch_for(_Beside)
def _render_beside(autogen: AutogenContext, operation: _Beside) -> list[str]:
    return [f"for statement in {operation.statements!r}[op.get_bind().dialect.name]:", "op.execute(statement)", ""]


def _take_beside(_context: Any, _revision: Any, directives: list[MigrationScript]) -> None:
    for script in directives:
        made = script.upgrade_ops.ops if script.upgrade_ops else []
        created = [one.table_name for one in made if isinstance(one, CreateTableOp)]
        made.extend(_Beside(BESIDE[name]) for name in created if name in BESIDE)


def _is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    return kind != "table" or not (name or "").startswith(NOT_TABLES)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a column by copying its table
    render_item=_render,
    include_name=_is_ours,
    process_revision_directives=_take_beside,
)
context.run_migrations()
