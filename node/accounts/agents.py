"""From where somebody signs in, as they will know it again: browser and system in words, and a rough network. Pure."""

from __future__ import annotations

from ipaddress import ip_network
from typing import NamedTuple

from federation.rates import plain_address

MAX_READ = 500  # characters of a User-Agent that are looked at

# Browsers claim to be each other, so the first that is found counts, in this order.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi", "Vivaldi"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chromium", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
    ("BSD", "BSD"),
)


class Place(NamedTuple):
    """Where a browser is. Names of products; None for what it does not say."""

    browser: str | None = None
    system: str | None = None
    network: str | None = None


NOWHERE = Place()


def place_of(user_agent: str, address: str | None) -> Place:
    """What is kept of a request: never the whole User-Agent, never the whole address."""
    text = user_agent[:MAX_READ]
    return Place(_first(_BROWSERS, text), _first(_SYSTEMS, text), _network(address))


def _first(known: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((name for sign, name in known if sign in text), None)


def _network(address: str | None) -> str | None:
    """192.0.2.0/24, or 2001:db8::/48: the provider's town at best."""
    try:
        parsed = plain_address(address or "")
    except ValueError:
        return None
    if parsed.is_loopback:
        return None
    return str(ip_network(f"{parsed}/{24 if parsed.version == 4 else 48}", strict=False))
