"""What other servers say: actors and posts as Mastodon writes them, of the size that they usually have."""

from __future__ import annotations

import json
from typing import Any

from keys.material import PrivateKey
from schemas.terms import AS_CONTEXT, DATA_INTEGRITY_V1, MULTIKEY_V1, PUBLIC, SECURITY_V1

BODY_BYTES = 2_400
CONTEXT: list[Any] = [
    AS_CONTEXT,
    DATA_INTEGRITY_V1,
    {
        "ostatus": "http://ostatus.org#",
        "atomUri": "ostatus:atomUri",
        "inReplyToAtomUri": "ostatus:inReplyToAtomUri",
        "conversation": "ostatus:conversation",
        "sensitive": "as:sensitive",
        "toot": "http://joinmastodon.org/ns#",
        "votersCount": "toot:votersCount",
        "Hashtag": "as:Hashtag",
    },
]
PUBLISHED = "2026-11-23T14:15:42Z"


def actor(origin: str, name: str, rsa: PrivateKey, ed25519: PrivateKey) -> dict[str, Any]:
    """A Person with a key of each kind."""
    actor_id = f"{origin}/users/{name}"
    return {
        "@context": [AS_CONTEXT, SECURITY_V1, MULTIKEY_V1],
        "id": actor_id,
        "type": "Person",
        "preferredUsername": name,
        "name": name.title(),
        "summary": "<p>Illustration and type.</p>",
        "url": f"{origin}/@{name}",
        "inbox": f"{actor_id}/inbox",
        "outbox": f"{actor_id}/outbox",
        "followers": f"{actor_id}/followers",
        "following": f"{actor_id}/following",
        "manuallyApprovesFollowers": False,
        "published": "2024-01-01T00:00:00Z",
        "publicKey": {"id": f"{actor_id}#main-key", "owner": actor_id, "publicKeyPem": rsa.public.pem},
        "assertionMethod": [
            {
                "id": f"{actor_id}#ed25519-key",
                "type": "Multikey",
                "controller": actor_id,
                "publicKeyMultibase": ed25519.public.multibase,
            }
        ],
    }


def create(actor_id: str, name: str) -> bytes:
    """A public Create of a Note called `name`, of about BODY_BYTES."""
    document = _create(actor_id, name, "")
    room = BODY_BYTES - len(json.dumps(document))
    return json.dumps(_create(actor_id, name, "A line of words about work. " * (room // 28))).encode()


def _create(actor_id: str, name: str, words: str) -> dict[str, Any]:
    origin = actor_id.rsplit("/users/", 1)[0]
    object_id = f"{actor_id}/statuses/{name}"
    to, cc = [PUBLIC], [f"{actor_id}/followers"]
    note = {
        "id": object_id,
        "type": "Note",
        "summary": None,
        "inReplyTo": None,
        "published": PUBLISHED,
        "url": f"{origin}/@ann/{name}",
        "attributedTo": actor_id,
        "to": to,
        "cc": cc,
        "sensitive": False,
        "atomUri": object_id,
        "inReplyToAtomUri": None,
        "conversation": f"tag:peer.example,2026-11-23:objectId={name}:objectType=Conversation",
        "content": f"<p>{words}</p>",
        "contentMap": {"en": "<p>The same.</p>"},
        "attachment": [],
        "tag": [{"type": "Hashtag", "href": f"{origin}/tags/work", "name": "#work"}],
        "replies": {
            "id": f"{object_id}/replies",
            "type": "Collection",
            "first": {
                "type": "CollectionPage",
                "next": f"{object_id}/replies?only_other_accounts=true&page=true",
                "partOf": f"{object_id}/replies",
                "items": [],
            },
        },
    }
    return {
        "@context": CONTEXT,
        "id": f"{object_id}/activity",
        "type": "Create",
        "actor": actor_id,
        "published": PUBLISHED,
        "to": to,
        "cc": cc,
        "object": note,
    }
