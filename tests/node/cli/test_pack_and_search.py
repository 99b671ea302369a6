"""`freehold pack` and `freehold search`, on a node that was set up by `freehold setup`."""

from __future__ import annotations

import json

import pytest

from tests.node.cli.freehold import Freehold


@pytest.fixture
def freehold(environ, tmp_path) -> Freehold:
    made = Freehold(tmp_path / "data", environ)
    made.set_up()
    return made


def test_a_pack_is_published_shown_and_taken_over_from_its_file(freehold, tmp_path):
    own = freehold.json("profile", "show")
    handle = own["handle"]
    made = freehold.json("pack", "publish", "--name", "Good people", f"@{handle}")
    assert made["url"].endswith(made["id"].rpartition("/")[2])
    shown = freehold.json("pack", "show", made["id"])
    assert (shown["name"], shown["signature"], shown["owner"]) == ("Good people", "holds", own["id"])
    assert shown["members"] == [{"id": own["id"], "handle": handle}]
    assert "the signature holds" in freehold.run("pack", "show", made["url"])
    file = tmp_path / "pack.json"
    file.write_text(json.dumps({"type": "Collection", "items": []}), "utf-8")
    assert "not a pack" in freehold.run("pack", "show", str(file), code=1)
    asked = freehold.json("pack", "import", made["id"])
    assert asked["asked"] == [own["id"]]


def test_what_is_known_is_found_also_after_the_index_is_written_anew(freehold):
    post = freehold.json("post", "I play the xylophone")["id"]
    for _again in range(2):
        found = freehold.json("search", "find", "xylophone")
        assert [(row["kind"], row["id"]) for row in found["found"]] == [("post", post)]
        assert freehold.json("search", "reindex")["looked_at"] >= 2
    assert "I play the xylophone" in freehold.run("search", "find", "play", "xylophone")
    assert "Nothing fits" in freehold.run("search", "find", "trombone")
    assert "Looked at" in freehold.run("search", "reindex")
