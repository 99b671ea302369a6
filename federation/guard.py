"""Which network addresses may be dialled: the rule, and the two places where aiohttp asks for it.

What decides is the address that is really dialled. So the check sits in the connector's `socket_factory`, which sees
literal addresses, redirects and names that changed their mind since they were looked up; aiohttp asks no resolver
about literal addresses. The resolver checks too, so that a name of which one address is private is refused whole.

The lists are explicit: `ipaddress.is_global` is true for more than a third of the special-purpose blocks, among them
the NAT64 and 6to4 forms of private addresses (SECURITY, "Facts measured").
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

Network = IPv4Network | IPv6Network
Lookup = Callable[[str, int, int], Sequence[tuple[Any, ...]]]
"""`(host, port, family)` -> the tuples of `socket.getaddrinfo`."""

LOOKUPS_AT_ONCE = 16

_REFUSED_4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # behind a carrier's NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and the metadata services of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT relays
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_ALLOWED_6 = IPv6Network("2000::/3")  # all that is assigned for use; NAT64 and IPv4 in IPv6 lie outside
_REFUSED_6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: any IPv4 address in disguise
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)


class AddressRefused(OSError):
    """An address that may not be dialled; an OSError, as aiohttp expects of a socket that cannot be had."""


class Guard:
    """The rule: public addresses, and the networks that the operator has allowed."""

    def __init__(self, allow_networks: Sequence[Network] = ()) -> None:
        self._allowed = tuple(allow_networks)

    def permits(self, address: str) -> bool:
        """Whether an address (a literal, perhaps with a zone) may be dialled."""
        try:
            parsed = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(parsed in network for network in self._allowed) or _is_public(parsed)

    def check(self, address: str) -> None:
        """Raise AddressRefused for an address that may not be dialled."""
        if not self.permits(address):
            raise AddressRefused(f"{address} is not a public address")

    def socket(self, info: tuple[Any, ...]) -> socket.socket:
        """The `socket_factory` of aiohttp: a socket for the address that is about to be dialled."""
        family, kind, protocol, _, address = info
        self.check(str(address[0]))
        return socket.socket(family, kind, protocol)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _REFUSED_4)
    return address in _ALLOWED_6 and not any(address in block for block in _REFUSED_6)


def lookup(host: str, port: int, family: int) -> Sequence[tuple[Any, ...]]:
    """Ask the system."""
    return socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)


class GuardedResolver(AbstractResolver):
    """Names -> addresses: first the operator's map (`name -> (address, port)`), then the system, in a few threads.

    A slow name server holds one of these threads, never one that others need. A name with any address that may not be
    dialled is refused whole (SECURITY 63); a mapped name is no exception to the guard.
    """

    def __init__(self, guard: Guard, hosts: Mapping[str, tuple[str, int]], ask: Lookup = lookup) -> None:
        self._guard = guard
        self._hosts = {name.lower(): target for name, target in hosts.items()}
        self._ask = ask
        self._threads = ThreadPoolExecutor(LOOKUPS_AT_ONCE, "lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of a name; OSError when it has none, AddressRefused when one may not be dialled."""
        mapped = self._hosts.get(host.lower())
        if mapped is not None:
            found = [_result(host, *mapped)]
        else:
            loop = asyncio.get_running_loop()
            infos = await loop.run_in_executor(self._threads, self._ask, host, port, int(family))
            found = [_result(host, str(info[4][0]), port) for info in infos]
        for result in found:
            self._guard.check(result["host"])
        return found

    async def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _result(name: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=name, host=address, port=port, family=family, proto=0, flags=flags)
