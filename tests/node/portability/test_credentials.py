"""Credentials and status lists of archives that nobody of ours has made: left out one by one, with nothing changed."""

from __future__ import annotations

import json

import sqlalchemy as sa

from node.credentials import lists, moving
from node.credentials.tables import credentials, status_lists
from schemas.credential_drafts import BadgeDraft, Issuer, StatusListDraft, write_badge, write_status_list
from schemas.credentials import Achievement, Status, parse_credential
from schemas.status_lists import bit, encode
from schemas.strict_json import loads_object
from tests.node.house import a_node, state
from tests.node.portability.test_archive import ACTOR, MANIFEST, OLD, brought, zipped

MALLORY = f"{OLD}/users/mallory"
LIST = f"{ACTOR}/status/1"
DAY = "2025-01-02T03:04:05Z"
SIZE = 131_072 // 8
MARKED = bytes([0, 0b0010_0000]) + bytes(SIZE - 2)  # the eleventh entry
CLEAR = bytes(SIZE)


def issuer(actor=ACTOR):
    return Issuer(actor, "Alice", "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2")


def status_list(url=LIST, *, by=ACTOR, bits=CLEAR, **more):
    draft = StatusListDraft(url, issuer(by), encode(bits), DAY, **more)
    return write_status_list(draft)


def badge(number=1, *, by=ACTOR, url=LIST, index=5):
    address = f"{by}/credentials/{number}"
    achievement = Achievement(f"{address}#achievement", "Kind", "Is kind.", criteria="I saw it.")
    status = Status(url, index) if url else None
    return write_badge(BadgeDraft(address, issuer(by), "https://bo.example/users/bo", achievement, DAY, None, status))


def issued(**changes):
    return {"side": "issued", "state": "issued", "came_at": DAY, "id": "1", "audience": "nobody"} | changes


def held(**changes):
    return issued(side="held", state="held", **changes)


def archive(**sections):
    """sections: pairs of a line and what stands beside it, by the name of the section with _ for -."""
    files = [("manifest.json", json.dumps(MANIFEST))]
    for name, pairs in sections.items():
        section, lines = name.replace("_", "-"), []
        for number, (line, document) in enumerate(pairs):
            place = f"documents/{section}/{number:06}.json"
            lines.append(line | {"document": place})
            if document is not None:
                files.append((place, document if isinstance(document, str) else json.dumps(document)))
        files.append((f"{section}.jsonl", "\n".join(json.dumps(line) for line in lines)))
    return zipped(files)


GOOD = ({"number": 1}, status_list())
NO_LISTS = {
    "of somebody else": status_list(f"{MALLORY}/status/1", by=MALLORY),
    "elsewhere": status_list(f"{OLD}/users/alicette/status/1"),
    "too short": status_list(bits=bytes(16)),
    "too long": status_list(bits=bytes(2 * SIZE)),
    "not to be unpacked": status_list() | {"credentialSubject": {"id": LIST, "encodedList": "uAAAA"}},
    "of suspensions": status_list(purpose="suspension"),
    "no list": badge(),
    "large": status_list() | {"name": "x" * 70_000},
    "no credential": {"id": LIST},
    "no JSON": "{",
    "absent": None,
}
NO_CREDENTIALS = {
    "whose list is not there": (issued(), badge(url=f"{ACTOR}/status/2")),
    "whose list is another's": (issued(), badge(url=f"{MALLORY}/status/1")),
    "without a list": (issued(), badge(url=None)),
    "behind the end of the list": (issued(), badge(index=131_072)),
    "without a date": (issued(came_at="yesterday"), badge()),
    "taken back on no day": (issued(state="revoked"), badge()),
    "a list": (issued(), status_list()),
    "shown to nobody knows whom": (held(audience="world"), badge()),
    "held in a state of its own": (held() | {"state": "loved"}, badge()),
    "large": (held(), badge() | {"description": "x" * 70_000}),
    "absent": (held(), None),
}


async def test_what_is_no_list_of_theirs_is_not_carried_on(ground, tmp_path):
    async with a_node(ground) as (node, _):
        before = await state(ground.db)
        report = await brought(node, tmp_path, archive(status_lists=[({}, one) for one in NO_LISTS.values()]))
        left = {"unreadable": len(NO_LISTS)}
        assert report["status-lists"] == {"section": "status-lists", "restored": 0, "skipped": left}
        assert await state(ground.db) == before


async def test_what_cannot_be_kept_of_credentials_is_left_out_one_by_one(ground, tmp_path):
    async with a_node(ground) as (node, _):
        await brought(node, tmp_path, archive(status_lists=[GOOD]))
        before = await state(ground.db)
        report = await brought(node, tmp_path, archive(credentials=list(NO_CREDENTIALS.values())))
        left = {"unreadable": len(NO_CREDENTIALS)}
        assert report["credentials"] == {"section": "credentials", "restored": 0, "skipped": left}
        report = await brought(node, tmp_path, archive(kept_lists=[({"issuer": ACTOR, "uri": "x"}, status_list())]))
        assert report["kept-lists"]["restored"] == 0
        assert await state(ground.db) == before


async def test_marks_of_both_stay_and_are_signed_here(ground, tmp_path):
    async with a_node(ground) as (node, _):
        author = await node.author(node.ids.actor("alice"))
        await brought(node, tmp_path, archive(status_lists=[GOOD], credentials=[(issued(), badge())]))
        await ground.db.write(lists.mark, author, LIST, 5)
        report = await brought(node, tmp_path, archive(status_lists=[({}, status_list(bits=MARKED))]))
        assert report["status-lists"]["restored"] == 1
        [row] = await ground.db.read(lambda tx: tx.rows(sa.select(status_lists)))
        assert [index for index in range(20) if bit(bytes(row.bits), index)] == [5, 10]
        said = parse_credential(loads_object(row.body))
        assert (said.issuer_id, said.list_formerly, said.id) == (author.actor_id, LIST, f"{author.actor_id}/status/1")
        assert len(loads_object(row.body)["proof"]) == 2
        [one] = await ground.db.read(lambda tx: tx.rows(sa.select(credentials)))
        assert (one.uri, one.owner, loads_object(one.body)) == (f"{ACTOR}/credentials/1", author.actor_id, badge())


async def test_who_comes_back_to_the_same_address_has_their_lists_under_it(ground, tmp_path):
    """The disk is lost, the archive is not: what others hold names this very list."""
    async with a_node(ground) as (node, _):
        me = node.ids.actor("alice")
        mine = f"{me}/status/7"
        manifest = MANIFEST | {"actor": me, "origin": node.ids.origin}
        files = [
            ("manifest.json", json.dumps(manifest)),
            ("status-lists.jsonl", json.dumps({"document": "documents/status-lists/000000.json"})),
            ("documents/status-lists/000000.json", json.dumps(status_list(mine, by=me, bits=MARKED))),
        ]
        await brought(node, tmp_path, zipped(files))
        body = await ground.db.read(lists.served, mine)
        found = parse_credential(loads_object(body))
        assert (found.id, found.issuer_id, found.list_formerly) == (mine, me, None)
        entry = await ground.db.write(lists.reserve, await node.author(me))
        assert entry.url == f"{me}/status/8"


async def test_nobody_carries_on_more_lists_than_a_person_has(ground, tmp_path, monkeypatch):
    monkeypatch.setattr(moving, "MAX_CARRIED", 2)
    async with a_node(ground) as (node, _):
        many = [({}, status_list(f"{ACTOR}/status/{number}")) for number in range(1, 5)]
        report = await brought(node, tmp_path, archive(status_lists=many))
        assert report["status-lists"] == {"section": "status-lists", "restored": 2, "skipped": {"unreadable": 2}}
