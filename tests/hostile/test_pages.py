"""SECURITY 55, 96, 99: whatever others write into any field, a page stays a page."""

from __future__ import annotations

import json
import re
from random import Random
from typing import TYPE_CHECKING, Any

from schemas.terms import PUBLIC
from tests.fuzz import valid
from tests.fuzz.arena import arena
from tests.fuzz.cast import ALICE, BOB
from tests.fuzz.invariants import Watch
from tests.node.test_text import XSS, check

if TYPE_CHECKING:
    from pathlib import Path

WRITERS = (valid.note, valid.gig, valid.module, valid.question, valid.card, valid.pack, valid.like_note("Event"))
FIXED = frozenset(
    ("id", "type", "@context", "to", "cc", "attributedTo", "published", "updated", "endTime", "closed", "describes",
     "actor", "object", "inbox", "outbox", "publicKey", "assertionMethod", "preferredUsername", "purpose", "status")
)  # fmt: skip
TURNED = ("\u202egpj.exe", "\u2066\u200b\u2069x", "a\u2028b")


def spoilt(value: Any, text: str, name: str = "") -> Any:
    """Every text in a document replaced, and every address followed by it."""
    if name in FIXED:
        return value
    if isinstance(value, dict):
        return {key: spoilt(inner, text, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [spoilt(inner, text, name) for inner in value]
    return text if isinstance(value, str) else value


async def test_055_096_099_every_field_of_everything(tmp_path: Path) -> None:
    async with arena(tmp_path / "data") as node:
        watch = Watch(node)
        await watch.begin()
        things, number = [], 0
        for text in (*XSS, *TURNED):
            for write in WRITERS:
                number += 1
                pen = valid.Pen(Random(number), number * valid.WINDOW, BOB, node.ours)
                thing = spoilt(write(pen), text) | {"to": [PUBLIC, ALICE], "cc": []}
                things.append(thing["id"])
                assert await node.send(BOB, json.dumps(pen.brought("Create", thing)).encode()) in (202, 400)
            pen = valid.Pen(Random(number), number * valid.WINDOW + 1, BOB, node.ours)
            changed = spoilt(pen.me.document(**valid.write_profile(valid.profile(pen))), text)
            assert await node.send(BOB, json.dumps(pen.brought("Update", changed | {"to": [PUBLIC]})).encode()) == 202
            assert await node.send(BOB, json.dumps(spoilt(valid.flag(pen), text)).encode()) == 202
            await node.settle()
            profile = await node.get("nobody", "/@bob@one.example")
            watch.check_pages([profile])
            heads_are_whole([profile.text])
        pages = await node.look(things[::4])  # each writer, each text
        assert sum(page.status == 200 for page in pages) > len(things) / 4
        watch.check_pages(pages)
        heads_are_whole([page.text for page in pages if page.text.startswith("<!doctype html>")])
        for page in pages:
            if page.path.endswith("/feed.atom"):
                assert "<script" not in page.text
            elif page.path.endswith("/feed.json"):
                for item in json.loads(page.text)["items"]:
                    check(item.get("content_html", ""))


def heads_are_whole(texts: list[str]) -> None:
    """Nothing came out of the title or a description; no character turns what stands around it."""
    for text in texts:
        head = text.partition("</head>")[0]
        assert text.count("</head>") <= 1
        data = re.findall(r'<script type="application/ld\+json">(.*?)</script>', head)
        assert all(json.loads(one) for one in data)
        assert head.count("<script") == len(data) + head.count('<script src="/static/')
        assert not re.search(r"<(?:img|svg|iframe|style|base)\b|<meta http-equiv", head), head
        found = re.search("(.{0,200})[\u202e\u2066\u200b]", re.sub(r' value="[^"]*"', "", text))
        assert found is None, found[1]
