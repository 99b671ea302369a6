"""What alembic runs: our tables, on the connection and in the transaction that `node.migrate` has opened."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
from alembic import context

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


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a column by copying its table
    render_item=_render,
)
context.run_migrations()
