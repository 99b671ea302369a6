"""Documents from their origins, within budgets: what a stranger makes us ask of others is bounded and remembered.

- One question at a time about one URL; whoever else wants the answer waits for it.
- A failure is an answer for a while: a minute's worth of "not found" costs one request.
- Keys are fetched at the word of people who have proven nothing yet, so all of them together, and those of one host,
  have a budget (SECURITY 83); over it the answer is Busy, and the honest come again.
- A document counts only where its id is (FEP-fe34): one that names another id is fetched once more, from there.

All memory here has a size and a lifetime, measured on the node's clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from federation.answers import Fetched, Loaded
from federation.client import Client
from federation.clock import Clock
from federation.errors import (
    Busy,
    FederationError,
    Forbidden,
    Gone,
    NotFound,
    Refused,
    Unacceptable,
    Unreachable,
    Unsafe,
)
from federation.ids import Ids
from federation.policy import Policy
from federation.rates import Limiter, Rate
from schemas.errors import SchemaError
from schemas.urls import Url, parse_url

T = TypeVar("T")

ALL_KEYS = Rate(per_second=10, burst=300)
KEYS_OF_ONE_HOST = Rate(per_second=5, burst=200)
REFRESHES_OF_ONE = Rate(per_second=1 / 60, burst=3)
SIGNED = "signed "  # before an address whose statement failed: its ActivityPub document may be there


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What may be asked of others, and how long a failure is remembered.

    all_keys, keys_of_host: key fetches of strangers. refreshes: of one document that is known already. no: how long
    "there is no such thing" counts; not_now: how long "could not be reached" does.
    """

    all_keys: Rate = ALL_KEYS
    keys_of_host: Rate = KEYS_OF_ONE_HOST
    refreshes: Rate = REFRESHES_OF_ONE
    no: timedelta = timedelta(minutes=5)
    not_now: timedelta = timedelta(seconds=10)


DEFAULT_LIMITS = FetchLimits()


class Memory(Generic[T]):
    """At most `capacity` values, each until a time; the oldest make room."""

    def __init__(self, capacity: int = 4_096) -> None:
        self._capacity = capacity
        self._kept: dict[str, tuple[datetime, T]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str, now: datetime) -> T | None:
        """The value, unless its time is over."""
        found = self._kept.get(key)
        if found is None or found[0] <= now:
            return None
        return found[1]

    def put(self, key: str, value: T, until: datetime) -> None:
        """Keep a value until a time."""
        self._kept.pop(key, None)
        self._kept[key] = (until, value)
        if len(self._kept) > self._capacity:
            del self._kept[next(iter(self._kept))]

    def drop(self, key: str) -> None:
        """Forget a value."""
        self._kept.pop(key, None)


class Flights(Generic[T]):
    """One run at a time for each key: who comes while it is under way gets its result."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[T]] = {}

    async def run(self, key: str, fn: Callable[[], Awaitable[T]]) -> T:
        """The result of `fn`, or of the run that is under way; a caller that goes away does not stop it."""
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.ensure_future(_run(fn))
            task.add_done_callback(lambda _: self._running.pop(key, None))
        return await asyncio.shield(task)


async def _run(fn: Callable[[], Awaitable[T]]) -> T:
    return await fn()


class Fetches:
    """See the module's docstring."""

    def __init__(
        self, client: Client, ids: Ids, clock: Clock, policy: Policy, limits: FetchLimits = DEFAULT_LIMITS
    ) -> None:
        self._client = client
        self._ids = ids
        self._clock = clock
        self._policy = policy
        self._limits = limits
        self._failed: Memory[FederationError] = Memory()
        self._flights: Flights[Fetched] = Flights()
        self._statements: Flights[Loaded] = Flights()
        self._all_keys = Limiter(limits.all_keys, 1)
        self._keys_of_host = Limiter(limits.keys_of_host)
        self._refreshes = Limiter(limits.refreshes)

    def check(self, url: str) -> Url:
        """A URL that may be asked. Raises Unsafe (none, ours, or plain http), Forbidden for a blocked host."""
        try:
            parsed = parse_url(url)
        except SchemaError as error:
            raise Unsafe(f"{url[:200]!r}: {error}") from error
        self._check(parsed)
        return parsed

    def _check(self, url: Url) -> None:
        if url.authority == self._ids.host:
            raise Unsafe(f"{url.origin} is ours: we ask nothing of ourselves")
        if url.scheme != "https" and not self._ids.origin.startswith("http://"):
            raise Unsafe(f"{url.origin} is on plain http")
        if self._policy.blocked(url.host):
            raise Forbidden(f"{url.host} is blocked")

    def spend_key(self, host: str) -> None:
        """Take one key fetch from the budgets; Busy when they are used up."""
        at = self._clock.now().timestamp()
        if self._keys_of_host.take(host, at):
            raise Busy(f"too many keys of {host} are asked for")
        if self._all_keys.take("all", at):
            raise Busy("too many keys are asked for")

    def may_refresh(self, url: str) -> bool:
        """Whether something that is known already may be asked for again now (and take that from the budget)."""
        return not self._refreshes.take(url, self._clock.now().timestamp())

    async def document(self, url: str, *, refresh: bool = False) -> Fetched:
        """What is served at a URL, whatever id it names. refresh: a remembered failure does not count.

        Raises what `Client.get_document` raises; and Forbidden for a blocked host, at any hop.
        """
        self.check(url)
        now = self._clock.now()
        failed = None if refresh else self._failed.get(url, now)
        if failed is not None:
            raise type(failed)(str(failed))
        try:
            return await self._flights.run(url, lambda: self._client.get_document(url, check=self._check))
        except Busy:
            raise
        except Unreachable as error:
            self._failed.put(url, Unreachable(str(error)), now + self._limits.not_now)
            raise
        except (Gone, NotFound, Refused, Unsafe) as error:
            self._failed.put(url, _plain(error), now + self._limits.no)
            raise

    async def genuine(self, url: str, *, refresh: bool = False) -> Fetched:
        """The document with its own id: served where its id says, or fetched once more from there.

        Raises as `document`; Unacceptable when it has no id, Unsafe when its id leads to something else again.
        """
        fetched = await self.document(url, refresh=refresh)
        document_id = _id(fetched)
        if is_at(document_id, fetched.url):
            return fetched
        again = await self.document(document_id, refresh=refresh)
        if not is_at(_id(again), again.url):
            raise Unsafe(f"{url} says that it is {document_id}, which says that it is {_id(again)[:200]}")
        return again

    async def statement(self, url: str) -> Loaded:
        """Anything that is signed, at any address: its proof says whose it is. Raises as `document`."""
        self.check(url)
        now = self._clock.now()
        failed = self._failed.get(SIGNED + url, now)
        if failed is not None:
            raise type(failed)(str(failed))
        try:
            return await self._statements.run(url, lambda: self._client.get_statement(url, check=self._check))
        except Busy:
            raise
        except Unreachable as error:
            self._failed.put(SIGNED + url, Unreachable(str(error)), now + self._limits.not_now)
            raise
        except (Gone, NotFound, Refused, Unsafe) as error:
            self._failed.put(SIGNED + url, _plain(error), now + self._limits.not_now)
            raise

    async def json(self, url: str, accept: str) -> dict[str, Any]:
        """A JSON document that is not ActivityPub; raises as `document`."""
        self.check(url)
        return (await self._client.get_json(url, accept, check=self._check)).document


def _plain(error: FederationError) -> FederationError:
    """An error that can be kept: of a public class, without the frames that it came through."""
    kind = next(kind for kind in (Gone, NotFound, Forbidden, Unacceptable, Refused, Unsafe) if isinstance(error, kind))
    return kind(str(error))


def _id(fetched: Fetched) -> str:
    document_id = fetched.document.get("id")
    if not isinstance(document_id, str):
        raise Unacceptable(f"{fetched.url} has no id")
    return document_id


def is_at(document_id: str, url: str) -> bool:
    """Whether an id is the URL at which its document was found, both in canonical form."""
    try:
        parsed = parse_url(document_id)
    except SchemaError:
        return False
    return parsed.fragment is None and parsed.origin + parsed.target == url
