"""`freehold module`, `post`, `follow`, `timeline` and their like, on a node that was set up by `freehold setup`."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime

import pytest
import sqlalchemy as sa

from federation.tables import deliveries, objects
from node.settings import load
from tests.node.cli.freehold import Freehold
from tests.node.media.test_pictures import picture
from tests.node.neighbours import BO, actor, follow, know

MODULE = "```\n# not a heading\n```\n\n## Who\n\nBegin with the **parties**."


@pytest.fixture
def freehold(environ, tmp_path) -> Freehold:
    made = Freehold(tmp_path / "data", environ)
    made.set_up()
    return made


def test_a_module_is_published_listed_and_shown(freehold, tmp_path):
    file = tmp_path / "contract.md"
    file.write_text(f"# Reading a contract #\n\n{MODULE}", "utf-8")
    assert "No modules yet" in freehold.run("module", "list")
    published = freehold.json("module", "publish", str(file), "--skill", "contract law", "--minutes", "90")
    [listed] = freehold.json("module", "list")
    assert listed == freehold.json("module", "show", published["id"])
    assert listed == freehold.json("module", "show", published["id"].rpartition("/")[2])
    assert (listed["title"], listed["minutes"], listed["verification"]) == ("Reading a contract", 90, "signed")
    assert listed["licence"] == "https://creativecommons.org/licenses/by/4.0/"
    assert listed["skills"][0]["name"] == "contract law"
    assert listed["body_html"].startswith("<pre><code># not a heading")  # the title is not repeated
    assert datetime.fromisoformat(listed["published"]).tzinfo is not None
    assert "Reading a contract  (1 hour 30 minutes)" in freehold.run("module", "list")
    words = freehold.run("module", "show", published["id"])
    assert "CC BY 4.0" in words
    assert "Begin with the **parties**" in words
    assert [entry["kind"] for entry in freehold.json("timeline")] == ["module"]


def test_a_module_without_a_heading_is_named_after_its_file(freehold, tmp_path):
    file = tmp_path / "Hoisting sails.md"
    file.write_text("```\n# a comment\n```\n", "utf-8")
    freehold.run("module", "publish", str(file))
    assert freehold.json("module", "list")[0]["title"] == "Hoisting sails"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("publish", "absent.md"), 2, "No such file"),
        (("publish", "long.md"), 1, "larger than 1 MB"),
        (("publish", "binary.md"), 1, "not a text in UTF-8"),
        (("publish", "empty.md"), 1, "Write the module itself"),
        (("publish", "good.md", "--licence", "mine"), 1, "Choose a licence"),
        (("publish", "good.md", "--minutes", "soon"), 1, "how many minutes"),
        (("show", "nothing"), 1, "There is no module"),
    ],
)
def test_what_is_no_module_is_refused_in_one_line(freehold, tmp_path, monkeypatch, arguments, code, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "long.md").write_text("x" * 20_000_000)
    (tmp_path / "binary.md").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty.md").write_text("\n")
    (tmp_path / "good.md").write_text("# Good\n\nText.")
    before = freehold.json("state")
    said = freehold.run("module", *arguments, code=code)
    assert said.startswith("freehold: ")
    assert said.count("\n") == 1
    assert says in said
    assert freehold.json("state") == before


def test_posts_stand_in_the_timeline_with_what_is_known_of_them(freehold):
    assert "Nothing yet" in freehold.run("timeline")
    first = freehold.json("post", "Good *morning*")["id"]
    freehold.run("post", "For those who follow", "--to", "followers")
    newest, oldest = freehold.json("timeline")
    assert (oldest["object_id"], oldest["title"], oldest["verification"]) == (first, "Good morning", "signed")
    assert (newest["visibility"], newest["verification"]) == ("followers", "delivered")
    assert "[post, signed]  Good morning" in freehold.run("timeline")
    assert len(freehold.json("timeline", "--limit", "1")) == 1


async def test_pictures_go_with_a_post_each_with_its_words(freehold, tmp_path):
    one, other = tmp_path / "one.png", tmp_path / "other.jpg"
    one.write_bytes(picture(size=(120, 60)))
    other.write_bytes(picture("JPEG", size=(90, 90)))
    files = ("--picture", str(one), "--picture", str(other))
    said = await asyncio.to_thread(freehold.json, "post", "Two of them", *files, "--alt", "Red and blue")
    body = await freehold.write(lambda tx: tx.scalar(sa.select(objects.c.body).where(objects.c.id == said["id"])))
    first, second = json.loads(body)["attachment"]
    assert (first["name"], first["width"], first["height"]) == ("Red and blue", 120, 60)
    assert "name" not in second
    names = {path.name for path in load(freehold.data, freehold.environ).media.iterdir()}
    assert {one["url"].rpartition("/")[2] for one in (first, second)} < names


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--picture", "text.png"), 1, "Choose a JPEG, PNG, WebP or GIF."),
        (("--picture", "absent.png"), 2, "No such file"),
        (("--alt", "Of nothing"), 2, "Give a --picture for each --alt."),
        (tuple(["--picture", "good.png"] * 5), 1, "Give at most 4 pictures."),
    ],
    ids=["no picture", "absent", "words without a picture", "five"],
)
def test_a_post_whose_pictures_cannot_be_is_not_written(freehold, tmp_path, monkeypatch, arguments, code, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.png").write_text("No picture")
    (tmp_path / "good.png").write_bytes(picture(size=(20, 20)))
    assert says in freehold.run("post", "Words", *arguments, code=code)
    assert freehold.json("timeline") == []


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("post", "  "), 1, "Write something first"),
        (("post", "x", "--to", "everyone"), 1, "Choose who can see it"),
        (("post", "x" * 10_001), 1, "10,000 characters"),
        (("post", "x", "--to", "@nobody@amara.example"), 1, "Nobody is to be found at @nobody@amara.example"),
        (("post", "x", "--to", "@bo@127.0.0.1"), 1, "not an address that this server may ask"),
        (("follow", "@amara@amara.example"), 1, "That is you"),
        (("follow", "https://amara.example/users/amara"), 1, "That is you"),
        (("follow", "@instance.actor@amara.example"), 1, "is a server, not a person"),
        (("follow", "@nobody@amara.example"), 1, "Nobody is to be found"),
        (("follow", "bo"), 1, "is not a handle"),
        (("follow", ""), 1, "Write a handle"),
        (("follow", "@bo@nowhere.invalid"), 2, "cannot be asked for now"),
        (("follow", "@bo@127.0.0.1"), 1, "not an address that this server may ask"),
        (("unfollow", "@bo@bo.example"), 1, "You do not follow @bo@bo.example"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_and_changes_nothing(freehold, arguments, code, says):
    before = freehold.json("state")
    said = freehold.run(*arguments, code=code)
    assert said.startswith("freehold: ")
    assert said.count("\n") == 1
    assert says in said
    assert freehold.json("state") == before


@pytest.mark.parametrize("who", ["@bo@bo.example", "acct:bo@bo.example", BO, "https://bo.example/@bo"])
async def test_somebody_whose_server_is_away_can_be_unfollowed(freehold, who):
    amara = "https://amara.example/users/amara"

    def know_bo(tx):
        follow(tx, amara, know(tx, actor(), acct="bo@bo.example"))
        follow(tx, BO, amara)

    await freehold.write(know_bo)
    # the commands run loops of their own: not in this one
    assert [person["handle"] for person in await asyncio.to_thread(freehold.json, "following")] == ["bo@bo.example"]
    assert "@bo@bo.example  accepted" in await asyncio.to_thread(freehold.run, "followers")
    assert (await asyncio.to_thread(freehold.json, "unfollow", who))["actor"] == BO
    assert await asyncio.to_thread(freehold.json, "following") == []
    count = await freehold.write(lambda tx: tx.scalar(sa.select(sa.func.count(deliveries.c.id))))
    assert count == 1  # the Undo waits for them


@pytest.mark.parametrize("pin", ["{}", '{"type": "Multikey"}', "not json", '{"type": "Multikey", "id": 1}'])
def test_what_is_no_key_cannot_be_pinned(freehold, tmp_path, pin):
    file = tmp_path / "pin.json"
    file.write_text(pin)
    said = freehold.run("verify", str(file), "--pin", str(file), code=1)
    assert said.startswith("freehold: ")
    assert said.count("\n") == 1


def test_a_file_that_is_not_there_could_not_be_checked(freehold, tmp_path):
    assert "No such file" in freehold.run("verify", str(tmp_path / "absent.json"), code=2)
