"""The only outgoing HTTP of a node: guarded, bounded, and signed.

Every request goes through one connector, whose sockets are checked when they are dialled (`federation.guard`).
Redirects of a GET are followed by hand, at most five, each hop checked and signed anew, so that nothing that was said
to one host is carried to another; a POST follows none. One deadline covers the whole exchange, one budget counts the
inflated bytes. No proxy of the environment, no cookies, no plain http unless the node itself is on plain http.

What a node asks for is signed by its instance actor. Peers read two generations of signatures, so the client knocks
twice (FEDERATION §1): with RFC 9421 or what the host took last, and after a 400, 401 or 403 with the other.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from federation.answers import (
    CHUNK,
    MAX_ANSWER,
    MAX_WORDS,
    Answer,
    Fetched,
    Loaded,
    Looked,
    NotLiked,
    check_status,
    date_of,
    retry_after,
    words_of,
)
from federation.authors import Author, Speaker
from federation.bodies import refuse_unread
from federation.clock import Clock
from federation.errors import Disconnected, Unacceptable, Unreachable, Unsafe
from federation.guard import AddressRefused, Guard, GuardedResolver, Lookup, Network, lookup
from federation.ids import Ids
from federation.media_type import is_activity, is_signed_kind
from federation.rates import Room
from keys.requests import Request, Scheme, accept_signature, sign
from schemas.credentials import speaks_for_itself
from schemas.errors import SchemaError
from schemas.strict_json import MAX_BYTES, loads_object
from schemas.terms import ACTIVITY_JSON, LD_JSON_AS, VC_JSON, VP_JSON
from schemas.urls import Url, parse_url

ACCEPT = f"{ACTIVITY_JSON}, {LD_JSON_AS}"
ACCEPT_SIGNED = f"{VP_JSON}, {VC_JSON}, {ACCEPT}, application/json;q=0.5"
PAGE = "text/html"
PICTURES = "image/webp, image/jpeg, image/png, image/gif"
ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REMEMBERED = 4_096
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class ClientSettings:
    """What the client may do.

    ca_file: a PEM file of authorities besides the system's. allow_networks: private networks that it may reach.
    hosts: where to dial for a name. allow_http: whether plain http is allowed (a node that is itself on http).
    seconds: for a GET with all its redirects. post_seconds, connect_seconds: for a POST, for one connection.
    fetches, pictures: how many of each are asked for at once; they do not wait for each other.
    """

    ca_file: str | None = None
    allow_networks: tuple[Network, ...] = ()
    hosts: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    allow_http: bool = False
    user_agent: str = "Freehold"
    seconds: float = 10.0
    post_seconds: float = 15.0
    connect_seconds: float = 5.0
    max_bytes: int = MAX_BYTES
    max_redirects: int = 5
    max_headers: int = 100
    connections: int = 512
    connections_per_host: int = 8
    fetches: int = 64
    fetches_per_host: int = 16
    pictures: int = 16
    pictures_per_host: int = 6


Check = Callable[[Url], None]
"""Raises for a URL that may not be asked; called for every hop."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is asked for, and how much of it is taken. speaker: who signs."""

    accept: str
    is_wanted: Callable[[str], bool]
    max_bytes: int
    check: Check | None = None
    speaker: Speaker | None = None


class Client:
    """See the module's docstring. ids: the node's own, to which nothing is ever sent; instance: who signs GETs."""

    def __init__(
        self,
        settings: ClientSettings,
        ids: Ids | None,
        instance: Speaker | None,
        *,
        clock: Clock | None = None,
        ask: Lookup = lookup,
    ) -> None:
        self._settings = settings
        self._ids = ids
        self._instance = instance
        self._clock = clock or Clock()
        self._ask = ask
        self._session: aiohttp.ClientSession | None = None
        self._resolver: GuardedResolver | None = None
        self._schemes: dict[str, Scheme] = {}
        self._fetching = Room(settings.fetches, settings.fetches_per_host)
        self._looking = Room(settings.pictures, settings.pictures_per_host)

    async def get_document(self, url: str, *, check: Check | None = None) -> Fetched:
        """GET an ActivityPub document; only its media type and its form are checked here, not what it says.

        check: called for each hop before it is asked. Raises Unreachable (for now), NotFound, Gone, Unsafe (an
        address or a URL that must not be touched), Unacceptable (not ActivityPub, too large), Refused (other 4xx).
        """
        wish = _Wish(ACCEPT, is_activity, self._settings.max_bytes, check, self._instance)
        fetched = self._read_json(await self._get(url, wish, self._fetching))
        refuse_unread(fetched.document)
        return fetched

    async def get_json(self, url: str, accept: str, *, check: Check | None = None) -> Fetched:
        """GET a JSON document of another kind (WebFinger, NodeInfo), unsigned; raises as `get_document`."""

        def is_json(content_type: str) -> bool:
            return content_type.partition(";")[0].strip().lower() in (accept, "application/json")

        wish = _Wish(accept, is_json, self._settings.max_bytes, check)
        return self._read_json(await self._get(url, wish, self._fetching))

    async def get_statement(self, url: str, *, check: Check | None = None) -> Loaded:
        """GET anything that is signed, a credential or an ActivityPub document; raises as `get_document`.

        Only a credential may come as plain JSON: it speaks through its proof. Of an actor its server has to say that it
        is one, and not only keep somebody's file (SECURITY 9, 10).
        """
        wish = _Wish(ACCEPT_SIGNED, is_signed_kind, self._settings.max_bytes, check, self._instance)
        loaded = await self._get(url, wish, self._fetching)
        document = self._read_json(loaded).document
        refuse_unread(document)
        if not is_activity(loaded.content_type) and not speaks_for_itself(document):
            raise Unacceptable(f"{url}: of media type {loaded.content_type[:100]!r}")
        return loaded

    async def get_picture(self, url: str, *, max_bytes: int, check: Check | None = None) -> Loaded:
        """GET a picture, unsigned, with a budget of its own; raises as `get_document`.

        Its host says that it is a picture; whether it is one only its bytes can say, to a decoder that may fail.
        """
        wish = _Wish(PICTURES, lambda content_type: content_type[:6].lower() == "image/", max_bytes, check)
        return await self._get(url, wish, self._looking)

    async def get_page(self, url: str, *, max_bytes: int, check: Check | None = None) -> Loaded:
        """GET a page for people, unsigned; raises as `get_document`."""

        def is_page(content_type: str) -> bool:
            return content_type.partition(";")[0].strip().lower() in (PAGE, "application/xhtml+xml")

        return await self._get(url, _Wish(PAGE, is_page, max_bytes, check), self._looking)

    async def post(
        self, url: str, body: bytes, author: Author, scheme: Scheme, beside: Mapping[str, str] = NOTHING
    ) -> Answer:
        """POST an activity, signed by its sender in one scheme; redirects are answers like any other.

        beside: more headers, covered by the signature where their meaning depends on it.

        Raises Unreachable when there is no connection, Disconnected when there was one and no answer in time, or it
        was closed instead (twice: an idle connection may have been closed long before), Unsafe.
        """
        target = self._checked(url, None)
        try:
            async with asyncio.timeout(self._settings.post_seconds):
                try:
                    return await self._post(target, body, author, scheme, beside)
                except Disconnected:
                    return await self._post(target, body, author, scheme, beside)
        except TimeoutError as error:
            raise Disconnected(f"{url}: no answer within {self._settings.post_seconds:g} s") from error

    async def look(self, url: str, accept: str = "*/*") -> Looked:
        """GET without a signature and without following a redirect: to see what a host answers.

        Raises Unreachable, Unsafe, and Unacceptable for a body over 64 KB.
        """
        target = self._checked(url, None)
        try:
            async with (
                self._fetching.taken(target.host, self._settings.seconds),
                self._exchange("GET", target, {"Accept": accept}, None) as response,
            ):
                body = await self._read(url, response, MAX_ANSWER)
                location = response.headers.get("Location")
                return Looked(response.status, body, location, date_of(response.headers.get("Date")))
        except TimeoutError as error:
            raise Unreachable(f"{url}: no answer within {self._settings.seconds:g} s") from error

    async def certificate(self, url: str) -> tuple[datetime, datetime]:
        """From when until when the certificate of an https URL is good. Raises Unreachable and Unsafe."""
        target = self._checked(url, None)
        self._opened()
        assert self._resolver is not None
        try:
            async with asyncio.timeout(self._settings.seconds):
                [found, *_others] = await self._resolver.resolve(target.host, target.port)
                tls = _tls(self._settings.ca_file)
                _reader, writer = await asyncio.open_connection(
                    found["host"], found["port"], ssl=tls, server_hostname=target.host
                )
        except (OSError, ValueError) as error:
            raise Unreachable(f"{url}: {error}") from error
        shown = writer.get_extra_info("peercert")
        writer.close()
        begin, end = (ssl.cert_time_to_seconds(shown[name]) for name in ("notBefore", "notAfter"))
        return datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(end, UTC)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
        if self._resolver is not None:
            await self._resolver.close()

    async def _post(
        self, target: Url, body: bytes, author: Author, scheme: Scheme, beside: Mapping[str, str]
    ) -> Answer:
        headers = {"Content-Type": ACTIVITY_JSON, "Accept": ACCEPT, **beside}
        headers |= self._signature("POST", target, headers, body, author, scheme)
        async with self._exchange("POST", target, headers, body) as response:
            wanted = response.headers.get("Accept-Signature")
            return Answer(
                response.status,
                retry_after(response.headers.get("Retry-After"), self._clock.now()),
                accept_signature(wanted) if wanted else None,
                await words_of(response),
            )

    async def _get(self, url: str, wish: _Wish, room: Room) -> Loaded:
        target = self._checked(url, wish.check)
        try:
            async with room.taken(target.host, self._settings.seconds):
                return await self._follow(target, wish)
        except TimeoutError as error:
            raise Unreachable(f"{url}: no answer within {self._settings.seconds:g} s") from error

    async def _follow(self, target: Url, wish: _Wish) -> Loaded:
        seen = {target}
        for _ in range(self._settings.max_redirects + 1):
            found = await self._knock(target, wish)
            if isinstance(found, Loaded):
                return found
            target = self._checked(found, wish.check)
            if target in seen:
                raise Unacceptable(f"{found}: the redirects go in a circle")
            seen.add(target)
        raise Unacceptable(f"{_text(target)}: more than {self._settings.max_redirects} redirects")

    async def _knock(self, target: Url, wish: _Wish) -> Loaded | str:
        """What is found at one hop, or where it redirects to; asked twice if the first signature is not liked."""
        if wish.speaker is None:
            return await self._ask_once(target, wish, {})
        author = await wish.speaker()
        scheme = self._schemes.get(target.authority, "rfc9421")
        try:
            found = await self._ask_signed(target, wish, author, scheme)
        except NotLiked:
            scheme = other(scheme)
            found = await self._ask_signed(target, wish, author, scheme)
        self._remember(target.authority, scheme)
        return found

    def _remember(self, host: str, scheme: Scheme) -> None:
        self._schemes.pop(host, None)
        if scheme != "rfc9421":
            self._schemes[host] = scheme
        if len(self._schemes) > MAX_REMEMBERED:
            del self._schemes[next(iter(self._schemes))]

    async def _ask_signed(self, target: Url, wish: _Wish, author: Author, scheme: Scheme) -> Loaded | str:
        signature = self._signature("GET", target, {"Accept": wish.accept}, None, author, scheme)
        return await self._ask_once(target, wish, signature)

    async def _ask_once(self, target: Url, wish: _Wish, signature: dict[str, str]) -> Loaded | str:
        async with self._exchange("GET", target, {"Accept": wish.accept} | signature, None) as response:
            url = _text(target)
            location = response.headers.get("Location")
            if response.status in REDIRECTS and location is not None:
                return urljoin(url, location)
            check_status(url, response.status)
            content_type = response.headers.get("Content-Type", "")
            if not wish.is_wanted(content_type):
                raise Unacceptable(f"{url}: of media type {content_type[:100]!r}")
            return Loaded(url, await self._read(url, response, wish.max_bytes), content_type)

    def _read_json(self, loaded: Loaded) -> Fetched:
        try:
            document = loads_object(loaded.body, max_bytes=self._settings.max_bytes)
        except SchemaError as error:
            raise Unacceptable(f"{loaded.url}: {error}") from error
        return Fetched(loaded.url, document, loaded.body, loaded.content_type)

    async def _read(self, url: str, response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
        """The body, inflated, counted as it arrives: what a header says of its length is not believed."""
        if response.headers.get("Content-Encoding", "").strip().lower() not in ENCODINGS:
            raise Unacceptable(f"{url}: encoded in a way that was not asked for")
        chunks, size = [], 0
        async for chunk in response.content.iter_chunked(CHUNK):
            size += len(chunk)
            if size > max_bytes:
                raise Unacceptable(f"{url}: larger than {max_bytes} bytes")
            chunks.append(chunk)
        return b"".join(chunks)

    def _checked(self, url: str, check: Check | None) -> Url:
        """The URL as it will be asked; Unsafe for one that must not be."""
        try:
            target = parse_url(url)._replace(fragment=None)
        except SchemaError as error:
            raise Unsafe(f"{url[:200]!r}: {error}") from error
        if target.scheme != "https" and not self._settings.allow_http:
            raise Unsafe(f"{url}: plain http is not used")
        if self._ids is not None and target.authority == self._ids.host:
            raise Unsafe(f"{url}: we ask nothing of ourselves")
        if check is not None:
            check(target)
        return target

    def _signature(
        self, method: str, target: Url, headers: dict[str, str], body: bytes | None, author: Author, scheme: Scheme
    ) -> dict[str, str]:
        carried = tuple((name.lower(), value) for name, value in headers.items())
        request = Request(method, _text(target), carried, body)
        return sign(request, author.rsa_key_id, author.rsa, scheme, self._clock.now())

    @asynccontextmanager
    async def _exchange(
        self, method: str, target: Url, headers: dict[str, str], body: bytes | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One request and its answer; every error of aiohttp leaves as one of ours, with the URL and the reason."""
        url = _text(target)
        try:
            response = await self._opened().request(
                method, URL(url, encoded=True), headers=headers, data=body, allow_redirects=False
            )
            try:
                yield response
            finally:
                response.release()
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, AddressRefused) or "is not a public address" in str(error.os_error):
                raise Unsafe(f"{url}: {error.os_error}") from error
            raise Unreachable(f"{url}: {error.os_error}") from error
        except aiohttp.InvalidURL as error:
            raise Unsafe(f"{url}: no URL that can be asked") from error
        except aiohttp.ServerTimeoutError as error:
            raise Unreachable(f"{url}: no connection within {self._settings.connect_seconds:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Disconnected(f"{url}: {type(error).__name__}: {str(error)[:MAX_WORDS]}") from error

    def _opened(self) -> aiohttp.ClientSession:
        """The session, made when it is first needed: reading the system's authorities takes its time."""
        if self._session is None:
            guard = Guard(self._settings.allow_networks)
            self._resolver = GuardedResolver(guard, self._settings.hosts, self._ask)
            connector = aiohttp.TCPConnector(
                resolver=self._resolver,
                socket_factory=guard.socket,
                ssl=_tls(self._settings.ca_file),
                limit=self._settings.connections,
                limit_per_host=self._settings.connections_per_host,
                ttl_dns_cache=60,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._settings.connect_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                max_headers=self._settings.max_headers,
                headers={"User-Agent": self._user_agent(), "Accept-Encoding": "gzip, deflate"},
            )
        return self._session

    def _user_agent(self) -> str:
        return self._settings.user_agent if self._ids is None else f"{self._settings.user_agent} (+{self._ids.origin}/)"


def other(scheme: Scheme) -> Scheme:
    """The other generation."""
    return "cavage" if scheme == "rfc9421" else "rfc9421"


def _tls(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


def _text(target: Url) -> str:
    return target.origin + target.target
