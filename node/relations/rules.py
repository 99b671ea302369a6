"""What a list of people looks like as a file, and how long a mute lasts. Pure.

The files are Mastodon's: a line for each address, with a head that names the columns. A cell that a spreadsheet would
read as a formula is written with an apostrophe before it, and read without.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal, NamedTuple

from node.errors import Invalid
from node.language import _
from schemas.discovery import parse_handle
from schemas.errors import SchemaError

ListKind = Literal["follows", "blocks", "mutes"]
KINDS: tuple[ListKind, ...] = ("follows", "blocks", "mutes")

MAX_FILE = 500_000  # bytes
MAX_ROWS = 5_000
MAX_ADDRESS = 320
ADDRESS = "Account address"
HEADS: Mapping[ListKind, tuple[str, ...]] = MappingProxyType(
    {
        "follows": (ADDRESS, "Show boosts", "Notify on new posts", "Languages"),
        "blocks": (ADDRESS,),
        "mutes": (ADDRESS, "Hide notifications"),
    }
)
BESIDE: Mapping[ListKind, tuple[str, ...]] = MappingProxyType(
    {"follows": ("true", "false", ""), "blocks": (), "mutes": ("true",)}
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")

DURATIONS: Mapping[str, timedelta | None] = MappingProxyType(
    {"": None, "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
)


class Line(NamedTuple):
    """A line of a file: its number and the address as `name@host`, or the sentence that says what is wrong with it."""

    number: int
    address: str
    wrong: str = ""


def write_list(kind: ListKind, addresses: Iterable[str]) -> str:
    """Addresses -> a file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADS[kind])
    for address in addresses:
        writer.writerow([harmless(address), *BESIDE[kind]])
    return out.getvalue()


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def read_list(body: bytes) -> list[Line]:
    """A file -> its lines, each address once; raises Invalid for one that is no list, or longer than 5,000 lines."""
    if len(body) > MAX_FILE:
        raise Invalid({"file": _("The file is larger than {size} KB. Split it.", size=MAX_FILE // 1_000)})
    try:
        rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid({"file": _("This is no list that can be read. Export it as CSV in UTF-8.")}) from error
    if len(rows) > MAX_ROWS + 1:
        raise Invalid({"file": _("The file has more than {most} lines. Split it.", most=MAX_ROWS)})
    found: dict[str, Line] = {}
    for number, row in enumerate(rows, 1):
        cell = row[0].strip() if row else ""
        if not cell or (number == 1 and cell.removeprefix("#").casefold() == ADDRESS.casefold()):
            continue
        line = _line(number, cell)
        found.setdefault(line.address.casefold(), line)
    if not found:
        raise Invalid({"file": _("There is no address in this file.")})
    return list(found.values())


def _line(number: int, cell: str) -> Line:
    text = cell.removeprefix("'")
    try:
        name, host = parse_handle(text[: MAX_ADDRESS + 1])
    except SchemaError:
        return Line(number, text[:MAX_ADDRESS], _("This is no address. It has to be name@server."))
    return Line(number, f"{name}@{host}")


def parse_kind(text: str) -> ListKind:
    """Which list; raises Invalid."""
    if text not in KINDS:
        raise Invalid({"kind": _("Choose which list this is.")})
    return text


def parse_until(text: str, now: datetime) -> datetime | None:
    """How long a mute lasts, one of DURATIONS -> when it ends; raises Invalid."""
    if text not in DURATIONS:
        raise Invalid({"for": _("Choose for how long.")})
    span = DURATIONS[text]
    return None if span is None else now + span
