"""What may happen to a document on its way from an honest mind: a change of structure, of a value, of the bytes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from random import Random
from typing import Any

from schemas.terms import AS, AS_CONTEXT, PUBLIC
from tests.fuzz.cast import ALICE, CANARY, CAROL, EVERYBODY, NODE, VERA

Place = tuple[Any, Any]
"""A dict and a name in it, or a list and a number in it."""
Change = Callable[[Random, Place], None]

MAX_PLACES = 400

WRONG: tuple[Any, ...] = (
    None, 0, 1, -1, 1.5, True, False, "", " ", "x", [], {}, [[]], [{}], [None], [[[["x"]]]], {"id": None}, {"id": []},
    {"id": {"id": "x"}}, {"type": 5}, {"type": ["Note", "Article"]}, {"@value": "x"}, {"@id": VERA.id}, {"en": "x"},
    {"en": 5}, {"": ""}, {"name": {}}, [True, 0, ""], {"href": 5}, {"type": "Link"}, {"type": "Link", "href": []},
    {"type": "Image", "url": [{"href": None}]}, {"totalItems": "many"}, {"totalItems": -5}, {"items": [[]]},
)  # fmt: skip
IDS: tuple[Any, ...] = (
    *(actor.id for actor in EVERYBODY),
    *(f"{actor.id}/notes/{number}" for actor in EVERYBODY for number in range(3)),
    *(actor.followers for actor in EVERYBODY),
    f"{VERA.id}/gigs/0", VERA.key_id, f"{VERA.id}/activities/0", f"{VERA.origin}/x",
    ALICE, CAROL, f"{ALICE}/followers", f"{CAROL}/followers", f"{NODE}/users/instance.actor", f"{NODE}/inbox",
    f"{ALICE}/posts/01aaaaaaaaaaaaaaaaaaaaaaaa", f"{ALICE}#main-key", f"{NODE}/activities/1", NODE, f"{NODE}/",
    PUBLIC, "as:Public", "Public",
    f"http://{CANARY}/x", f"https://{CANARY}/users/x", "http://127.0.0.45/x", "http://169.254.169.254/latest",
    "http://[::1]/x", "http://0x7f.1/x", "http://localhost/x", "https://one.example:8443/users/bob",
    "file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "//one.example/x",
    "http://one.example\\@two.example/", "http://two.example#@one.example/", "http://user:pw@one.example/users/bob",
    "HTTP://ONE.EXAMPLE/users/bob", "http://one.example/users/../users/bob", "http://one.example/users/%62ob",
    "http://one.example./users/bob", "http://one.example:99999/x", "http:///x", "http://one.example/" + "x" * 2_100,
    "https://xn--zca.example/", "http://οne.example/users/bob", "urn:x", "acct:bob@one.example", "did:key:z6Mk",
    "_:b0", "#x", "?",
)  # fmt: skip
TEXTS: tuple[str, ...] = (
    "\u202egnp.exe", "a\u2066b\u2069", "\u200b", "\ufeff", "\u2028", "a\rb\nc", "\x1b[31m", "\x7f", "\x00", "x\x00y",
    "\ud800", "\udfff\ud800", "\U0001f469\u200d\U0001f4bb", "\u0301" * 200, "ﬁ", "İ", "ß", "ﷺ" * 50, "\U000e0041",
    "x" * 1_000, "w o r d " * 2_000, "🙂" * 3_000, "٣", "１２", "zalgo" + "\u0336" * 500, "' OR 1=1 --", "%s%n",
    "{{7*7}}", "${x}", "../../etc/passwd", "C:\\con", "=cmd|' /C calc'!A0", "\\u0000", "&#0;", "&#x110000;", "&" * 500,
    "Update", "Note", "Delete", "Person", "Tombstone", "Question", "Profile", "Collection", "Hashtag", "Mention",
    "as:Note",
)  # fmt: skip
HTML: tuple[str, ...] = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)><a href=x>", "<b><i><u>",
    "</div></main></body></html>", "<a href='javascript:alert(1)'>x</a>",
    "<a href=\"https://a.example/\">b.example</a>", "<p>" * 300, "<table><tr><td>" * 60, "<h1>" * 20, "<!--",
    "<![CDATA[x]]>", "<a " * 400, "<p title='</p>'>", "<math><mtext><table><mglyph><style><img src=x>",
    "<iframe srcdoc='<script>x</script>'>", "<ul><li>" * 100, "<style>*{display:none}</style>",
    "<base href=http://two.example>", "<form action=/sign-out><button>x", "<meta http-equiv=refresh content=0>",
    "<p style=position:fixed class='card post' id=main>", "<br>" * 500, "<span class='invisible'>https://</span>",
    "&lt;script&gt;", "<ruby><rt><rp>", "<bdo dir=rtl>x", "<textarea>",
)  # fmt: skip
NUMBERS: tuple[Any, ...] = (
    0, -1, 1, 2**31, -(2**31), 2**53, 2**53 - 1, 1e-300, 1e300, 0.1, -0.5, 123456789012, "0", "-1", "1e5", "1e400",
    "NaN", "∞", "१२", "00012", "9" * 400, "0.0000000001", "1,5", "1_000", "+5", " 5", "0x10", "12.3456789", True, 1.0,
)  # fmt: skip
TIMES: tuple[Any, ...] = (
    "2026-06-30T23:59:60Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "0000-00-00T00:00:00Z", "2026-01-01",
    "2026-11-25T09:00:00", "2026-11-25T09:00:00+14:00", "2026-11-25T09:00:00-99:99", "2026-11-25T25:00:00Z",
    "2199-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-11-25t09:00:00z", "yesterday", "now",
    "2026-11-25T09:00:00.123456789Z", "1764061200", 1764061200, "٢٠٢٦-١١-٢٥T٠٩:٠٠:٠٠Z", "P1D", "PT99999999H", "PT", "",
    "2027-01-01T00:00:00Z", "2000-01-01T00:00:00Z", "+292277026596-12-04T15:30:07Z",
)  # fmt: skip
CONTEXTS: tuple[Any, ...] = (
    None, "", "http://two.example/context", [], {}, [AS_CONTEXT] * 20, [[AS_CONTEXT]], {"@vocab": AS},
    {"@base": VERA.id}, {"@vocab": "https://a.example/"}, {"@language": "x" * 300}, {"@import": f"http://{CANARY}/x"},
    {"@version": 9}, {"@propagate": False}, {"actor": "as:object"}, {"object": "as:actor"},
    {"attributedTo": "as:actor"}, {"to": "as:bto"}, {"content": "as:summary"}, {"id": "@type"}, {"type": "@id"},
    {"wer": "@id"}, {"was": "@type"}, {"h": "@graph"}, {"h": "@included"}, {"h": "@reverse"}, {"h": "@nest"},
    {"q": AS}, {"boss": "as:actor"}, {"as": "https://a.example/"},
    {"actor": {"@id": "as:actor", "@context": {"id": "@type"}}}, {"tag": {"@id": "as:tag", "@container": "@graph"}},
    {"x": {"@id": "x", "@type": "@json"}}, {"schema": "https://a.example/"}, {"@protected": True},
    {"Note": "as:Delete"},
)  # fmt: skip
NAMES: tuple[str, ...] = (
    "id", "type", "actor", "object", "target", "origin", "result", "attributedTo", "to", "cc", "bto", "bcc", "audience",
    "content", "contentMap", "summary", "summaryMap", "name", "nameMap", "url", "href", "tag", "attachment", "icon",
    "image", "published", "updated", "endTime", "closed", "inReplyTo", "replies", "likes", "shares", "quote",
    "quoteUrl", "first", "items", "orderedItems", "totalItems", "oneOf", "anyOf", "votersCount", "publishes",
    "reciprocal", "purpose", "vf:name", "teaches", "license", "learningResourceType", "timeRequired", "describes",
    "availability", "headline", "portfolio", "preferredUsername", "inbox", "outbox", "followers", "following",
    "featured", "endpoints", "sharedInbox", "publicKey", "assertionMethod", "alsoKnownAs", "movedTo",
    "manuallyApprovesFollowers", "discoverable", "indexable", "webfinger", "proof", "signature", "@id", "@type",
    "@context", "@graph", "@included", "@reverse", "@value", "@list", "@set", "as:actor", AS + "object",
    "as:attributedTo", "sensitive", "mediaType", "width", "height", "duration", "rel", "schema:knowsAbout",
    "schema:makesOffer", "schema:worksFor", "schema:name", "formerType", "deleted", "", "__proto__",
)  # fmt: skip


def mutated(random: Random, document: dict[str, Any], graft: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A copy with one change somewhere in it. graft: another document, to be put inside."""
    changed = copy.deepcopy(document)
    place = random.choice(places(changed))
    kind = random.randrange(100)
    if kind < 6:
        _set(place, graft())
    elif kind < 12:
        _context(random, changed)
    else:
        random.choice(CHANGES)(random, place)
    return changed


def places(value: Any) -> list[Place]:
    """Where something can be changed, the outermost first."""
    found: list[Place] = []
    waiting: list[Any] = [value]
    while waiting and len(found) < MAX_PLACES:
        item = waiting.pop(0)
        inside = list(item.items()) if isinstance(item, dict) else list(enumerate(item))
        for name, inner in inside[:40]:
            found.append((item, name))
            if isinstance(inner, dict | list) and name != "@context":
                waiting.append(inner)
    return found or [({"x": 1}, "x")]


def _get(place: Place) -> Any:
    return place[0][place[1]]


def _set(place: Place, value: Any) -> None:
    place[0][place[1]] = value


def _wrong(random: Random, place: Place) -> None:
    _set(place, copy.deepcopy(random.choice(WRONG)))


def _id(random: Random, place: Place) -> None:
    _set(place, random.choice(IDS))


def _text(random: Random, place: Place) -> None:
    _set(place, random.choice(TEXTS))


def _spoilt(random: Random, place: Place) -> None:
    """Something odd in the middle of what was there."""
    value, odd = _get(place), random.choice(TEXTS + HTML)
    at = random.randrange(len(value) + 1) if isinstance(value, str) else 0
    _set(place, value[:at] + odd + value[at:] if isinstance(value, str) else odd)


def _html(random: Random, place: Place) -> None:
    _set(place, random.choice(HTML))


def _long(random: Random, place: Place) -> None:
    if random.random() < 0.2:
        _set(place, random.choice(("x", "<p>", "&", "é", "[", "@a@b.example ", "#tag ")) * 14_000)
    else:
        _text(random, place)


def _number(random: Random, place: Place) -> None:
    _set(place, random.choice(NUMBERS))


def _time(random: Random, place: Place) -> None:
    _set(place, random.choice(TIMES))


def _delete(random: Random, place: Place) -> None:
    del place[0][place[1]]


def _rename(random: Random, place: Place) -> None:
    value = _get(place)
    if isinstance(place[0], dict):
        del place[0][place[1]]
        place[0][random.choice((*NAMES, f"as:{place[1]}", str(place[1]).upper()))] = value


def _double(random: Random, place: Place) -> None:
    value = copy.deepcopy(_get(place))
    if isinstance(place[0], dict):
        place[0][random.choice(NAMES)] = value
    else:
        place[0].append(value)


def _add(random: Random, place: Place) -> None:
    value = random.choice((random.choice(WRONG), random.choice(IDS), random.choice(TEXTS), random.choice(NUMBERS)))
    if isinstance(place[0], dict):
        place[0][random.choice(NAMES)] = copy.deepcopy(value)
    else:
        place[0].insert(0, copy.deepcopy(value))


def _swap(random: Random, place: Place) -> None:
    if isinstance(place[0], dict):
        name = random.choice(list(place[0]))
        place[0][place[1]], place[0][name] = place[0][name], place[0][place[1]]


def _wrap(random: Random, place: Place) -> None:
    value = _get(place)
    wrappers = ([value], [[value]], [value, value], [None, value], {"id": value}, {"@value": value}, {"@id": value})
    _set(place, random.choice((*wrappers, {"@list": [value]}, {"type": "Link", "href": value}, {"object": value})))


def _deep(random: Random, place: Place) -> None:
    value = _get(place)
    for _ in range(random.choice((3, 10, 25, 29, 40, 200))):
        value = [value] if random.random() < 0.5 else {"object": value}
    _set(place, value)


def _many(random: Random, place: Place) -> None:
    value = _get(place)
    count = random.choice((3, 25, 120, 999, 1_001))
    items = [f"{value}/{number}" if isinstance(value, str) else value for number in range(count)]
    _set(place, items[: 200_000 // (len(str(value)) + 10) + 1])


def _context(random: Random, document: dict[str, Any]) -> None:
    holders = [document, *(item for item, _ in places(document) if isinstance(item, dict))]
    holder, context = random.choice(holders), copy.deepcopy(random.choice(CONTEXTS))
    if random.random() < 0.3:
        holder["@context"] = context
    else:
        before = holder.get("@context", AS_CONTEXT)
        holder["@context"] = [*(before if isinstance(before, list) else [before]), context]


CHANGES: tuple[Change, ...] = (
    _wrong, _wrong, _wrong, _id, _id, _id, _text, _spoilt, _spoilt, _html, _long, _number, _time, _time, _delete,
    _delete, _rename, _rename, _double, _double, _add, _add, _swap, _wrap, _wrap, _deep, _many,
)  # fmt: skip


# ---- bytes


def spoilt_bytes(random: Random, body: bytes) -> bytes:
    """What no JSON library writes."""
    at = random.randrange(len(body))
    return random.choice(
        (
            body[:at],
            body[:at] + bytes([random.randrange(256)]) + body[at:],
            body[:at] + b"\x00" + body[at + 1 :],
            b"\xef\xbb\xbf" + body,
            body.decode("utf-8", "replace").encode("utf-16"),
            body + random.choice((b"{}", b"]", b"\n", b" " * 5_000)),
            body[:-1] + b',"actor":' + json.dumps(VERA.id).encode() + b"}",
            body[:-1] + b',"\\u0061ctor":' + json.dumps(VERA.id).encode() + b"}",
            body[:-1] + b',"x":' + random.choice((b"NaN", b"1e400", b"-0", b"9" * 400, b"01", b"-Infinity")) + b"}",
            body[:-1]
            + b',"x":"'
            + random.choice((b"\\ud800", b"\\u0000", b"\\x", b"\xc0\x80", b"\xed\xa0\x80"))
            + b'"}',
            body[:-1] + b',"x":' + b"[" * random.choice((20, 40, 5_000)) + b"}",
            b"[" + body + b"]",
        )
    )
