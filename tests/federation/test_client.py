"""The one client: what it may touch, how much it takes, and how it signs."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from federation.answers import retry_after
from federation.authors import Author
from federation.client import Client, ClientSettings
from federation.errors import (
    Busy,
    Disconnected,
    FederationError,
    Forbidden,
    Gone,
    NotFound,
    Refused,
    Unacceptable,
    Unreachable,
    Unsafe,
)
from federation.ids import Ids
from schemas.terms import ACTIVITY_JSON, LD_JSON_AS
from tests.federation.outgoing import new_keys
from tests.federation.world import PEER_ADDRESSES, listening, origin_of, serving

IDS = Ids("http://127.0.0.6:1", "127.0.0.6:1")
SETTINGS = ClientSettings(allow_http=True, allow_networks=PEER_ADDRESSES, seconds=3.0, post_seconds=3.0)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def author() -> Author:
    keys = new_keys("instance")
    actor_id = IDS.instance_actor
    return Author(IDS, actor_id, "i", keys.rsa, f"{actor_id}#main-key", keys.ed25519, f"{actor_id}#ed25519-key")


async def speaker() -> Author:
    return author()


@dataclass
class Server:
    """Serves what handlers say, and remembers what it was asked with which headers."""

    origin: str
    handlers: dict[str, Handler] = field(default_factory=dict)
    asked: list[web.Request] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        assert request.transport is not None
        self.connections.add(request.transport.get_extra_info("peername"))
        return await self.handlers[request.path](request)

    def serve(self, path: str, handler: Handler) -> str:
        self.handlers[path] = handler
        return self.origin + path

    def redirect(self, path: str, to: str, status: int = 302) -> str:
        async def handler(request: web.Request) -> web.Response:
            return web.Response(status=status, headers={"Location": to})

        return self.serve(path, handler)

    def document(
        self, path: str, body: bytes = b'{"id":"x"}', content_type: str = ACTIVITY_JSON, **headers: str
    ) -> str:
        async def handler(request: web.Request) -> web.Response:
            return web.Response(body=body, headers={"Content-Type": content_type} | headers)

        return self.serve(path, handler)

    def status(self, path: str, status: int, **headers: str) -> str:
        async def handler(request: web.Request) -> web.Response:
            return web.Response(status=status, headers=headers)

        return self.serve(path, handler)


@asynccontextmanager
async def server_at(address: str) -> AsyncIterator[Server]:
    listener = listening(address)
    server = Server(origin_of(listener))
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", server.handle)
    async with serving(app, listener):
        yield server


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with server_at("127.0.0.7") as server:
        yield server


@pytest.fixture
async def elsewhere() -> AsyncIterator[Server]:
    async with server_at("127.0.0.8") as server:
        yield server


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client(SETTINGS, IDS, speaker)
    yield client
    await client.close()


@asynccontextmanager
async def raw_server(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], address: str = "127.0.0.9"
) -> AsyncIterator[str]:
    """A server that writes bytes as it likes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, address, 0)
    async with listening:
        yield f"http://{address}:{listening.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def canary() -> AsyncIterator[str]:
    """A server that nobody may reach: it fails the test when anybody connects."""
    touched: list[object] = []

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        touched.append(writer.get_extra_info("peername"))
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.45", 0)
    async with listening:
        yield f"http://127.0.0.45:{listening.sockets[0].getsockname()[1]}"
    assert not touched


# what counts as a document


@pytest.mark.parametrize("content_type", [ACTIVITY_JSON, f"{ACTIVITY_JSON}; charset=utf-8", LD_JSON_AS])
async def test_activitypub_documents_are_taken(client: Client, server: Server, content_type: str) -> None:
    fetched = await client.get_document(server.document("/x", content_type=content_type))
    assert fetched.document == {"id": "x"}
    assert fetched.url == server.origin + "/x"
    assert fetched.body == b'{"id":"x"}'


@pytest.mark.parametrize("content_type", ["text/html", "application/json", "image/png", "application/ld+json", "", "x"])
async def test_009_other_media_types_are_no_object(client: Client, server: Server, content_type: str) -> None:
    with pytest.raises(Unacceptable):
        await client.get_document(server.document("/x", content_type=content_type))


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"a":1,"a":2}', b"\xff", b'{"@graph":[]}', b'{"o":{"@included":1}}'])
async def test_bodies_that_can_be_read_in_two_ways_are_refused(client: Client, server: Server, body: bytes) -> None:
    with pytest.raises(Unacceptable):
        await client.get_document(server.document("/x", body))


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, NotFound), (410, Gone), (400, Refused), (401, Refused), (403, Refused), (405, Refused), (408, Unreachable),
     (429, Unreachable), (500, Unreachable), (503, Unreachable), (304, Refused)],
)  # fmt: skip
async def test_035_statuses_become_errors_that_say_whether_to_come_again(
    client: Client, server: Server, status: int, error: type[FederationError]
) -> None:
    with pytest.raises(error) as raised:
        await client.get_document(server.status("/x", status))
    assert raised.value.retry is (error is Unreachable)
    assert f"{server.origin}/x" in str(raised.value)


async def test_035_a_connection_that_is_refused_is_for_now(client: Client) -> None:
    with pytest.raises(Unreachable):
        await client.get_document("http://127.0.0.7:1/x")


async def test_webfinger_is_asked_unsigned(client: Client, server: Server) -> None:
    url = server.document("/.well-known/webfinger", content_type="application/jrd+json")
    await client.get_json(url, "application/jrd+json")
    assert server.asked[0].headers["Accept"] == "application/jrd+json"
    assert "Signature" not in server.asked[0].headers
    with pytest.raises(Unacceptable):
        await client.get_json(server.document("/html", content_type="text/html"), "application/jrd+json")


# what may be touched

RESERVED = [
    "10.0.0.1",
    "169.254.169.254",
    "192.168.1.1",
    "[::1]",
    "[::ffff:127.0.0.45]",
    "[64:ff9b::7f00:2d]",
    "0.0.0.0",
]


@pytest.mark.parametrize("host", [*RESERVED, "127.0.0.45", "localhost"])
async def test_061_no_way_of_asking_reaches_a_reserved_address(client: Client, host: str) -> None:
    async with canary() as forbidden:
        url = f"http://{host}:{forbidden.rsplit(':', 1)[1]}/x"
        with pytest.raises(Unsafe):
            await client.get_document(url)
        with pytest.raises(Unsafe):
            await client.get_json(url, "application/json")
        with pytest.raises(Unsafe):
            await client.post(url, b"{}", author(), "cavage")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_062_a_redirect_to_a_reserved_address_is_refused_at_that_hop(
    client: Client, server: Server, status: int
) -> None:
    async with canary() as forbidden:
        with pytest.raises(Unsafe):
            await client.get_document(server.redirect("/signed", forbidden, status))
        with pytest.raises(Unsafe):
            await client.get_json(server.redirect("/plain", forbidden, status), "application/json")


async def test_062_a_redirect_to_ourselves_is_refused(client: Client, server: Server) -> None:
    with pytest.raises(Unsafe):
        await client.get_document(server.redirect("/x", f"{IDS.origin}/users/alice"))


async def test_063_a_name_that_changes_its_mind_is_not_followed() -> None:
    async with canary() as forbidden, server_at("127.0.0.7") as server:
        address, port = server.origin.removeprefix("http://").split(":")
        answers = [address, "127.0.0.45"]

        def ask(host: str, port: int, family: int) -> list[tuple[object, ...]]:
            return [(0, 0, 0, "", (answers.pop(0), port))]

        client = Client(SETTINGS, IDS, None, ask=ask)
        server.document("/x")
        await client.get_document(f"http://rebinding.example:{port}/x")
        with pytest.raises(Unsafe):
            await client.get_document(f"http://rebinding.example:{forbidden.rsplit(':', 1)[1]}/x")
        await client.close()
        assert not answers


async def test_063_one_private_address_among_several_refuses_the_name() -> None:
    async with canary() as forbidden, server_at("127.0.0.7") as server:

        def ask(host: str, port: int, family: int) -> list[tuple[object, ...]]:
            return [(0, 0, 0, "", ("127.0.0.7", port)), (0, 0, 0, "", ("127.0.0.45", port))]

        client = Client(SETTINGS, IDS, None, ask=ask)
        with pytest.raises(Unsafe):
            await client.get_document(f"http://both.example:{forbidden.rsplit(':', 1)[1]}/x")
        await client.close()
        assert not server.asked


@pytest.mark.parametrize(
    "url",
    ["https://good\\@127.0.0.45/", "http://u:p@127.0.0.7/", "http://127.0.0.7:99999/", "http:///x", "ftp://127.0.0.7/",
     "file:///etc/passwd", "http://127.1/", "http://2130706433/", "http://0x7f.1/", "gopher://x", "", "/x"],
)  # fmt: skip
async def test_054_doubtful_urls_are_never_asked(client: Client, url: str) -> None:
    with pytest.raises(Unsafe):
        await client.get_document(url)


async def test_plain_http_is_refused_unless_the_node_is_on_it(server: Server) -> None:
    client = Client(replace(SETTINGS, allow_http=False), IDS, None)
    with pytest.raises(Unsafe):
        await client.get_document(server.document("/x"))
    await client.close()
    assert not server.asked


async def test_066_ourselves_are_never_asked_nor_told(client: Client) -> None:
    with pytest.raises(Unsafe):
        await client.post(f"{IDS.origin}/inbox", b"{}", author(), "cavage")
    with pytest.raises(Unsafe):
        await client.get_document(f"{IDS.origin}/users/alice")


async def test_a_check_is_made_for_every_hop(client: Client, server: Server, elsewhere: Server) -> None:
    def check(url: object) -> None:
        if "127.0.0.8" in str(url):
            raise Forbidden("blocked")

    elsewhere.document("/x")
    with pytest.raises(Forbidden):
        await client.get_document(server.redirect("/x", f"{elsewhere.origin}/x"), check=check)
    assert not elsewhere.asked


# redirects


async def test_033_a_redirect_to_itself_is_a_circle(client: Client, server: Server) -> None:
    url = server.redirect("/x", "/x")
    with pytest.raises(Unacceptable):
        await client.get_document(url)
    assert len(server.asked) == 1


async def test_033_at_most_five_redirects(client: Client, server: Server) -> None:
    for hop in range(50):
        server.redirect(f"/{hop}", f"/{hop + 1}")
    with pytest.raises(Unacceptable):
        await client.get_document(f"{server.origin}/0")
    assert len(server.asked) == 6
    server.document("/5")
    assert (await client.get_document(f"{server.origin}/0")).url == f"{server.origin}/5"


async def test_073_nothing_said_to_one_host_is_carried_to_another(
    client: Client, server: Server, elsewhere: Server
) -> None:
    async def handler(request: web.Request) -> web.Response:
        response = web.Response(status=302, headers={"Location": f"{elsewhere.origin}/x"})
        response.set_cookie("session", "secret")
        return response

    elsewhere.document("/x")
    await client.get_document(server.serve("/x", handler))
    await client.get_document(server.origin + "/x")
    first, second = server.asked[0].headers, elsewhere.asked[0].headers
    assert first["Signature"] != second["Signature"]
    for request in (*server.asked, *elsewhere.asked):
        assert not {"Cookie", "Authorization"} & set(request.headers)


# how much is taken


async def test_069_a_body_over_a_mebibyte_is_refused_in_any_form(client: Client, server: Server) -> None:
    with pytest.raises(Unacceptable):
        await client.get_document(server.document("/x", b"{" + b" " * 1_048_576 + b"}"))


async def test_069_an_inflated_body_is_counted(client: Client, server: Server) -> None:
    bomb = gzip.compress(b"{" + b" " * 100_000_000 + b"}")
    with pytest.raises(Unacceptable):
        await client.get_document(server.document("/x", bomb, **{"Content-Encoding": "gzip"}))
    small = gzip.compress(b'{"id":"x"}')
    fetched = await client.get_document(server.document("/y", small, **{"Content-Encoding": "gzip"}))
    assert fetched.document == {"id": "x"}


async def test_069_an_encoding_that_was_not_asked_for_is_refused(client: Client, server: Server) -> None:
    with pytest.raises((Unacceptable, Unreachable)):
        await client.get_document(server.document("/x", **{"Content-Encoding": "br"}))


async def test_069_an_endless_body_ends(client: Client) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/activity+json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        while True:
            writer.write(b"4000\r\n" + b" " * 0x4000 + b"\r\n")
            await writer.drain()

    async with raw_server(answer) as origin:
        with pytest.raises(Unacceptable):
            await client.get_document(f"{origin}/x")


async def test_069_a_length_that_lies_is_an_answer_that_broke_off(client: Client) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b'HTTP/1.1 200 OK\r\nContent-Type: application/activity+json\r\nContent-Length: 999\r\n\r\n{"id":1}'
        )
        await writer.drain()

    async with raw_server(answer) as origin:
        with pytest.raises(Unreachable):
            await client.get_document(f"{origin}/x")


async def test_069_ten_thousand_headers_are_refused(client: Client) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(10_000):
            writer.write(b"X-%d: 1\r\n" % number)
        writer.write(b"Content-Length: 2\r\n\r\n{}")
        await writer.drain()

    async with raw_server(answer) as origin:
        with pytest.raises(FederationError):
            await client.get_document(f"{origin}/x")


async def test_a_peer_that_drips_meets_the_deadline() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/activity+json\r\nContent-Length: 900\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    client = Client(replace(SETTINGS, seconds=0.5, post_seconds=0.5), IDS, speaker)
    async with raw_server(answer) as origin:
        start = asyncio.get_running_loop().time()
        with pytest.raises(Unreachable):
            await client.get_document(f"{origin}/x")
        with pytest.raises(Disconnected):
            await client.post(f"{origin}/x", b"{}", author(), "cavage")
        assert asyncio.get_running_loop().time() - start < 3
    await client.close()


async def test_one_slow_host_holds_only_part_of_what_may_be_fetched(server: Server, elsewhere: Server) -> None:
    release = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        await release.wait()
        return web.Response()

    client = Client(replace(SETTINGS, fetches=4, fetches_per_host=3), IDS, None)
    url = server.serve("/slow", slow)
    waiting = [asyncio.create_task(client.get_document(url)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await client.get_document(url)
    assert (await client.get_document(elsewhere.document("/x"))).document == {"id": "x"}
    release.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    await client.close()


# TLS and proxies


@asynccontextmanager
async def tls_server(certificate: trustme.LeafCert, hits: list[str]) -> AsyncIterator[int]:
    async def handle(request: web.Request) -> web.Response:
        hits.append(request.host)
        return web.Response(body=b'{"id":"x"}', headers={"Content-Type": ACTIVITY_JSON})

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    app = web.Application()
    app.router.add_get("/x", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.10", 0, ssl_context=context).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


async def test_074_only_a_certificate_that_holds_is_spoken_to(tmp_path: Path) -> None:
    ours, foreign = trustme.CA(), trustme.CA()
    ca_file = tmp_path / "ca.pem"
    ours.cert_pem.write_to_path(str(ca_file))
    past = datetime.now(UTC) - timedelta(days=1)
    cases = {
        "good": ours.issue_cert("a.example"),
        "foreign": foreign.issue_cert("a.example"),
        "another name": ours.issue_cert("b.example"),
        "expired": ours.issue_cert("a.example", not_after=past),
    }
    for name, certificate in cases.items():
        hits: list[str] = []
        async with tls_server(certificate, hits) as port:
            hosts = {"a.example": ("127.0.0.10", port)}
            settings = replace(SETTINGS, ca_file=str(ca_file), hosts=hosts, allow_http=False)
            client = Client(settings, IDS, None)
            if name == "good":
                assert (await client.get_document("https://a.example/x")).document == {"id": "x"}
                assert hits == ["a.example"]
            else:
                with pytest.raises(Unreachable):
                    await client.get_document("https://a.example/x")
                assert hits == []
            await client.close()


async def test_075_proxies_of_the_environment_are_ignored(
    client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with canary() as forbidden:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, forbidden)
        assert (await client.get_document(server.document("/x"))).document == {"id": "x"}


# signatures


def scheme_of(request: web.Request) -> str:
    return "rfc9421" if "Signature-Input" in request.headers else "cavage"


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_the_client_knocks_twice_and_remembers(client: Client, server: Server, status: int) -> None:
    async def only_cavage(request: web.Request) -> web.Response:
        if scheme_of(request) == "rfc9421":
            return web.Response(status=status)
        return web.Response(body=b'{"id":"x"}', headers={"Content-Type": ACTIVITY_JSON})

    url = server.serve("/x", only_cavage)
    await client.get_document(url)
    await client.get_document(url)
    assert [scheme_of(request) for request in server.asked] == ["rfc9421", "cavage", "cavage"]


async def test_a_no_to_both_is_a_no(client: Client, server: Server) -> None:
    with pytest.raises(Refused):
        await client.get_document(server.status("/x", 401))
    assert [scheme_of(request) for request in server.asked] == ["rfc9421", "cavage"]


async def test_a_post_is_told_what_the_host_said(client: Client, server: Server) -> None:
    wanted = 'sig1=("@method" "@target-uri" "content-digest");created;keyid;alg="rsa-v1_5-sha256"'
    url = server.status("/x", 401, **{"Accept-Signature": wanted, "Retry-After": "7"})
    answer = await client.post(url, b"{}", author(), "cavage")
    assert (answer.status, answer.retry_after, answer.accept_signature) == (401, timedelta(seconds=7), "rfc9421")
    assert server.asked[0].headers["Content-Type"] == ACTIVITY_JSON


async def test_a_post_on_a_connection_that_was_closed_meanwhile_is_made_again(client: Client) -> None:
    count = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        if count > 1:
            writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()

    async with raw_server(answer) as origin:
        assert (await client.post(f"{origin}/x", b"{}", author(), "cavage")).status == 202
    assert count == 2


async def test_connections_are_used_again(client: Client, server: Server) -> None:
    url = server.status("/x", 202)
    for _ in range(5):
        await client.post(url, b"{}", author(), "rfc9421")
    assert len(server.asked) == 5
    assert len(server.connections) == 1


NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "wait"),
    [(None, None), ("120", timedelta(seconds=120)), ("Wed, 25 Nov 2026 12:10:00 GMT", timedelta(minutes=10)),
     ("Wed, 25 Nov 2026 11:00:00 GMT", -timedelta(hours=1)), ("soon", None), ("-5", None), ("", None), ("1e9", None),
     ("9" * 400, timedelta(seconds=10**9)), ("Wed, 99 Foo 2026 99:99:99 GMT", None), ("²", None)],
)  # fmt: skip
def test_176_retry_after_is_read_whatever_it_is(value: str | None, wait: timedelta | None) -> None:
    assert retry_after(value, NOW) == wait


def test_settings_take_networks() -> None:
    assert ClientSettings(allow_networks=(ip_network("10.0.0.0/8"),)).allow_networks[0].num_addresses == 2**24
