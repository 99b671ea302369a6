"""Recipients -> inboxes: pure functions.

What is for everybody, or for all followers, goes once to each server that offers a shared inbox. What is for certain
people goes to their own inboxes (ActivityPub §7.1.3 knows the shared inbox for the first kind only).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from schemas.urls import host_of

MAX_LISTED = 200
"""How many recipients behind one inbox a delivery names; of more it names none, and a fallback asks who follows."""


class Recipient(NamedTuple):
    """An actor elsewhere, and where it takes what is sent."""

    actor_id: str
    inbox: str
    shared_inbox: str | None


class Target(NamedTuple):
    """One inbox to post to, its host, and the actors who are reached by it."""

    inbox: str
    host: str
    recipients: tuple[str, ...]

    @property
    def listed(self) -> Sequence[str] | None:
        """The recipients, unless there are too many to write down."""
        return self.recipients if len(self.recipients) <= MAX_LISTED else None


def inboxes(recipients: Iterable[Recipient], *, shared: bool) -> list[Target]:
    """One target an inbox, in the order of the first recipient behind it. shared: whether shared inboxes are used."""
    grouped: dict[str, list[str]] = {}
    for recipient in recipients:
        inbox = recipient.shared_inbox if shared and recipient.shared_inbox else recipient.inbox
        grouped.setdefault(inbox, []).append(recipient.actor_id)
    return [Target(inbox, host_of(inbox), tuple(actor_ids)) for inbox, actor_ids in grouped.items()]


def merge(*groups: Iterable[Target]) -> list[Target]:
    """The targets of several groups, each inbox once, with everybody who is reached by it."""
    merged: dict[str, Target] = {}
    for target in (target for group in groups for target in group):
        known = merged.get(target.inbox)
        recipients = target.recipients if known is None else known.recipients + target.recipients
        merged[target.inbox] = Target(target.inbox, target.host, tuple(dict.fromkeys(recipients)))
    return list(merged.values())
