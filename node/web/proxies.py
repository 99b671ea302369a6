"""Who really asks, and over what: seen through the reverse proxies that the settings trust.

`X-Forwarded-For` and `X-Forwarded-Proto` are what anybody may write, so they count only when the connection itself
comes from a trusted network; the list of addresses is then read from its end until an address that is not trusted.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from federation.rates import plain_address
from node.settings import Network
from schemas.errors import SchemaError
from schemas.urls import parse_url

MAX_HOPS = 20


@dataclass(frozen=True, slots=True)
class Proxies:
    """The trusted networks, and our own origin once there is one."""

    networks: tuple[Network, ...] = ()
    origin: str = ""

    def peer(self, request: web.Request) -> str | None:
        """The address of whoever asks."""
        address = request.remote
        if not self.trusts(address):
            return address
        hops = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")[-MAX_HOPS:]
        for hop in reversed([part.strip() for part in hops if part.strip()]):
            if not _is_address(hop):
                break
            address = hop
            if not self.trusts(hop):
                break
        return address

    def is_https(self, request: web.Request) -> bool:
        """Whether the browser's connection is encrypted, so that cookies can be bound to that."""
        if request.secure:
            return True
        if self.trusts(request.remote) and "X-Forwarded-Proto" in request.headers:
            return request.headers["X-Forwarded-Proto"].split(",")[-1].strip().lower() == "https"
        # a proxy that the settings forget to name still passes our Host on: better a cookie too strict than one too lax
        return self.origin.startswith("https://") and request.host.lower() == self.origin.removeprefix("https://")

    def origin_of(self, request: web.Request) -> str | None:
        """The origin that the browser sees in this request, None if its Host is nonsense."""
        try:
            return parse_url(f"{'https' if self.is_https(request) else 'http'}://{request.host}/").origin
        except SchemaError:
            return None

    def trusts(self, address: str | None) -> bool:
        """Whether what comes from this address is a proxy of ours."""
        if not self.networks or address is None or not _is_address(address):
            return False
        parsed = plain_address(address)
        return any(parsed in network for network in self.networks if network.version == parsed.version)


def _is_address(text: str) -> bool:
    try:
        plain_address(text)
    except ValueError:
        return False
    return True
