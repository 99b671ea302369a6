"""What actors do, as documents (ActivityPub §6 and §7). Times are ready to travel; nothing here is signed."""

from __future__ import annotations

from typing import Any

from schemas.base import Audience
from schemas.terms import AS_CONTEXT, DATA_INTEGRITY_V1


def activity(
    kind: str,
    activity_id: str,
    actor: str,
    obj: Any,
    *,
    audience: Audience,
    published: str,
    context: list[Any] | None = None,
) -> dict[str, Any]:
    """Any activity; `obj` is an id or a whole object."""
    return {
        "@context": context or [AS_CONTEXT, DATA_INTEGRITY_V1],
        "id": activity_id,
        "type": kind,
        "actor": actor,
        "object": obj,
        "published": published,
        "to": list(audience.to),
        "cc": list(audience.cc),
    }


def embedding(
    kind: str, activity_id: str, actor: str, obj: dict[str, Any], *, audience: Audience, published: str
) -> dict[str, Any]:
    """Create or Update with its whole object.

    The object keeps its own `@context`, which its proof covers; the activity repeats it for those who read the
    activity as one JSON-LD document.
    """
    return activity(kind, activity_id, actor, obj, audience=audience, published=published, context=obj.get("@context"))


def follow(activity_id: str, actor: str, target: str, published: str) -> dict[str, Any]:
    """Ask for what somebody publishes."""
    return activity("Follow", activity_id, actor, target, audience=Audience((target,)), published=published)


def answer(kind: str, activity_id: str, actor: str, asked: dict[str, Any], published: str) -> dict[str, Any]:
    """Accept or Reject of a Follow, which is embedded with what identifies it."""
    kept = {name: asked[name] for name in ("id", "type", "actor", "object") if name in asked}
    return activity(kind, activity_id, actor, kept, audience=Audience((str(kept["actor"]),)), published=published)


def undo(activity_id: str, actor: str, undone: dict[str, Any], audience: Audience, published: str) -> dict[str, Any]:
    """Take back an activity of one's own, embedded with what identifies it."""
    kept = {name: undone[name] for name in ("id", "type", "actor", "object") if name in undone}
    return activity("Undo", activity_id, actor, kept, audience=audience, published=published)


def tombstone(object_id: str, former_type: str, deleted: str) -> dict[str, Any]:
    """What stands at an id after its object is gone."""
    return {"type": "Tombstone", "id": object_id, "formerType": former_type, "deleted": deleted}
