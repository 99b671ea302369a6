"""What the commands share: options, opening a node, printing, and errors as one line and an exit code.

Exit codes: 0 done; 1 refused or invalid; 2 usage, or could not be tried. No traceback reaches a person.
"""

from __future__ import annotations

import asyncio
import functools
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

import click
from sqlalchemy.exc import DBAPIError

from federation.authors import Author
from federation.errors import FederationError
from keys.errors import KeysError
from node.context import Node
from node.errors import Invalid, NodeError
from node.settings import Settings, default_data, load
from schemas.errors import SchemaError

P = ParamSpec("P")
T = TypeVar("T")

REFUSED = 1
COULD_NOT = 2
MAX_TEXT = 1_000_000
ALIASES = {"price": "rate", "unit": "rate", "handle": "username", "to": "audience"}
"""Fields of forms whose option is named otherwise."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options that every command has."""

    data: Path
    handle: str | None
    as_json: bool

    @property
    def settings(self) -> Settings:
        """Of the node in the data folder."""
        return load(self.data)


def common_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--data`, `--as` and `--json`; it receives them as its first argument, `options`."""

    @click.option("--data", type=click.Path(path_type=Path), help="The node's data folder.")
    @click.option("--as", "handle", metavar="HANDLE", help="Who acts, where several people share the node.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @functools.wraps(command)
    def wrapper(data: Path | None, handle: str | None, as_json: bool, **kwargs: Any) -> Any:
        return command(Options(data or default_data(), handle, as_json), **kwargs)

    return wrapper


def run(work: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a command's coroutine; an expected error becomes one line on stderr and an exit code."""
    try:
        return asyncio.run(_awaited(work, *args, **kwargs))
    except Invalid as error:
        fail(_named(error.errors), REFUSED)
    except FederationError as error:
        fail(str(error), COULD_NOT if error.retry else REFUSED)
    except (NodeError, SchemaError, KeysError) as error:
        fail(str(error), REFUSED)
    except DBAPIError as error:
        fail(f"the database cannot be used: {error.orig}. Nothing was changed.", COULD_NOT)
    except OSError as error:
        fail(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), COULD_NOT)
    except KeyboardInterrupt:
        sys.exit(130)


def _named(errors: Mapping[str, str]) -> str:
    """What a form says of its fields, each sentence after the option that it is about, where there is one."""
    context = click.get_current_context(silent=True)
    options = context.command.params if context else []
    written = {option.name: option.opts[0] for option in options if isinstance(option, click.Option)}
    said = []
    for field, sentence in errors.items():
        option = written.get(ALIASES.get(field, field))
        said.append(f"{option}: {sentence}" if option else sentence)
    return " ".join(dict.fromkeys(said))


async def _awaited(work: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    return await work(*args, **kwargs)


def fail(message: str, code: int) -> NoReturn:
    """One line that says what is wrong and how to mend it, then leave."""
    click.echo(f"freehold: {printable(' '.join(message.split()))}", err=True)
    sys.exit(code)


def printable(text: str) -> str:
    """What a stranger may have written, fit for one line of a terminal: nothing in it moves a cursor or hides words."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


@asynccontextmanager
async def opened(options: Options) -> AsyncIterator[Node]:
    """The node in the data folder, without its workers; a running server delivers what a command writes."""
    from node.app import start  # the composition root is heavy: only where a node is opened

    if not options.data.exists() and not options.settings.storage.database_url:
        fail(f"there is no node in {options.data}. Run `freehold setup` or `freehold serve` first.", REFUSED)
    node = await start(options.settings)
    try:
        yield node
    finally:
        await node.close()


@asynccontextmanager
async def acting(options: Options) -> AsyncIterator[tuple[Node, Author]]:
    """The node, and the local actor who acts in it."""
    from node.accounts import queries

    async with opened(options) as node:
        accounts = await node.db.read(queries.accounts)
        chosen = [account for account in accounts if options.handle in (None, account.username)]
        if not chosen:
            fail(f"nobody here has the handle {options.handle}. Choose one of those that exist.", REFUSED)
        if len(chosen) > 1:
            fail("several people share this node. Say who acts: --as HANDLE.", COULD_NOT)
        yield node, await node.author(chosen[0].actor_id)


def show(options: Options, value: Any, text: str) -> None:
    """Print a value: as JSON with stable keys, or as words."""
    click.echo(json.dumps(value, default=_plain, ensure_ascii=False, indent=1) if options.as_json else text)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    if hasattr(value, "_asdict"):
        return value._asdict()
    raise TypeError(type(value).__name__)


def read_text(path: Path) -> str:
    """A text file of at most 1 MB in UTF-8, or the end of the command."""
    try:
        with path.open("rb") as file:
            body = file.read(MAX_TEXT + 1)
    except OSError as error:
        fail(f"{path} cannot be read: {error.strerror or error}.", COULD_NOT)
    if len(body) > MAX_TEXT:
        fail(f"{path} is larger than 1 MB. Split it into several parts.", REFUSED)
    try:
        return body.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        fail(f"{path} is not a text in UTF-8.", REFUSED)
