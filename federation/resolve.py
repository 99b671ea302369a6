"""An id -> the actor, key or object that its origin serves; and what was learned before, from the database.

A key belongs to the actor whose document, at the actor's own origin, lists it (FEP-fe34, FEDERATION §1). A key id may
be a fragment of that document, or the URL of a document of its own with a stub of the actor, as GoToSocial has it;
then the way is key -> owner -> actor -> key, and it must close. What cannot be reached for now is Unreachable, never
"no": the sender comes again.

Keys that were learned stay in memory until somebody notifies `actors`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.answers import Fetched, Loaded
from federation.authority import without_fragment
from federation.client import Client
from federation.clock import Clock
from federation.documents import read_document
from federation.errors import Gone, NotFound, Unacceptable, Unauthenticated, Unsafe
from federation.fetches import DEFAULT_LIMITS, Fetches, FetchLimits, Flights, Memory, is_at
from federation.handles import Handles
from federation.ids import Ids
from federation.key_documents import expiry_of, owner_of_key, public_in, verification_of, with_key
from federation.known_actors import TOPIC, read_actor, store_actor
from federation.known_keys import KeysChanged, ignore, listed_keys, public_of
from federation.policy import Policy
from federation.storage import Database, Tx
from federation.tables import actor_keys, actors
from keys.material import PublicKey
from keys.rotation import KeyPeriod, counts
from schemas.actors import Actor, parse_actor
from schemas.discovery import parse_handle
from schemas.errors import SchemaError
from schemas.jsonld import normalise
from schemas.strict_json import loads_object
from schemas.urls import Url, parse_url

__all__ = ["ResolvedKey", "Resolver", "store_actor"]

MAX_KEYS = 10_000
LISTED_FOR = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class ResolvedKey:
    """A public key, and the actor whose it is by the word of the actor's own origin."""

    key_id: str
    actor_id: str
    public: PublicKey
    expires: datetime | None = None

    def check_date(self, signed: datetime | None, now: datetime) -> None:
        """Raises Unauthenticated for what was signed when the key had expired; a revoked key never comes so far."""
        if not counts(KeyPeriod(expires=self.expires), signed, now):
            raise Unauthenticated(f"{self.key_id} had expired when this was signed")


class Resolver:
    """See the module's docstring."""

    def __init__(
        self,
        db: Database,
        client: Client,
        ids: Ids,
        clock: Clock,
        policy: Policy,
        *,
        limits: FetchLimits = DEFAULT_LIMITS,
        changed: KeysChanged = ignore,
    ) -> None:
        """changed: the product's hook for keys that changed."""
        self._db = db
        self._changed = changed
        self._ids = ids
        self._clock = clock
        self._fetches = Fetches(client, ids, clock, policy, limits)
        self._handles = Handles(self._fetches, ids)
        self._keys: dict[str, ResolvedKey] = {}
        self._generation = 0
        self._listed: Memory[frozenset[str]] = Memory()
        self._learning_keys: Flights[ResolvedKey] = Flights()
        self._learning_actors: Flights[Actor] = Flights()
        db.subscribe(TOPIC, self._forget)

    # keys

    async def key(self, key_id: str, *, refresh: bool = False) -> ResolvedKey:
        """The key behind a key id. refresh: the known one has failed; ask its origin again, if that was not just done.

        Raises Unauthenticated or another Refused (it is nobody's, revoked, or does not close the circle), Unsafe,
        Gone and NotFound (its origin says so), Unreachable and Busy (for now).
        """
        known = self._keys.get(key_id) or await self._known_key(key_id)
        if known is not None and not (refresh and self._fetches.may_refresh(key_id)):
            return known
        parsed = self._fetches.check(key_id)
        url = without_fragment(key_id)
        listed = self._listed.get(url, self._clock.now())
        if listed is not None and key_id not in listed:
            raise Unauthenticated(f"{url} does not list {key_id}")
        return await self._learning_keys.run(key_id, lambda: self._learn_key(key_id, parsed, refresh=refresh))

    def remembered(self, key_id: str) -> ResolvedKey | None:
        """The key, if it is in memory: asks nobody, not even the database."""
        return self._keys.get(key_id)

    async def _known_key(self, key_id: str) -> ResolvedKey | None:
        generation = self._generation
        row = await self._db.read(_key_row, key_id)
        if row is None:
            return None
        if row.revoked_at is not None:
            raise Unauthenticated(f"{key_id} was revoked")
        if row.gone_at is not None:
            raise Gone(f"{row.actor_id} has ended")
        if row.retired_at is not None or row.stale:
            return None
        known = ResolvedKey(key_id, row.actor_id, public_of(row.algorithm, row.public), row.expires_at)
        if generation == self._generation:
            self._remember(known)
        return known

    def _remember(self, key: ResolvedKey) -> None:
        if len(self._keys) >= MAX_KEYS:
            del self._keys[next(iter(self._keys))]
        self._keys[key.key_id] = key

    def _forget(self, payload: str | None) -> None:
        self._generation += 1
        if payload is None:
            self._keys.clear()
            return
        for key_id in [key.key_id for key in self._keys.values() if key.actor_id == payload]:
            del self._keys[key_id]

    async def _learn_key(self, key_id: str, parsed: Url, *, refresh: bool) -> ResolvedKey:
        """Ask for the document with the key, then, where that is not the actor's, for its owner's."""
        known = None if refresh else await self._known_key(key_id)
        if known is not None:  # somebody has learned it just now
            return known
        self._fetches.spend_key(parsed.authority)
        url = without_fragment(key_id)
        fetched = await self._fetches.document(url, refresh=refresh)
        document = _readable(fetched)
        owner = owner_of_key(document, key_id, fetched.url)
        ended = await self._db.read(_actor_row, owner)
        if ended is not None and ended.gone_at is not None:
            raise Gone(f"{owner} has ended")
        if owner == fetched.url:
            actor = _parse_actor(document, owner)
        else:
            actor = await self._fetch_actor(owner, refresh=refresh)
        holder = with_key(actor, key_id, document)
        if holder is None:
            self._listed.put(url, frozenset(listed_keys(actor)), self._clock.now() + LISTED_FOR)
            raise Unauthenticated(f"{actor.id} does not list {key_id}")
        learned = ResolvedKey(key_id, actor.id, public_in(holder, key_id), expiry_of(holder, key_id))
        await self._db.write(store_actor, holder, verification_of(actor), changed=self._changed)
        self._remember(learned)
        return learned

    # actors

    async def actor(self, actor_id: str, *, refresh: bool = False, named: Collection[str] = ()) -> Actor:
        """The actor with exactly this id: as it is known, else (or with refresh, now and then) from its origin.

        named: public halves of keys that a key of the actor's, known before, has named.
        Raises Gone and NotFound (its origin, or the database, says so), Unacceptable (it is no actor), Unsafe,
        Forbidden (blocked), Unreachable (for now).
        """
        row = await self._db.read(_actor_row, actor_id)
        if row is not None and row.gone_at is not None:
            raise Gone(f"{actor_id} has ended")
        if row is not None and (row.local or not (refresh and self._fetches.may_refresh(actor_id))):
            return read_actor(row)
        if self._ids.is_local(actor_id):
            raise NotFound(f"{actor_id} is nobody here")
        return await self._learning_actors.run(actor_id, lambda: self._learn_actor(actor_id, refresh, named))

    async def _learn_actor(self, actor_id: str, refresh: bool, named: Collection[str]) -> Actor:
        actor = await self._fetch_actor(actor_id, refresh=refresh)
        verification = verification_of(actor)
        await self._db.write(store_actor, actor, verification, named=named, changed=self._changed)
        return actor

    async def _fetch_actor(self, actor_id: str, *, refresh: bool) -> Actor:
        fetched = await self._fetches.genuine(actor_id, refresh=refresh)
        return _parse_actor(_readable(fetched), actor_id)

    # objects

    async def object(self, object_id: str) -> Fetched:
        """The document at an id, as its own origin serves it; raises as `actor`."""
        return await self._fetches.genuine(object_id)

    async def fetch(self, url: str) -> dict[str, Any]:
        """The document at an id, one of ours included; raises as `object`."""
        if not self._ids.is_local(url):
            return (await self.object(url)).document
        found = await self._db.read(read_document, url)
        if found is None or not found.public:
            raise NotFound(f"{url} does not stand here")
        if found.gone:
            raise Gone(f"{url} is gone")
        return dict(msgspec.json.decode(found.body))

    async def statement(self, url: str) -> dict[str, Any]:
        """A credential, a status list or another signed document that stands at this very address; raises as `object`.

        Unsafe where a redirect leads to another: what is elsewhere says nothing for this one.
        """
        loaded = await self._fetches.statement(url)
        if not is_at(url, loaded.url):
            raise Unsafe(f"{url} leads to {loaded.url}")
        return _object(loaded)

    async def found_at(self, url: str) -> bytes:
        """The bytes of whatever signed thing an address leads to; raises as `object`."""
        return (await self._fetches.statement(url)).body

    # handles

    async def locate(self, text: str) -> Actor:
        """Who is meant by `@name@host`, `name@host`, `acct:name@host`, or the URL of an actor or of its page.

        What is known of an actor elsewhere is refreshed, and its handle is checked both ways. Raises Unacceptable
        for what is no handle and no URL, NotFound when nobody is there, and as `actor`.
        """
        text = text.strip()
        if text.startswith(("https://", "http://")):
            return await self._locate_url(text)
        try:
            name, host = parse_handle(text)
        except SchemaError as error:
            raise Unacceptable(f"{text[:200]!r}: {error}") from error
        if host in (self._ids.handle_domain, self._ids.host):
            return await self.actor(self._ids.actor(name.lower()))
        return await self._located(await self._handles.actor_id(name, host))

    async def _locate_url(self, url: str) -> Actor:
        try:
            parsed = parse_url(url)
        except SchemaError as error:
            raise Unacceptable(f"{url[:200]!r}: {error}") from error
        if parsed.authority == self._ids.host:
            name = parsed.path.removeprefix("/users/").removeprefix("/@")
            return await self.actor(self._ids.actor(name.lower()))
        fetched = await self._fetches.genuine(without_fragment(url))
        return await self._located(str(fetched.document["id"]))

    async def _located(self, actor_id: str) -> Actor:
        actor = await self.actor(actor_id, refresh=True)
        if not self._ids.is_local(actor.id):
            await self._db.write(_set_acct, actor.id, await self._handles.confirmed(actor))
        return actor


def _key_row(tx: Tx, key_id: str) -> Row[Any] | None:
    columns = (actor_keys.c.actor_id, actor_keys.c.algorithm, actor_keys.c.public)
    states = [actor_keys.c[name] for name in ("retired_at", "expires_at", "revoked_at", "stale")] + [actors.c.gone_at]
    joined = sa.select(*columns, *states).join(actors, actors.c.id == actor_keys.c.actor_id)
    return tx.row(joined.where(actor_keys.c.id == key_id))


def _actor_row(tx: Tx, actor_id: str) -> Row[Any] | None:
    columns = (actors.c.document, actors.c.local, actors.c.gone_at)
    return tx.row(sa.select(*columns).where(actors.c.id == actor_id))


def _set_acct(tx: Tx, actor_id: str, acct: str | None) -> None:
    tx.execute(sa.update(actors).where(actors.c.id == actor_id, ~actors.c.local).values(acct=acct))


def _readable(fetched: Fetched) -> dict[str, Any]:
    try:
        return normalise(fetched.document)
    except SchemaError as error:
        raise Unacceptable(f"{fetched.url}: {error}") from error


def _object(loaded: Loaded) -> dict[str, Any]:
    try:
        return loads_object(loaded.body)
    except SchemaError as error:
        raise Unacceptable(f"{loaded.url}: {error}") from error


def _parse_actor(document: dict[str, Any], actor_id: str) -> Actor:
    """The actor, which must be the one that was asked for."""
    try:
        actor = parse_actor(document)
    except SchemaError as error:
        raise Unacceptable(f"{actor_id} is no actor: {error}") from error
    if actor.id != actor_id:
        raise Unsafe(f"{actor_id} answers as {actor.id}")
    return actor
