"""How servers find each other: WebFinger (RFC 7033), host-meta (RFC 6415), NodeInfo (FEP-f1d5)."""

from __future__ import annotations

from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from schemas.base import many, objects_of, text_of
from schemas.errors import Malformed
from schemas.terms import ACTIVITY_JSON, LD_JSON_AS
from schemas.urls import parse_url, url_of

NODEINFO_SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/"
MAX_HANDLE = 320


class Jrd(NamedTuple):
    """What WebFinger says of an account: its canonical `acct:` subject and the id of its actor."""

    subject: str
    aliases: tuple[str, ...]
    self_href: str | None


def parse_webfinger(document: dict[str, Any]) -> Jrd:
    """Read a JSON Resource Descriptor; Malformed when it has no subject."""
    subject = document.get("subject")
    if not isinstance(subject, str) or len(subject) > MAX_HANDLE + 5:
        raise Malformed("subject", "missing or too long")
    aliases = tuple(found for item in many(document.get("aliases"))[:20] if (found := url_of(item)))
    return Jrd(subject, aliases, _self_link(document))


def _self_link(document: dict[str, Any]) -> str | None:
    for link in objects_of(document.get("links")):
        kind = text_of(link.get("type"), limit=200)
        understood = kind == ACTIVITY_JSON or (kind.startswith("application/ld+json") and "activitystreams" in kind)
        if link.get("rel") == "self" and understood and (href := url_of(link.get("href"))):
            return href
    return None


def write_webfinger(acct: str, actor_id: str, page: str) -> dict[str, Any]:
    """The descriptor of a local account."""
    return {
        "subject": f"acct:{acct}",
        "aliases": [actor_id, page],
        "links": [
            {"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": page},
            {"rel": "self", "type": ACTIVITY_JSON, "href": actor_id},
            {"rel": "self", "type": LD_JSON_AS, "href": actor_id},
        ],
    }


def parse_handle(text: str) -> tuple[str, str]:
    """`@name@host`, `name@host` or `acct:name@host` -> (name, host in canonical form); Malformed otherwise."""
    if len(text) > MAX_HANDLE + 5:
        raise Malformed("handle", "too long")
    name, at, host = text.strip().removeprefix("acct:").removeprefix("@").partition("@")
    if not at or not name or any(not (char.isalnum() or char in "_.-~") for char in name):
        raise Malformed("handle", "not of the form @name@host")
    url = parse_url(f"https://{host}/")
    if "/" in host or "?" in host or "#" in host:
        raise Malformed("handle", "not of the form @name@host")
    return name, url.authority


def host_meta(origin: str) -> str:
    """The XRD that says where WebFinger is."""
    template = escape(f"{origin}/.well-known/webfinger?resource={{uri}}", {'"': "&quot;"})
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">'
        f'<Link rel="lrdd" type="application/jrd+json" template="{template}"/></XRD>\n'
    )


def nodeinfo_links(origin: str) -> dict[str, Any]:
    """Which versions of NodeInfo there are, and where."""
    return {
        "links": [
            {"rel": f"{NODEINFO_SCHEMA}{version}", "href": f"{origin}/nodeinfo/{version}"} for version in ("2.0", "2.1")
        ]
    }


def nodeinfo(version: str, *, software_version: str, users: int, posts: int) -> dict[str, Any]:
    """What kind of server this is."""
    software = {"name": "freehold", "version": software_version}
    return {
        "version": version,
        "software": software,
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": False,
        "usage": {"users": {"total": users}, "localPosts": posts},
        "metadata": {},
    }
