"""How others find us: WebFinger (RFC 7033), host-meta (RFC 6415), NodeInfo 2.0 and 2.1 (FEP-f1d5), robots.txt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs

import sqlalchemy as sa
from aiohttp import web

from federation.documents import TOPIC, Documents
from federation.ids import HANDLE, Ids
from federation.storage import Database, Tx
from federation.tables import actors, objects
from federation.types import OPEN
from schemas.discovery import host_meta, nodeinfo, nodeinfo_links, parse_handle, write_webfinger
from schemas.errors import SchemaError
from schemas.strict_json import dumps
from schemas.terms import JRD_JSON
from schemas.urls import parse_url

MAX_RESOURCE = 2048
REMEMBERED = 1024
COUNTED_FOR = timedelta(seconds=60)
ROBOTS = "User-agent: *\nDisallow: /inbox\nDisallow: /users/\nDisallow: /seen\nDisallow: /tags/\n"

_ANYBODY = {"Access-Control-Allow-Origin": "*"}  # RFC 7033 §5: a page elsewhere may ask


class Malformed(Exception):
    """The resource is neither acct: nor an URL."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What NodeInfo tells: people with an account, and what they have published."""

    users: int
    posts: int


def usage(tx: Tx) -> Usage:
    """Count; the caller remembers it."""
    people = sa.select(sa.func.count()).where(
        actors.c.local, actors.c.type != "Application", actors.c.gone_at.is_(None)
    )
    posts = sa.select(sa.func.count()).where(
        objects.c.local, objects.c.deleted_at.is_(None), objects.c.visibility.in_(OPEN)
    )
    return Usage(tx.scalar(people), tx.scalar(posts))


class Discovery:
    """Handlers for the well-known URLs. WebFinger answers from memory until a document changes."""

    def __init__(self, db: Database, ids: Ids, documents: Documents, *, version: str) -> None:
        self._db = db
        self._ids = ids
        self._documents = documents
        self._version = version
        self._answers: dict[str, tuple[int, bytes]] = {}  # query string -> status, body
        self._generation = 0
        self._usage: tuple[datetime, Usage] | None = None
        self._own_names = {ids.handle_domain, ids.host}
        db.subscribe(TOPIC, self._forget)

    def _forget(self, payload: str | None) -> None:
        self._generation += 1
        self._answers.clear()

    async def webfinger(self, request: web.Request) -> web.Response:
        """GET /.well-known/webfinger?resource=: 400 malformed, 404 nobody, else the JRD."""
        query = request.rel_url.raw_query_string
        known = self._answers.get(query)
        if known is None:
            generation = self._generation
            known = await self._find(query)
            if len(query) <= 256 and generation == self._generation:
                self._remember(query, known)
        status, body = known
        content_type = JRD_JSON if status == 200 else "application/json"
        return web.Response(status=status, body=body, headers={"Content-Type": content_type, **_ANYBODY})

    def _remember(self, query: str, found: tuple[int, bytes]) -> None:
        if len(self._answers) >= REMEMBERED:
            del self._answers[next(iter(self._answers))]
        self._answers[query] = found

    async def _find(self, query: str) -> tuple[int, bytes]:
        try:
            username = self._username(_resource(query))
        except (Malformed, SchemaError, ValueError):
            return 400, dumps({"error": "The resource must be acct:name@host or an https URL."})
        found = None if username is None else await self._documents.actor(username)
        if username is None or found is None or found.gone:
            return 404, dumps({"error": "Nobody here has this name."})
        ids = self._ids
        return 200, dumps(write_webfinger(ids.acct(username), ids.actor(username), ids.page(username)))

    def _username(self, resource: str) -> str | None:
        """The local handle that a resource means; None when it is well formed and not ours."""
        if resource.startswith("acct:"):
            name, host = parse_handle(resource)
            return name.lower() if host.lower() in self._own_names and HANDLE.match(name.lower()) else None
        if not resource.startswith(("https://", "http://")):
            raise Malformed
        url = parse_url(resource)
        if url.origin != self._ids.origin:
            return None
        prefix, _, name = url.path.removeprefix("/").rpartition("/")
        if prefix == "users":
            return name
        return name.removeprefix("@") if not prefix and name.startswith("@") else None

    async def host_meta(self, request: web.Request) -> web.Response:
        """GET /.well-known/host-meta: where WebFinger is (Takahe asks here first)."""
        return web.Response(text=host_meta(self._ids.origin), content_type="application/xrd+xml", headers=_ANYBODY)

    async def nodeinfo_links(self, request: web.Request) -> web.Response:
        """GET /.well-known/nodeinfo."""
        return _json(nodeinfo_links(self._ids.origin))

    async def nodeinfo(self, request: web.Request) -> web.Response:
        """GET /nodeinfo/2.0 and /nodeinfo/2.1."""
        counted = await self._counted()
        version = request.match_info["version"]
        document = nodeinfo(version, software_version=self._version, users=counted.users, posts=counted.posts)
        profile = f'application/json; profile="http://nodeinfo.diaspora.software/ns/schema/{version}#"'
        return web.Response(body=dumps(document), headers={"Content-Type": profile, **_ANYBODY})

    async def _counted(self) -> Usage:
        now = self._db.clock.now()
        if self._usage is None or not timedelta() <= now - self._usage[0] < COUNTED_FOR:
            self._usage = (now, await self._db.read(usage))
        return self._usage[1]

    async def robots(self, request: web.Request) -> web.Response:
        """GET /robots.txt: pages are for everybody, the machinery is not worth indexing."""
        return web.Response(text=ROBOTS, content_type="text/plain")


def _resource(query: str) -> str:
    if len(query) > 3 * MAX_RESOURCE:
        raise Malformed
    values = parse_qs(query, keep_blank_values=True, max_num_fields=10).get("resource", [])
    if len(values) != 1 or not 0 < len(values[0]) <= MAX_RESOURCE or "\0" in values[0]:
        raise Malformed
    return values[0]


def _json(document: dict[str, object]) -> web.Response:
    return web.Response(body=dumps(document), headers={"Content-Type": "application/json", **_ANYBODY})
