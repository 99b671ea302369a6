"""Archives that nobody of ours has made: refused whole, or read without what is wrong (SECURITY 103, 107, 111, 138)."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import pytest
import sqlalchemy as sa

from federation.authors import create_local_actor
from federation.tables import objects
from node.accounts import commands as accounts
from node.accounts.tables import accounts as account_rows
from node.errors import Invalid
from node.portability import archive, commands, working
from node.portability.archive import Reader
from node.portability.moving import Former, Map
from node.portability.tables import archives
from node.profiles.commands import first_profile
from node.social.commands import post
from node.social.rules import parse_post
from tests.node.house import a_node, sign_in, state, token_in
from tests.node.neighbours import keys

OLD = "https://old.example"
ACTOR = f"{OLD}/users/alice"
NOTE = {
    "@context": "https://www.w3.org/ns/activitystreams",
    "id": f"{ACTOR}/posts/01aaaaaaaaaaaaaaaaaaaaaaaa",
    "type": "Note",
    "attributedTo": ACTOR,
    "content": "<p>Kept</p>",
    "published": "2025-01-02T03:04:05Z",
    "to": ["https://www.w3.org/ns/activitystreams#Public"],
    "cc": [f"{ACTOR}/followers"],
}
MANIFEST = {"format": archive.FORMAT, "version": 1, "actor": ACTOR, "origin": OLD, "username": "alice"}


def line_of(document, number=0, **changes):
    entry = {
        "id": document.get("id"),
        "published": document.get("published"),
        "document": f"documents/posts/{number:06}.json",
    }
    return entry | changes


def zipped(files, *, infos=()):
    """A zip of these files; infos: heads of more, written as they are."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files:
            made.writestr(name, content)
        for info in infos:
            made.writestr(info, b"x")
    return body.getvalue()


def ours(*documents, manifest=MANIFEST, **sections):
    """An archive as we write it, with these posts."""
    files = [("manifest.json", json.dumps(manifest))]
    lines = [line_of(document, number) for number, document in enumerate(documents)]
    files += [(f"documents/posts/{number:06}.json", json.dumps(document)) for number, document in enumerate(documents)]
    for name, entries in ({"posts": lines} | sections).items():
        files.append((f"{name}.jsonl", "\n".join(json.dumps(entry) for entry in entries)))
    return zipped(files)


def head(name, **attributes):
    info = zipfile.ZipInfo(name)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info


GOOD = ("manifest.json", json.dumps(MANIFEST))
HOSTILE = {
    "no zip": b"PK\x03\x04 no zip at all",
    "empty": b"",
    "no manifest": zipped([("posts.jsonl", "{}")]),
    "another format": zipped([("manifest.json", json.dumps(MANIFEST | {"format": "mastodon"}))]),
    "another version": zipped([("manifest.json", json.dumps(MANIFEST | {"version": 2}))]),
    "a manifest that is no object": zipped([("manifest.json", "[1]")]),
    "a manifest with a member twice": zipped([("manifest.json", '{"format": 1, "format": 2}')]),
    "a deep manifest": zipped([("manifest.json", '{"format":' + "[" * 5000)]),
    "up": zipped([GOOD], infos=[head("../evil.jsonl")]),
    "up inside": zipped([GOOD], infos=[head("documents/../../evil.json")]),
    "absolute": zipped([GOOD], infos=[head("/etc/passwd")]),
    "backslash": zipped([GOOD], infos=[head("documents\\evil.json")]),
    "a link": zipped([GOOD], infos=[head("posts.jsonl", external_attr=0o120777 << 16)]),
    "a folder": zipped([GOOD], infos=[head("documents/")]),
    "twice": zipped([GOOD, ("posts.jsonl", "{}"), ("posts.jsonl", "{}")]),
    "a long name": zipped([GOOD], infos=[head("x" * 3000)]),
    "not of ours": zipped([GOOD], infos=[head("Makefile.EXE")]),
    "cut": ours(NOTE)[:-30],
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_103_an_archive_that_is_not_ours_is_refused_whole(name, tmp_path):
    path = tmp_path / "archive.zip"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(Invalid), Reader(path) as reader:
        reader.text("actor")
    assert sorted(tmp_path.iterdir()) == [path]


def test_103_what_inflates_to_more_than_it_may_is_left_out(tmp_path):
    path = tmp_path / "archive.zip"
    huge = json.dumps({"id": "x" * 2_000_000})
    path.write_bytes(
        zipped([GOOD, ("posts.jsonl", f"{{}}\n{huge}\n{{}}"), ("documents/posts/000000.json", "0" * 5_000_000)])
    )
    assert path.stat().st_size < 100_000
    with Reader(path) as reader:
        assert list(reader.lines("posts")) == [{}]
        assert reader.file("documents/posts/000000.json", 1_000_000) is None
        assert [reader.file(name, 10) for name in (None, 5, "../x", "posts", ["posts.jsonl"])] == [None] * 5


def test_what_an_address_stood_for_is_what_it_stands_for():
    class New:
        origin = "https://new.example"

        def page(self, username):
            return f"https://new.example/@{username}"

        def username(self, actor_id):
            return actor_id.rpartition("/")[2]

        def object_page(self, object_id):
            return object_id.replace("/users/", "/@")

    moved = Map(Former(ACTOR, OLD, "alice"), New(), "https://new.example/users/al")
    moved.objects[NOTE["id"]] = "https://new.example/users/al/posts/01b"
    moved.pictures["a.webp"] = "b.webp"
    for old, new in {
        ACTOR: "https://new.example/users/al",
        f"{ACTOR}/followers": "https://new.example/users/al/followers",
        NOTE["id"]: "https://new.example/users/al/posts/01b",
        f"{NOTE['id']}/replies": "https://new.example/users/al/posts/01b/replies",
        f"{OLD}/@alice/posts/01aaaaaaaaaaaaaaaaaaaaaaaa": "https://new.example/@al/posts/01b",
        f"{OLD}/@alice": "https://new.example/@al",
        f"{OLD}/media/a.webp": "https://new.example/media/b.webp",
        f"{OLD}/media/c.webp": f"{OLD}/media/c.webp",
        f"{OLD}/users/alicette": f"{OLD}/users/alicette",
        "https://bo.example/users/alice": "https://bo.example/users/alice",
    }.items():
        assert moved.url(old) == new
    deep = {"a": None}
    for _number in range(200):
        deep = {"tag": [deep]}
    assert moved.document(deep) is not None
    assert "proof" not in moved.document({"proof": {}, "bto": [], "id": NOTE["id"]})


async def brought(node, tmp_path, body):
    path = tmp_path / "archive.zip"
    path.write_bytes(body)
    report = await working.read_archive(node, node.ids.actor("alice"), path)
    return {part["section"]: part for part in report}


async def test_107_what_comes_in_is_checked_entry_by_entry(ground, tmp_path):
    script = NOTE | {"content": '<p>Kept</p><script>alert(1)</script><img src=x onerror="alert(1)">', "bto": [ACTOR]}
    bad = [
        NOTE | {"id": f"{ACTOR}/posts/01baaaaaaaaaaaaaaaaaaaaaaa", "attributedTo": f"{OLD}/users/mallory"},
        NOTE | {"id": f"{OLD}/users/mallory/posts/01caaaaaaaaaaaaaaaaaaaaaaa"},
        NOTE | {"id": f"{ACTOR}/posts/01daaaaaaaaaaaaaaaaaaaaaaa", "type": "Person"},
        NOTE | {"id": f"{ACTOR}/posts/01eaaaaaaaaaaaaaaaaaaaaaaa", "published": "yesterday"},
        NOTE | {"id": f"{ACTOR}/posts/01faaaaaaaaaaaaaaaaaaaaaaa", "content": "x" * 60_000},
        NOTE | {"id": 5},
        NOTE | {"id": f"{ACTOR}/posts/01gaaaaaaaaaaaaaaaaaaaaaaa", "to": [], "cc": [], "tag": "x", "url": {"a": 1}},
    ]
    async with a_node(ground) as (node, _):
        report = await brought(
            node,
            tmp_path,
            ours(
                script,
                *bad,
                account=[{"language": "xx", "theme": 5}, {"theme": "dark"}],
                blocks=[{"actor": "javascript:alert(1)"}, {}, {"actor": 5}, {"actor": "https://spam.example/u"}],
                featured=[{"object_id": NOTE["id"]}, {"object_id": f"{ACTOR}/posts/never"}],
                media=[{"name": "../../etc/passwd"}, {"id": "1", "name": "a" * 40 + ".webp", "object_id": NOTE["id"]}],
                profile=[{"form": {"name": ["list"]}}, {"form": "x"}],
            ),
        )
        stored = await ground.db.read(lambda tx: tx.rows(sa.select(objects)))
        assert report["posts"]["restored"] == len(stored) >= 1
        first = next(row for row in stored if row.published.year == 2025)
        assert b"script" not in first.body
        assert b"onerror" not in first.body
        assert b"bto" not in first.body
        assert b"Kept" in first.body
        assert all(row.owner == node.ids.actor("alice") and row.local for row in stored)
        assert all(row.id.startswith(node.ids.actor("alice") + "/") for row in stored)
        assert not [row for row in stored if b"mallory" in row.body]
        assert report["account"] == {"section": "account", "restored": 1, "skipped": {"unreadable": 1}}
        assert report["blocks"]["restored"] == 1
        assert report["featured"]["restored"] == 1
        assert report["media"]["restored"] == report["profile"]["restored"] == 0


async def test_138_an_archive_is_made_kept_for_a_week_and_given_to_its_owner_alone(ground):
    async with a_node(ground) as (node, visitor):
        alice = await node.author(node.ids.actor("alice"))
        await ground.db.write(post, alice, parse_post({"body": "Mine", "audience": "public"}), None)
        await sign_in(visitor)
        asked = await visitor.submit("/settings/export")
        assert "Preparing your archive" in asked.text
        again = await visitor.submit("/settings/export")
        assert again.text.count("<progress") == 1
        assert await working.drain(node) == 1
        page = await visitor.get("/settings/export")
        assert "Download" in page.text
        (row,) = await ground.db.read(lambda tx: tx.rows(sa.select(archives)))
        path = f"/settings/export/{row.id}"
        file = commands.folder(node.settings.data) / f"{row.id}.zip"
        assert file.stat().st_mode & 0o777 == 0o600
        async with visitor.http.get(visitor.origin + path) as answer:
            assert answer.headers["Content-Type"] == "application/zip"
            assert answer.headers["Content-Disposition"].startswith("attachment;")
            with zipfile.ZipFile(io.BytesIO(await answer.read())) as made:
                assert b"Mine" in made.read("documents/posts/000000.json")
                held = b"".join(made.read(name) for name in made.namelist())
                assert b"PRIVATE" not in held
                assert b"$argon2" not in held

        def neighbour(tx):
            author = create_local_actor(tx, node.authors, "carol", keys(), first_profile(tx, "carol", "person"))
            values = {"username": "carol", "actor_id": author.actor_id, "password": "", "created_at": tx.now}
            account_id = tx.execute(sa.insert(account_rows).values(values).returning(account_rows.c.id)).scalar_one()
            return accounts.open_session(tx, account_id)

        mine = {cookie.key: cookie.value for cookie in visitor.http.cookie_jar}
        visitor.http.cookie_jar.clear()
        visitor.http.cookie_jar.update_cookies({"freehold": await ground.db.write(neighbour)})
        token = token_in((await visitor.get("/settings/export")).text)
        before = await state(ground.db)
        never = await visitor.get("/settings/export/01aaaaaaaaaaaaaaaaaaaaaaaa")
        theirs = await visitor.get(path)
        assert (theirs.status, theirs.text) == (404, never.text)
        assert (await visitor.post(path, csrf=token)).status == 404
        assert await state(ground.db) == before
        visitor.http.cookie_jar.clear()
        assert "Sign in" in (await visitor.get(path)).text
        visitor.http.cookie_jar.update_cookies(mine)
        node.clock.offset = timedelta(minutes=11)
        assert "Is it you?" in (await visitor.get(path)).text
        node.clock.offset = timedelta(days=7, seconds=5)
        await sign_in(visitor)
        assert (await visitor.get(path)).status == 404
        await working.tidy(node)
        assert not file.exists()


async def test_138_what_a_restart_leaves_is_begun_anew_and_what_fails_says_so(ground, tmp_path):
    async with a_node(ground) as (node, visitor):
        actor_id = node.ids.actor("alice")
        export = await ground.db.write(commands.ask_for_export, actor_id)
        assert (await ground.db.write(commands.take)).id == export
        assert await ground.db.write(commands.take) is None  # somebody has it in hand
        node.clock.offset = commands.LEASE + timedelta(seconds=1)
        assert await working.drain(node) == 1
        assert (await ground.db.read(commands.own, actor_id, export)).state == "ready"
        folder = commands.folder(node.settings.data)
        (folder / "01zz.zip").write_bytes(ours(NOTE, manifest=MANIFEST | {"actor": "https://evil.example/u"}))
        (folder / "01yy.zip").write_bytes(ours(NOTE))
        await ground.db.write(commands.ask, actor_id, "in", "01zz")
        await ground.db.write(commands.ask, actor_id, "in", "01yy")
        assert await working.drain(node) == 2
        found = {one.id: one for one in await ground.db.read(commands.archives_of, actor_id)}
        assert (found["01zz"].state, found["01yy"].state) == ("failed", "ready")
        await sign_in(visitor)
        page = await visitor.get("/settings/export")
        assert "This archive could not be taken in" in page.text
        assert "Brought in on" in page.text
        refused = await visitor.submit("/settings/import", page="/settings/export")
        assert (refused.status, "Choose the archive first" in refused.text) == (422, True)
        await visitor.submit(f"/settings/export/{export}", page="/settings/export")
        await working.tidy(node)
        assert sorted(folder.iterdir()) == []
