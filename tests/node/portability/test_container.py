"""The archive as a tar file (FEP-6fcd): the same in it, for other programs to read, and no way in for anything else."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from node.errors import Invalid
from node.portability import container
from node.portability.archive import Reader
from node.portability.working import write_archive
from node.social.commands import post
from node.social.rules import parse_post
from tests.node.house import a_node


async def test_the_same_goes_out_as_a_tar_file_and_is_read_again(ground, tmp_path):
    async with a_node(ground) as (node, _):
        alice = await node.author(node.ids.actor("alice"))
        for body, audience in (("For everybody", "public"), ("For some", "followers")):
            await ground.db.write(post, alice, parse_post({"body": body, "audience": audience}), None)
        whole, packed, again = (tmp_path / name for name in ("a.zip", "a.tar", "b.zip"))
        await write_archive(node, alice.actor_id, whole)
        container.pack(whole, packed)
        assert packed.stat().st_mode & 0o777 == 0o600
        with tarfile.open(packed, "r:") as archive:
            names = archive.getnames()
            assert names[0] == "manifest.yml"
            parts = (container.OUTLINE, container.ACTOR, container.OUTBOX)
            outline, actor, outbox = (json.loads(archive.extractfile(name).read()) for name in parts)
        assert outline["ubc-version"] == 0.1
        assert outline["meta"]["createdBy"]["controller"] == alice.actor_id
        tops = {name.partition("/")[0] for name in names} - {"manifest.json", "README.txt"}
        assert set(outline["contents"]) == tops
        assert set(outline["contents"]["activitypub"]["contents"]) == {"actor.json", "outbox.json"}
        assert (actor["id"], outbox["type"]) == (alice.actor_id, "OrderedCollection")
        said = json.dumps(outbox["orderedItems"])
        assert outbox["totalItems"] == len(outbox["orderedItems"]) >= 1
        assert "For everybody" in said
        assert "For some" not in said
        container.unpack(packed, again)
        with Reader(whole) as one, Reader(again) as other:
            assert one.manifest == other.manifest
            assert [one.file(name, 10**6) for name in one.manifest["files"]] == [
                other.file(name, 10**6) for name in one.manifest["files"]
            ]


def member(name, content=b"{}", **attributes):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, content


HOSTILE = {
    "a link": [member("posts.jsonl", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd")],
    "a hard link": [member("posts.jsonl", b"", type=tarfile.LNKTYPE, linkname="/etc/passwd")],
    "a device": [member("posts.jsonl", b"", type=tarfile.CHRTYPE)],
    "a pipe": [member("posts.jsonl", b"", type=tarfile.FIFOTYPE)],
    "up": [member("manifest.json"), member("../evil.json")],
    "absolute": [member("manifest.json"), member("/etc/passwd")],
    "no manifest": [member("posts.jsonl")],
    "empty": [],
}


def taken_in(path, whole):
    container.unpack(path, whole)
    Reader(whole)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_tar_file_that_is_not_ours_is_refused_whole(name, tmp_path):
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as made:
        for info, content in HOSTILE[name]:
            made.addfile(info, io.BytesIO(content))
    (tmp_path / "a.tar").write_bytes(body.getvalue())
    with pytest.raises(Invalid):
        taken_in(tmp_path / "a.tar", tmp_path / "a.zip")
    assert {path.name for path in tmp_path.iterdir()} <= {"a.tar", "a.zip"}


def test_more_files_than_an_archive_may_have_are_not_taken_over(tmp_path, monkeypatch):
    monkeypatch.setattr(container, "MAX_FILES", 2)
    with tarfile.open(tmp_path / "a.tar", "w") as made:
        for number in range(3):
            info, content = member(f"{number}.jsonl")
            made.addfile(info, io.BytesIO(content))
    with pytest.raises(Invalid):
        container.unpack(tmp_path / "a.tar", tmp_path / "a.zip")
    (tmp_path / "b.tar").write_bytes(b"no tar file")
    with pytest.raises(Invalid):
        container.unpack(tmp_path / "b.tar", tmp_path / "b.zip")
