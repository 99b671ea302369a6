"""Every URL that other servers use, in one list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from federation.authenticate import Authenticator
from federation.bodies import DEFAULT_LIMITS, DoorLimits
from federation.discovery import Discovery
from federation.documents import Documents
from federation.effects import Effects
from federation.ids import Ids
from federation.objects import ObjectsDeleted
from federation.policy import Policy
from federation.receive import InboxDoor, direct_peer
from federation.resolve import Resolver
from federation.serve import Serve
from federation.storage import Database


@dataclass(frozen=True, slots=True)
class Doors:
    """The handlers behind the routes. The product's own pages ask `serve` when ActivityPub is wanted of them."""

    inbox: InboxDoor
    serve: Serve
    discovery: Discovery


def doors(
    db: Database,
    ids: Ids,
    resolver: Resolver,
    policy: Policy,
    *,
    version: str,
    limits: DoorLimits = DEFAULT_LIMITS,
    peer: Callable[[web.Request], str | None] = direct_peer,
    effects: Effects | None = None,
    deleted: ObjectsDeleted | None = None,
    authorised: bool = False,
) -> Doors:
    """Build them. version: of the software, for NodeInfo. peer: the address of who asks, seen through a proxy.

    effects: what messages do here; without it they wait for the inbox worker. deleted: the product's hook for what
    became a tombstone. authorised: whether every GET has to be signed.
    """
    documents = Documents(db, ids)
    authenticator = Authenticator(ids, resolver, policy, db.clock)
    inbox = InboxDoor(
        db, ids, resolver, authenticator, policy, documents, limits=limits, peer=peer, effects=effects, deleted=deleted
    )
    policy.watch(db)
    serve = Serve(db, ids, documents, authenticator, policy, authorised=authorised)
    return Doors(inbox, serve, Discovery(db, ids, documents, version=version))


def federation_routes(doors: Doors) -> list[web.RouteDef]:
    """The list, for `Application.add_routes`."""
    inbox, serve, discovery = doors.inbox, doors.serve, doors.discovery
    return [
        web.post("/inbox", inbox.post),
        web.post("/users/{username}/inbox", inbox.post),
        web.get("/users/{username}", serve.actor),
        web.get("/users/{username}/outbox", serve.outbox),
        web.get("/users/{username}/followers", serve.followers),
        web.get("/users/{username}/following", serve.following),
        web.get("/users/{username}/featured", serve.featured),
        web.get("/users/{username}/followers_synchronization", serve.followers_synchronization),
        web.get("/users/{username}/{kind}/{name}", serve.object),
        web.get("/users/{username}/{kind}/{name}/{collection:replies|likes|shares}", serve.about_object),
        web.get("/.well-known/webfinger", discovery.webfinger),
        web.get("/.well-known/host-meta", discovery.host_meta),
        web.get("/.well-known/nodeinfo", discovery.nodeinfo_links),
        web.get(r"/nodeinfo/{version:2\.[01]}", discovery.nodeinfo),
        web.get("/robots.txt", discovery.robots),
    ]
