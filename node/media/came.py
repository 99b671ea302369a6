"""What came with a text, fit to be shown: pictures, and all else; the words that describe each on one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from federation.storage import Tx
from federation.tables import objects
from node.text import one_line
from schemas.attachments import Attachment, attachments_of
from schemas.errors import SchemaError

MAX_WORDS = 1_500


class Came(NamedTuple):
    """sensitive: its author would not show the pictures to everybody."""

    pictures: tuple[Attachment, ...] = ()
    files: tuple[Attachment, ...] = ()
    sensitive: bool = False


NOTHING = Came()


def parted(came: Iterable[Attachment], *, sensitive: bool = False) -> Came:
    """Pictures apart from the rest. sensitive: the text is, whatever is said of each picture."""
    told = [msgspec.structs.replace(item, description=one_line(item.description, MAX_WORDS)) for item in came]
    return Came(
        pictures=tuple(item for item in told if item.kind == "image"),
        files=tuple(item for item in told if item.kind != "image"),
        sensitive=sensitive or any(item.sensitive for item in told),
    )


def came_with(tx: Tx, object_ids: Sequence[str]) -> dict[str, Came]:
    """By id, what came with stored objects, whoever may read them: for pages that have asked that already."""
    bodies = sa.select(objects.c.id, objects.c.body).where(objects.c.id.in_(object_ids), objects.c.body.is_not(None))
    return {row.id: _of(msgspec.json.decode(row.body)) for row in tx.rows(bodies)}


def _of(document: dict[str, Any]) -> Came:
    try:
        return parted(attachments_of(document), sensitive=document.get("sensitive") is True)
    except SchemaError:
        return NOTHING
