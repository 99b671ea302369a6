"""`freehold profile` and `freehold gig`, on a node that was set up by `freehold setup`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.node.cli.freehold import Freehold

TODAY = datetime.now(UTC).date()
SOON = (TODAY + timedelta(days=30)).isoformat()
GIG = (
    *("--title", "Audit of one form", "--rate", "85/hour", "--currency", "EUR"),
    *("--skill", "Python", "--skill", "UX=https://x.example/ux"),
)


@pytest.fixture
def freehold(environ, tmp_path) -> Freehold:
    made = Freehold(tmp_path / "data", environ)
    made.set_up()
    return made


def test_a_profile_is_changed_field_by_field(freehold):
    assert freehold.json("profile", "show")["rate"] is None
    assert "You have not said yet." in freehold.run("profile", "show")
    saved = freehold.json("profile", "set", "--headline", "Forms that people finish", "--skill", "Python", "--skill",
                          "sailing", "--rate", "85/day", "--currency", "EUR", "--free-from", SOON, "--hours-per-week",
                          "24", "--language", "en", "--language", "ig", "--link", "https://a.example/", "--link",
                          "https://b.example/")  # fmt: skip
    assert saved == {"saved": True, "inboxes": 0}
    shown = freehold.json("profile", "show")
    assert (shown["name"], shown["handle"]) == ("Amara Okafor", "amara@amara.example")
    assert shown["rate"] == {"amount": "85.00", "currency": "EUR", "unit": "day"}
    assert [skill["name"] for skill in shown["skills"]] == ["Python", "sailing"]
    assert shown["skills"][1]["uri"] is None
    updated = shown["availability"].pop("updated")
    assert shown["availability"] == {"status": "open", "from": SOON, "hours_per_week": 24}
    assert datetime.fromisoformat(updated).tzinfo is not None
    assert (shown["languages"], shown["links"]) == (["en", "ig"], ["https://a.example/", "https://b.example/"])

    freehold.run("profile", "set", "--headline", "Another")
    again = freehold.json("profile", "show")
    again["availability"].pop("updated")
    assert again == shown | {"headline": "Another"}
    words = freehold.run("profile", "show")
    assert "Rate: EUR 85 a day" in words
    assert "Languages: English, Igbo" in words


def test_a_cv_goes_out_and_comes_in(freehold, tmp_path):
    file = tmp_path / "resume.json"
    work = [{"name": "Museum", "position": "Designer", "startDate": "2021-03", "summary": "Signs."}]
    file.write_text(json.dumps({"basics": {"label": "Forms", "phone": "1"}, "work": work}))
    taken = freehold.json("profile", "import", str(file), "--for", "followers")
    assert (taken["fields"], taken["entries"], taken["known"]) == (["headline"], 1, 0)
    assert taken["skipped"] == ["Your telephone number: a profile shows none."]
    assert freehold.json("profile", "import", str(file))["known"] == 1
    freehold.run("profile", "export", str(file))
    assert "work" not in json.loads(file.read_text()), "it is for followers alone"
    freehold.run("profile", "export", str(file), "--all")
    document = json.loads(file.read_text())
    assert (document["work"], document["basics"]["label"]) == (work, "Forms")
    file.write_text("no")
    before = freehold.json("state")
    assert freehold.run("profile", "import", str(file), code=1).startswith("freehold: This is not a JSON Resume")
    assert freehold.json("state") == before


def test_a_wrong_profile_is_refused_in_one_line(freehold):
    before = freehold.json("state")
    said = freehold.run("profile", "set", "--rate", "lots/hour", code=1)
    assert said == "freehold: --rate: Write digits only, such as 68 or 68.50, without the currency.\n"
    assert "That day has passed" in freehold.run("profile", "set", "--free-from", "2020-01-01", code=1)
    assert freehold.json("state") == before


def test_a_gig_is_published_edited_closed_listed_and_shown(freehold, tmp_path):
    body = tmp_path / "body.md"
    body.write_text("I look at **your** form.", "utf-8")
    assert "No gigs yet" in freehold.run("gig", "list")
    gig_id = freehold.json(
        "gig", "publish", "--offer", *GIG, "--body", str(body), "--available", "40", "--until", SOON
    )["id"]
    [listed] = freehold.json("gig", "list")
    assert listed == freehold.json("gig", "show", gig_id)
    assert (listed["price"], listed["currency"], listed["unit"], listed["available"]) == ("85.00", "EUR", "hour", "40")
    assert (listed["end_time"], listed["state"]) == (f"{SOON}T23:59:59Z", "open")
    assert listed["skills"][1] == {"name": "UX", "uri": "https://x.example/ux"}
    assert (listed["body_md"], listed["body_html"]) == (
        "I look at **your** form.",
        "<p>I look at <strong>your</strong> form.</p>",
    )

    name = gig_id.rpartition("/")[2]
    freehold.run("gig", "edit", name, "--rate", "90.50/hour")
    assert freehold.json("gig", "show", name)["price"] == "90.50"
    assert freehold.json("gig", "show", name)["end_time"] == f"{SOON}T23:59:59Z"
    assert freehold.json("gig", "close", listed["url"]) == {"id": gig_id, "closed": True}
    assert freehold.json("gig", "show", name)["state"] == "closed"
    assert "Audit of one form  (closed)" in freehold.run("gig", "list")
    assert "is closed" in freehold.run("gig", "edit", name, "--title", "Again", code=1)


def test_a_request_without_a_price(freehold):
    freehold.run("gig", "publish", "--request", "--title", "Somebody who sings")
    [listed] = freehold.json("gig", "list")
    assert (listed["purpose"], listed["price"], listed["currency"]) == ("request", None, None)
    assert "Looking for somebody: price to be agreed" in freehold.run("gig", "show", listed["id"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("publish", "--offer"), "Write a title"),
        (("publish", "--offer", *GIG, "--rate", "a lot/hour"), "--rate: Write digits only"),
        (("publish", "--offer", *GIG, "--available", "-1"), "--available: Write digits only"),
        (("publish", "--offer", *GIG, "--currency", "EURO"), "three letters"),
        (("publish", "--offer", *GIG, "--until", "2020-01-01"), "That day has passed"),
        (("show", "nothing"), "There is no gig"),
        (("edit", "nothing", "--title", "x"), "You have no gig"),
        (("close", "https://elsewhere.example/gigs/1"), "You have no gig"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(freehold, arguments: tuple[str, ...], says: str):
    before = freehold.json("state")
    said = freehold.run("gig", *arguments, code=1)
    assert said.startswith("freehold: ")
    assert said.count("\n") == 1
    assert says in said
    assert freehold.json("state") == before
