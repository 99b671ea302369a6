"""Our own URLs: minted and parsed here, and nowhere else.

Ids are random and time-ordered (48 bits of milliseconds, 80 random bits, Crockford base 32, as ULID): never reused,
and they sort by the time of their making.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
HANDLE = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,28}[a-z0-9_])?\Z")
INSTANCE_USERNAME = "instance.actor"

OBJECT_KINDS = {"posts", "gigs", "learn", "cv", "packs", "follows", "activities"}


def new_id(now: datetime) -> str:
    """26 characters that sort by `now`."""
    value = int(now.timestamp() * 1000) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))


@dataclass(frozen=True, slots=True)
class Ids:
    """Knows the node's origin (`https://node.example`, no slash at the end) and where its handles live."""

    origin: str
    handle_domain: str  # host[:port] in @handle@host

    @property
    def host(self) -> str:
        """`host[:port]` of the origin."""
        return self.origin.split("://", 1)[1]

    def actor(self, username: str) -> str:
        """The actor of a local handle."""
        return f"{self.origin}/users/{username}"

    @property
    def instance_actor(self) -> str:
        """The actor (type Application) that signs what the node itself asks for."""
        return self.actor(INSTANCE_USERNAME)

    @property
    def shared_inbox(self) -> str:
        """One inbox for everybody here."""
        return f"{self.origin}/inbox"

    def page(self, username: str) -> str:
        """The page of a local handle."""
        return f"{self.origin}/@{username}"

    def acct(self, username: str) -> str:
        """`user@host`, as people write it."""
        return f"{username}@{self.handle_domain}"

    def object(self, actor_id: str, kind: str, now: datetime) -> str:
        """A new id below a local actor: `/users/alice/gigs/01h...`."""
        assert kind in OBJECT_KINDS, kind
        return f"{actor_id}/{kind}/{new_id(now)}"

    def activity(self, actor_id: str, now: datetime) -> str:
        """A new activity id below a local actor."""
        return self.object(actor_id, "activities", now)

    def object_page(self, object_id: str) -> str:
        """The page of a local object: `/@alice/gigs/01h...`."""
        username, kind, name = self.split_object(object_id)
        return f"{self.page(username)}/{kind}/{name}"

    def is_local(self, url: str) -> bool:
        """Whether an URL lies under our origin."""
        return url == self.origin or url.startswith(self.origin + "/")

    def username(self, actor_id: str) -> str | None:
        """The handle in a local actor's id, or None."""
        prefix = f"{self.origin}/users/"
        name = actor_id.removeprefix(prefix)
        return name if actor_id.startswith(prefix) and HANDLE.match(name) else None

    def holder(self, url: str) -> str | None:
        """The local actor under whose id an URL lies, its own included; None for what is nobody's here."""
        prefix = f"{self.origin}/users/"
        name = url.removeprefix(prefix).partition("/")[0] if url.startswith(prefix) else ""
        return self.actor(name) if HANDLE.match(name) else None

    def split_object(self, object_id: str) -> tuple[str, str, str]:
        """`(handle, kind, name)` of a local object's id; ValueError if it is not one."""
        head, kind, name = object_id.rsplit("/", 2)
        username = self.username(head)
        if username is None or kind not in OBJECT_KINDS:
            raise ValueError(object_id)
        return username, kind, name
