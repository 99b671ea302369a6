"""A seed and a number -> one activity, always the same: who says what, how it is signed, what stands at its origin."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Any

from keys.errors import NotCanonical
from keys.proofs import add_proof
from keys.requests import Scheme
from schemas.terms import PUBLIC_NAMES
from tests.fuzz.cast import EVERYBODY, NOW, SENDERS, VERA, Actor
from tests.fuzz.mutations import mutated, spoilt_bytes
from tests.fuzz.valid import ACTIVITIES, Document, Pen, some_object

MAX_BODY = 300_000
INBOXES = ("/inbox", "/inbox", "/users/alice/inbox", "/users/carol/inbox")


@dataclass(frozen=True)
class Case:
    """index: its number; kind: what it was before it was changed. author: whose words it is made of; signer: who sends
    them. served: what the world answers from now on, by address.
    """

    seed: int
    index: int
    kind: str
    author: Actor
    signer: Actor
    scheme: Scheme
    path: str
    body: bytes
    served: tuple[tuple[str, bytes], ...] = ()

    @property
    def mark(self) -> str:
        """The word that stands in what it brings."""
        return f"zq{self.index}x"

    @cached_property
    def strings(self) -> frozenset[str]:
        """Every string in what it sends and in what it lets others serve, as JSON has them."""
        return _all_strings((self.body, *(body for _, body in self.served)))

    @property
    def is_public(self) -> bool:
        """Whether anybody wrote anywhere in it that it is for everybody; whoever passes it on has no say in that.

        What is served without an audience is for whom its author says in another activity.
        """
        bodies = [body for _, body in self.served]
        passed_on = self.served and "Announce" in self.strings
        said = _all_strings(bodies) if passed_on else self.strings
        return not said.isdisjoint(PUBLIC_NAMES) or not all(map(_addresses, bodies))


def _addresses(body: bytes) -> bool:
    document = json.loads(body)
    return bool(document.get("to") or document.get("cc"))


def _all_strings(bodies: Iterable[bytes]) -> frozenset[str]:
    found: set[str] = set()
    for body in bodies:
        try:
            found.update(_strings(json.loads(body)))
        except (ValueError, RecursionError):
            found.update(body.decode("utf-8", "replace").split('"'))
    return frozenset(found)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in (*value, *value.values()) if isinstance(value, dict) else value:
            yield from _strings(inner)


def case(seed: int, index: int, ours: Mapping[str, str]) -> Case:
    """The one of that number. ours: what of the people here others may speak of, by kind."""
    random = Random(f"{seed}:{index}")
    me = random.choice(SENDERS)
    pen = Pen(random, index, me, dict(ours))
    kind = random.choices(list(ACTIVITIES), [weight for weight, _ in ACTIVITIES.values()])[0]
    document = ACTIVITIES[kind][1](pen)
    changes = _how_many(random)
    served: list[tuple[str, bytes]] = []
    if random.random() < 0.2:
        document = _changed(pen, document, changes)
        document = _served(pen, document, served)
    elif random.random() < 0.15:
        document = _proven(pen, document, random.random() < 0.5, changes)
    else:
        document = _changed(pen, document, changes)
    if kind in ("announce", "bare"):
        _serve(pen, document.get("object"), _changed(pen, some_object(pen), _how_many(random)), served)
    body = json.dumps(document, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")[:MAX_BODY]
    if changes and random.random() < 0.04:
        body = spoilt_bytes(random, body)
    signer = me if random.random() < 0.97 else random.choice(SENDERS)
    scheme: Scheme = "rfc9421" if random.random() < 0.6 else "cavage"
    return Case(seed, index, kind, me, signer, scheme, random.choice(INBOXES), body, tuple(served))


def _how_many(random: Random) -> int:
    return random.choice((0, 1, 1, 1, 1, 2, 2, 3, 5, 8))


def _changed(pen: Pen, document: Document, times: int) -> Document:
    for _ in range(times):
        document = mutated(pen.random, document, lambda: some_object(pen))
    return document


def _proven(pen: Pen, document: Document, before: bool, changes: int) -> Document:
    """With a true proof of the whole or of what is inside: of what it was before, or of what it became."""
    if not before:
        document = _changed(pen, document, changes)
    inner = document.get("object")
    inside = isinstance(inner, dict) and pen.random.random() < 0.5
    subject = inner if inside else document
    try:
        proven = add_proof(subject, pen.me.key, pen.me.proof_key_id, NOW)
    except NotCanonical:
        return document
    document = document | {"object": proven} if inside else proven
    return _changed(pen, document, changes) if before else document


def _served(pen: Pen, document: Document, served: list[tuple[str, bytes]]) -> Document:
    """What it brings stands at its id, and only the id is sent."""
    inner = document.get("object")
    if not isinstance(inner, dict) or not isinstance(inner.get("id"), str):
        return document
    _serve(pen, inner["id"], inner, served)
    return document | {"object": inner["id"]} if pen.random.random() < 0.7 else document


def _serve(pen: Pen, address: Any, document: Document, served: list[tuple[str, bytes]]) -> None:
    """At an address of a server that is not the victim's, and never in the place of an actor."""
    mine = [actor.origin + "/" for actor in EVERYBODY if actor.host != VERA.host]
    taken = {actor.id for actor in EVERYBODY}
    if isinstance(address, str) and address.startswith(tuple(mine)) and address.partition("#")[0] not in taken:
        if pen.random.random() < 0.8 and "id" in document:
            document = document | {"id": address}
        served.append((address, json.dumps(document).encode("utf-8", "surrogatepass")))


def resigned(case: Case, document: Document) -> Case:
    """The same case with less in it."""
    return replace(case, body=json.dumps(document).encode("utf-8", "surrogatepass"))
