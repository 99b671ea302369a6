"""Local actors and their keys: made once, sealed in the database, opened when something has to be signed.

Every local actor has two keys. RSA signs requests, because every peer verifies it; Ed25519 signs documents (FEP-8b32).
The private halves are rows of `actor_keys`, sealed under the node's master key with the key id as context, so that one
row's seal cannot be put into another. Opening costs time, so opened keys stay in memory. Keys that were replaced
(`federation.rotating`) stay as rows without their private halves, and stay listed in the actor's document.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.clock import iso
from federation.errors import Busy, NotFound, Refused
from federation.ids import HANDLE, INSTANCE_USERNAME, Ids
from federation.known_actors import TOPIC, actor_values
from federation.known_identities import store_identities
from federation.known_keys import public_of, public_text
from federation.statements import Hot
from federation.storage import Database, Tx
from federation.tables import actor_keys, actors
from keys.material import PrivateKey, generate_ed25519, generate_rsa, private_from_der
from keys.proofs import add_proof
from keys.vault import Vault
from schemas.actors import ActorDraft, ActorKeys, parse_actor, write_actor, write_multikey
from schemas.strict_json import dumps

MAX_OPENED = 4_096
MAX_FORMER = 12  # Multikeys that a document goes on listing: others fetch it often


class NewKeys(NamedTuple):
    """What a new actor gets."""

    rsa: PrivateKey
    ed25519: PrivateKey


def make_keys() -> NewKeys:
    """Both keys. RSA takes a tenth of a second and more: call it outside of scopes, in a thread."""
    return NewKeys(generate_rsa(), generate_ed25519())


@dataclass(frozen=True, slots=True)
class Author:
    """A local actor with its opened keys: who may speak, and sign, as this actor.

    listed: the key of proofs, then those that it replaced, as Multikeys; revoked: those that were in other hands.
    former_rsa: what signed requests until a few days ago, with its id, for servers that have not heard of the change.
    """

    ids: Ids
    actor_id: str
    username: str
    rsa: PrivateKey
    rsa_key_id: str
    ed25519: PrivateKey
    ed25519_key_id: str
    listed: tuple[dict[str, Any], ...] = ()
    revoked: tuple[dict[str, Any], ...] = ()
    former_rsa: tuple[PrivateKey, str] | None = None

    @property
    def keys(self) -> ActorKeys:
        """What its document says of its keys."""
        now = write_multikey(self.ed25519_key_id, self.actor_id, self.ed25519.public.multibase)
        return ActorKeys((self.rsa_key_id, self.rsa.public.pem), self.listed or (now,), self.revoked)

    def as_before(self) -> Author | None:
        """The same with the key that signed requests before; None when it has none that still may."""
        if self.former_rsa is None:
            return None
        rsa, rsa_key_id = self.former_rsa
        return replace(self, rsa=rsa, rsa_key_id=rsa_key_id, former_rsa=None)

    @property
    def followers(self) -> str:
        """The followers collection."""
        return f"{self.actor_id}/followers"

    @property
    def following(self) -> str:
        """The collection of those whom it follows."""
        return f"{self.actor_id}/following"

    @property
    def inbox(self) -> str:
        """The personal inbox."""
        return f"{self.actor_id}/inbox"

    @property
    def outbox(self) -> str:
        """The outbox collection."""
        return f"{self.actor_id}/outbox"


class Authors:
    """Opens the keys of local actors; remembers those it has opened."""

    def __init__(self, vault: Vault, ids: Ids) -> None:
        self.vault = vault
        self.ids = ids
        self._opened: dict[str, tuple[bytes, PrivateKey]] = {}

    def load(self, tx: Tx, actor_id: str) -> Author:
        """The author of a local actor; NotFound when there is none, or it has ended."""
        gone = tx.row(sa.select(actors.c.gone_at).where(actors.c.id == actor_id, actors.c.local))
        if gone is None or gone.gone_at is not None:
            raise NotFound(f"{actor_id} is nobody here")
        return self.sender(tx, actor_id)

    def sender(self, tx: Tx, actor_id: str) -> Author:
        """The same, also for one that has ended: its last words still have to be signed."""
        username = self.ids.username(actor_id)
        mine = sa.select(actor_keys).where(actor_keys.c.actor_id == actor_id)
        rows = tx.rows(mine.order_by(actor_keys.c.first_seen.desc(), actor_keys.c.id))
        newest = {row.algorithm: row for row in reversed(rows) if _signs(row)}
        if username is None or len(newest) < 2:
            raise NotFound(f"{actor_id} has no keys here")
        rsa, ed25519 = newest["rsa"], newest["ed25519"]
        former = [row for row in rows if row.retired_at is not None]
        expired = [row for row in former if row.revoked_at is None and row.algorithm == "ed25519"]
        revoked = [row for row in former if row.revoked_at is not None]
        return Author(
            ids=self.ids,
            actor_id=actor_id,
            username=username,
            rsa=self._open(rsa.id, rsa.sealed),
            rsa_key_id=rsa.id,
            ed25519=self._open(ed25519.id, ed25519.sealed),
            ed25519_key_id=ed25519.id,
            listed=tuple(map(_multikey, (ed25519, *expired[:MAX_FORMER]))),
            revoked=tuple(map(_multikey, revoked[:MAX_FORMER])),
            former_rsa=self._former_rsa(rows, tx.now),
        )

    def _former_rsa(self, rows: Sequence[Row[Any]], now: datetime) -> tuple[PrivateKey, str] | None:
        able = [row for row in rows if row.algorithm == "rsa" and row.sealed is not None and row.revoked_at is None]
        for row in able:
            if row.expires_at is not None and row.expires_at > now:
                return self._open(row.id, row.sealed), row.id
        return None

    def _open(self, key_id: str, sealed: bytes) -> PrivateKey:
        known = self._opened.get(key_id)
        if known is not None and known[0] == sealed:
            return known[1]
        key = private_from_der(self.vault.unseal(sealed, key_id))
        if len(self._opened) >= MAX_OPENED:
            self._opened.pop(next(iter(self._opened)), None)
        self._opened[key_id] = (sealed, key)
        return key


def _signs(row: Row[Any]) -> bool:
    return row.sealed is not None and row.retired_at is None and row.revoked_at is None


def _multikey(row: Row[Any]) -> dict[str, Any]:
    ends = {"expires": row.expires_at, "revoked": row.revoked_at}
    times = {name: iso(moment) for name, moment in ends.items() if moment is not None}
    proof = None if row.proof is None else msgspec.json.decode(row.proof)
    multibase = public_of(row.algorithm, row.public).multibase
    return write_multikey(row.id, row.actor_id, multibase, **times, proof=proof)


Speaker = Callable[[], Awaitable[Author]]
"""Who signs what the node itself asks of others, with the keys of that moment."""


class InstanceActor:
    """A `Speaker`: the instance actor, read again once somebody has said that it changed."""

    def __init__(self, db: Database, authors: Authors) -> None:
        self._db = db
        self._authors = authors
        self._author: Author | None = None
        self._generation = 0
        db.subscribe(TOPIC, self._forget)

    async def __call__(self) -> Author:
        """Raises NotFound when there is none."""
        author, generation = self._author, self._generation
        if author is None:
            author = await self._db.read(self._authors.load, self._authors.ids.instance_actor)
            if generation == self._generation:
                self._author = author
        return author

    def _forget(self, payload: str | None) -> None:
        if payload in (None, self._authors.ids.instance_actor):
            self._generation += 1
            self._author = None


Write = Callable[[Author], dict[str, Any]]
"""Writes the actor document, without its proof, for an author whose key ids stand already."""


def create_local_actor(tx: Tx, authors: Authors, username: str, keys: NewKeys, write: Write) -> Author:
    """Make a local actor with its keys and its signed document.

    Raises Refused for a handle that cannot be, or that was ever taken: who had it may have ended, but ids, reviews
    and agreements elsewhere still name it (SECURITY 59).
    """
    if not HANDLE.match(username) or username == INSTANCE_USERNAME:
        raise Refused(f"{username!r} cannot be a handle", safe="This name cannot be used here. Choose another.")
    author = _create(tx, authors, username, keys, write)
    if author is None:
        raise Refused(f"{username} was taken before", safe="This name is taken, or was once. Choose another.")
    return author


def ensure_instance_actor(tx: Tx, authors: Authors, keys: NewKeys) -> Author:
    """The actor that signs what the node itself asks for; made by the first who asks, found by the others."""
    made = _create(tx, authors, INSTANCE_USERNAME, keys, _instance_document(tx))
    return made or authors.load(tx, authors.ids.instance_actor)


def _create(tx: Tx, authors: Authors, username: str, keys: NewKeys, write: Write) -> Author | None:
    """None when the name is taken: of two who come at once, the database lets one in."""
    actor_id = authors.ids.actor(username)
    author = Author(
        ids=authors.ids,
        actor_id=actor_id,
        username=username,
        rsa=keys.rsa,
        rsa_key_id=f"{actor_id}#main-key",
        ed25519=keys.ed25519,
        ed25519_key_id=f"{actor_id}#ed25519-key",
    )
    values = _local_values(tx, author, write(author)) | {"local": True, "first_seen": tx.now}
    if not tx.execute(tx.insert(actors).on_conflict_do_nothing(), values).rowcount:
        return None
    keep_keys(tx, authors.vault, actor_id, {author.rsa_key_id: author.rsa, author.ed25519_key_id: author.ed25519})
    tx.notify("documents", actor_id)
    tx.notify(TOPIC, actor_id)
    return author


def keep_keys(
    tx: Tx, vault: Vault, actor_id: str, keys: Mapping[str, PrivateKey], proof: dict[str, Any] | None = None
) -> None:
    """Seal and store new keys of a local actor, by id. proof: by which the key before confirms that of proofs."""
    named = None if proof is None else dumps(proof)
    rows = [
        {
            "id": key_id,
            "actor_id": actor_id,
            "algorithm": key.algorithm,
            "public": public_text(key.public),
            "sealed": vault.seal(key.der, key_id),
            "first_seen": tx.now,
            "last_seen": tx.now,
            "proof": named if key.algorithm == "ed25519" else None,
        }
        for key_id, key in keys.items()
    ]
    tx.execute(sa.insert(actor_keys), rows)


def _local_values(tx: Tx, author: Author, document: dict[str, Any]) -> dict[str, Any]:
    signed = add_proof(document, author.ed25519, author.ed25519_key_id, tx.now)
    return actor_values(parse_actor(document), dumps(signed), "signed") | {
        "acct": author.ids.acct(author.username),
        "fetched_at": tx.now,
        "updated_at": tx.now,
    }


_END = Hot(
    sa.select(actor_keys.c.retired_at, actor_keys.c.revoked_at)
    .where(actor_keys.c.id == sa.bindparam("id"))
    .with_for_update(read=True)
)


def check_key(tx: Tx, author: Author, *, newest: bool = False) -> None:
    """Raise Busy when the keys of an author, who was read before this scope began, have been changed since.

    newest: also when they were changed as planned, so that what they sign still counts. Until the scope ends nobody
    else changes them.
    """
    key = tx.first(_END, id=author.ed25519_key_id)
    if key is None or key.revoked_at is not None or (newest and key.retired_at is not None):
        raise Busy(f"the keys of {author.actor_id} were changed just now", safe="Your keys were changed. Try again.")


def save_local_actor(tx: Tx, author: Author, document: dict[str, Any]) -> bytes:
    """Sign and store a changed actor document; returns its bytes. One that says nothing new stays as it stands.

    Raises Busy as `check_key`.
    """
    check_key(tx, author, newest=True)
    held = tx.scalar(sa.select(actors.c.document).where(actors.c.id == author.actor_id, actors.c.local))
    if held is None:
        raise NotFound(f"{author.actor_id} is nobody here")
    if not says_more(document, held):
        return bytes(held)
    values = _local_values(tx, author, document)
    tx.execute(sa.update(actors).where(actors.c.id == author.actor_id).values(values))
    store_identities(tx, parse_actor(document))
    tx.notify("documents", author.actor_id)
    tx.notify(TOPIC, author.actor_id)
    return bytes(values["document"])


def says_more(document: dict[str, Any], held: bytes) -> bool:
    """Whether a document differs from the stored one by more than its proof and the time of its change."""
    stored = msgspec.json.decode(held)
    return _content(document) != _content(stored)


def _content(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("proof", "updated")}


def _instance_document(tx: Tx) -> Write:
    def write(author: Author) -> dict[str, Any]:
        ids = author.ids
        return write_actor(
            ActorDraft(
                id=author.actor_id,
                type="Application",
                username=author.username,
                name=ids.host,
                summary="Signs what this server itself asks of other servers.",
                url=f"{ids.origin}/",
                inbox=author.inbox,
                shared_inbox=ids.shared_inbox,
                published=iso(tx.now),
                acct=ids.acct(author.username),
                keys=author.keys,
                discoverable=False,
                indexable=False,
            )
        )

    return write
