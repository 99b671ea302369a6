"""Which media types are ActivityPub (ActivityPub §3.2): one exact form, and JSON-LD with its profile."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from schemas.terms import ACTIVITY_JSON, AS_CONTEXT, VC_JSON, VP_JSON

LD_JSON = "application/ld+json"
Wanted = Literal["activity", "page"]


MAX_HEADER = 512

_KINDS: dict[str, Wanted] = {
    ACTIVITY_JSON: "activity",
    LD_JSON: "activity",
    "application/json": "activity",
    "text/html": "page",
    "application/xhtml+xml": "page",
}


def is_activity(content_type: str) -> bool:
    """Whether a Content-Type says ActivityPub. Plain `application/ld+json` does not (SECURITY 9)."""
    return _is_activity(content_type[:MAX_HEADER])


def is_signed_kind(content_type: str) -> bool:
    """Whether a Content-Type may be that of something signed: it is read for its proof, and not for who served it."""
    return _split(content_type[:MAX_HEADER])[0] in (VC_JSON, VP_JSON, LD_JSON, ACTIVITY_JSON, "application/json")


def wants_credential(accept: str) -> str | None:
    """The form in which an Accept asks for a credential: alone, or presented with its status list; None for a page."""
    for entry in accept[:MAX_HEADER].split(",")[:32]:
        name, _parameters = _split(entry)
        if name == VP_JSON:
            return VP_JSON
        if name in (VC_JSON, *_KINDS):
            return None if _KINDS.get(name) == "page" else VC_JSON
    return None


def wanted(accept: str) -> Wanted:
    """What an Accept asks for first, an ActivityPub document or a page for people; `*/*` is a page.

    JSON-LD is taken with and without the profile, and plain JSON too: peers send any of them.
    """
    return _wanted(accept[:MAX_HEADER])


@lru_cache(256)
def _is_activity(content_type: str) -> bool:
    name, parameters = _split(content_type)
    if name == ACTIVITY_JSON:
        return True
    return name == LD_JSON and AS_CONTEXT in parameters.get("profile", "").split()


@lru_cache(1024)
def _wanted(accept: str) -> Wanted:
    best: tuple[float, int, Wanted] = (0.0, 0, "page")
    for position, entry in enumerate(accept.split(",")[:32]):
        name, parameters = _split(entry)
        kind = _KINDS.get(name)
        if kind is None:
            continue
        candidate = (_quality(parameters.get("q", "1")), -position, kind)
        if candidate[0] > 0 and (best[0] == 0.0 or candidate[:2] > best[:2]):
            best = candidate
    return best[2]


def _split(value: str) -> tuple[str, dict[str, str]]:
    name, *rest = value.split(";")
    parameters = {}
    for parameter in rest[:8]:
        key, _, text = parameter.partition("=")
        parameters[key.strip().lower()] = text.strip().strip('"')
    return name.strip().lower(), parameters


def _quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0
