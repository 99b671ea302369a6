r"""The one URL parser: http and https URLs, read strictly and in one way (RFC 3986, IDNA for hosts).

Parsers that disagree about `https://good\@evil/` are a hole, so whatever is doubtful is refused: user information,
backslashes, white space and control characters, escaped hosts, empty hosts, impossible ports.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Any, NamedTuple

from schemas.errors import Malformed

MAX_URL = 2048

_FORM = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[^/?#\[\]:@%]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?\Z",
    re.IGNORECASE | re.ASCII,
)
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\"<>^`{|}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Url(NamedTuple):
    """A parsed URL; `host` is lower case and ASCII, `port` always given, `target` the path with the query."""

    scheme: str
    host: str
    port: int
    path: str
    query: str | None
    fragment: str | None

    @property
    def authority(self) -> str:
        """`host[:port]`, the port only where it is not the scheme's own."""
        return self.host if self.port == _DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """`scheme://host[:port]`."""
        return f"{self.scheme}://{self.authority}"

    @property
    def target(self) -> str:
        """Path and query, as a request line has them."""
        return self.path if self.query is None else f"{self.path}?{self.query}"


@lru_cache(4096)  # the same few come with every message; a refusal is not remembered
def parse_url(text: str) -> Url:
    """Read an absolute http(s) URL; Malformed for anything doubtful."""
    if len(text) > MAX_URL:
        raise Malformed("url", f"longer than {MAX_URL} characters")
    if _FORBIDDEN.search(text):
        raise Malformed("url", "holds a character that no URL has")
    match = _FORM.match(text)
    if match is None:
        raise Malformed("url", "not an absolute http or https URL")
    scheme = match["scheme"].lower()
    port = int(match["port"]) if match["port"] else _DEFAULT_PORTS[scheme]
    if not 0 < port < 65536:
        raise Malformed("url", "has an impossible port")
    return Url(scheme, _host(match["host"]), port, match["path"] or "/", match["query"], match["fragment"])


@lru_cache(4096)
def _host(text: str) -> str:
    if text.startswith("["):
        try:
            return f"[{ipaddress.IPv6Address(text[1:-1])}]"
        except ValueError as error:
            raise Malformed("url", "has a broken IPv6 address") from error
    host = text.lower()
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise Malformed("url", "has a host name that cannot be") from error
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(_LABEL.match(label) for label in labels):
        raise Malformed("url", "has a host name that cannot be")
    if labels[-1].isdigit() or labels[-1].startswith("0x"):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as error:
            raise Malformed("url", "has a broken IPv4 address") from error
    return host.removesuffix(".")


def url_of(value: Any) -> str | None:
    """The value if it is a URL that `parse_url` accepts, else None."""
    if not isinstance(value, str):
        return None
    try:
        parse_url(value)
    except Malformed:
        return None
    return value


@lru_cache(4096)
def origin_of(url: str) -> str:
    """`scheme://host[:port]`: what is compared when it matters who speaks. Malformed for no URL."""
    return parse_url(url).origin


@lru_cache(4096)
def host_of(url: str) -> str:
    """`host[:port]`. Malformed for no URL."""
    return parse_url(url).authority
