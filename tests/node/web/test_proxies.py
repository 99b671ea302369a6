"""Who asks, and over what, seen through proxies that are trusted and ones that are not."""

from __future__ import annotations

import ipaddress

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from federation.rates import address_key
from node.accounts.agents import place_of
from node.web.keys import PROXIES
from node.web.proxies import Proxies

TRUSTED = Proxies((ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("2001:db8::/32")))
NOBODY = Proxies()


async def tell(request):
    proxies = request.app[PROXIES]
    return web.json_response([proxies.peer(request), proxies.is_https(request), proxies.origin_of(request)])


async def ask(serve, proxies, headers):
    async with (
        serve(web.get("/", tell), proxies=proxies) as visitor,
        visitor.http.get(f"{visitor.origin}/", headers=headers) as answer,
    ):
        return await answer.json()


@pytest.mark.parametrize(
    ("forwarded", "peer"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),  # what stands before it, anybody may have written
        ("203.0.113.9, 127.0.0.5", "203.0.113.9"),  # a chain of proxies of ours
        ("203.0.113.9, 2001:db8::1", "203.0.113.9"),
        ("2001:db8:9::1", "2001:db8:9::1"),
        ("nonsense", "127.0.0.1"),
        ("203.0.113.9, nonsense", "127.0.0.1"),
        ("", "127.0.0.1"),
        (", ".join(["127.0.0.1"] * 500), "127.0.0.1"),
    ],
)
async def test_the_last_address_that_is_not_a_proxy_of_ours_asks(serve, forwarded, peer):
    assert (await ask(serve, TRUSTED, {"X-Forwarded-For": forwarded}))[0] == peer


@pytest.mark.parametrize(
    ("forwarded", "network"),
    [
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, ::ffff:203.0.113.9, ::ffff:127.0.0.5", "203.0.113.9"),
    ],
)
async def test_120_all_of_ipv4_is_not_one_network(serve, forwarded, network):
    """A proxy that listens for IPv4 and IPv6 at once writes addresses so."""
    peer = (await ask(serve, TRUSTED, {"X-Forwarded-For": forwarded}))[0]
    assert address_key(peer) == network
    assert place_of("", peer).network == "203.0.113.0/24"


async def test_nobody_else_is_believed(serve):
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "Host": "alice.example"}
    assert await ask(serve, NOBODY, headers) == ["127.0.0.1", False, "http://alice.example"]
    assert await ask(serve, TRUSTED, headers) == ["203.0.113.9", True, "https://alice.example"]


async def test_a_request_for_our_https_origin_came_by_https_whatever_the_proxy_forgot(serve):
    proxies = Proxies((), "https://alice.example")
    assert (await ask(serve, proxies, {"Host": "alice.example"}))[1]
    assert not (await ask(serve, proxies, {"Host": "localhost:8420"}))[1]


@pytest.mark.parametrize("host", ["a b", "a@b", "", "x:99999"])
def test_a_host_that_is_nonsense_has_no_origin(host):
    assert NOBODY.origin_of(make_mocked_request("GET", "/", headers={"Host": host})) is None
