"""JSON Resume in and out: the same after a journey, whatever a stranger's file holds, all of it or nothing."""

from __future__ import annotations

import json
from datetime import date

import aiohttp
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from node.app import web_application
from node.errors import Invalid
from node.profiles import sources
from node.profiles.entries import MAX_OF_SECTION, parse_entry
from node.profiles.queries import Person
from node.profiles.resume import parse_resume
from node.profiles.resume_commands import take_in
from node.profiles.resume_out import to_resume
from node.profiles.rules import parse_languages, parse_profile
from node.profiles.tables import cv_entries
from schemas.cv import SECTIONS, Cv
from schemas.strict_json import dumps
from tests.node.house import PASSWORD, serving, settle_in, state, token_in

RESUME = {
    "basics": {
        "name": "Richard Hendriks",
        "label": "Programmer",
        "email": "richard.hendriks@mail.example",
        "phone": "(912) 555-4321",
        "url": "https://richardhendricks.example",
        "summary": "Richard hails from Tulsa.",
        "location": {"city": "San Francisco"},
        "profiles": [{"network": "Code", "username": "richard", "url": "https://code.example/richard"}],
    },
    "work": [
        {
            "name": "Pied Piper",
            "position": "CEO",
            "location": "Palo Alto",
            "url": "https://piedpiper.example",
            "startDate": "2013-12-01",
            "endDate": "2014-12-01",
            "summary": "Made things smaller.",
            "highlights": ["Built an algorithm", "Won a prize"],
        },
        {"name": "Hooli", "position": "Engineer", "startDate": "2015", "endDate": "2014"},
        {"name": "No role, and a link that is none", "url": "javascript:alert(1)"},
    ],
    "education": [
        {"institution": "University of Oklahoma", "area": "Informatics", "studyType": "BSc", "startDate": "2011"}
    ],
    "projects": [{"name": "Compressor", "description": "It compresses.", "url": "https://compressor.example"}],
    "skills": [{"name": "Web Development", "keywords": ["HTML", "CSS"]}],
    "languages": [
        {"language": "English", "fluency": "Native speaker"},
        {"language": "Klingon"},
        {"language": "de", "fluency": "so so"},
    ],
    "awards": [{"title": "Digital Compression Pioneer Award"}],
}  # fmt: skip


@pytest.fixture
async def house(ground):
    """`(node, author)`."""
    node, account = await settle_in(ground)
    yield node, await node.author(account.actor_id)
    await node.client.close()


def test_what_a_file_says_is_taken_and_the_rest_is_named():
    taken = parse_resume(dumps(RESUME))
    assert taken.form == {
        "name": "Richard Hendriks",
        "headline": "Programmer",
        "summary": "Richard hails from Tulsa.",
        "links": "https://richardhendricks.example\nhttps://code.example/richard",
        "skills": "Web Development, HTML, CSS",
        "languages": "en native, de",
    }
    (work,) = taken.of("experience")
    entry = work.entry
    assert (entry.title, entry.organisation, entry.place) == ("CEO", "Pied Piper", "Palo Alto")
    assert (entry.start, entry.end) == ("2013-12", "2014-12")
    assert entry.text == "Made things smaller.\nBuilt an algorithm\nWon a prize"
    (learnt,) = taken.of("education")
    assert learnt.entry.title == "BSc Informatics"
    skipped = "\n".join(taken.skipped)
    for said in (
        "Your mail address",
        "Your telephone number",
        "Your address",
        "Awards",
        "“Engineer” is left out. This ends before",
        "“No role, and a link that is none” is left out. Begin with https://",
        "“Klingon” is not a language",
        "“so so” is no level",
    ):
        assert said in skipped, said


NO_RESUME = [b"", b"[]", b"{", b'{"a":1}', b"\xff{}", b'{"work":1,"work":2}', b'{"work":"' + b"x" * 400_000 + b'"}']


@pytest.mark.parametrize("body", NO_RESUME, ids=range(len(NO_RESUME)))
def test_what_is_no_resume_is_refused(body):
    with pytest.raises(Invalid) as wrong:
        parse_resume(body)
    assert list(wrong.value.errors) == ["file"]


SCALARS = ["2021-03", "https://a.example/", "en", "B2", None, True, 7, 1.5, ""]
TEXT = st.characters(codec="utf-8", exclude_characters="\0")
ANYTHING = st.recursive(
    st.text(TEXT, max_size=30) | st.sampled_from(SCALARS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(TEXT, max_size=8), inner, max_size=4),
    max_leaves=8,
)
MEMBERS = (
    "name position url startDate endDate summary highlights institution area studyType courses description language "
    "fluency keywords location label profiles"
)
ITEM = st.dictionaries(st.sampled_from(MEMBERS.split()), ANYTHING, max_size=8)


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(["basics", "work", "education", "projects", "skills", "languages", "awards"]),
        ITEM | st.lists(ITEM | ANYTHING, max_size=4) | ANYTHING,
        min_size=1,
    )
)
def test_whatever_stands_in_a_file_what_is_taken_is_right(document):
    taken = parse_resume(json.dumps(document).encode())
    parse_profile({"name": "x"} | taken.form, date(2026, 11, 25))
    for section, draft in taken.entries:
        assert draft.entry.title, section


WORD = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=30)
MONTH = st.sampled_from(["", "2019", "2019-05"])
LATER = st.sampled_from(["", "2021", "2021-12"])
LINK = st.sampled_from(["", "https://a.example/work?x=1"])
LINES = st.lists(WORD, max_size=3).map("\n".join)
ROLE = st.fixed_dictionaries(
    {"title": WORD, "organisation": WORD, "place": WORD, "start": MONTH, "end": LATER, "text": LINES, "url": LINK}
)
WORK = st.fixed_dictionaries({"title": WORD, "text": LINES, "url": LINK})


@settings(max_examples=40)
@given(st.lists(ROLE, max_size=3), st.lists(ROLE, max_size=3), st.lists(WORK, max_size=3))
def test_what_goes_out_comes_in_as_it_was(work, education, projects):
    forms = dict(zip(SECTIONS, (work, education, projects), strict=True))
    drafts = {name: tuple(parse_entry(name, form).entry for form in forms[name]) for name in SECTIONS}
    person = somebody(languages=("en", "ig"), levels={"ig": "native"}, links=("https://a.example/",))
    resume = to_resume(person, Cv(**drafts), summary="Hello.", origin="https://a.example")
    taken = parse_resume(dumps(resume))
    assert {name: tuple(draft.entry for draft in taken.of(name)) for name in SECTIONS} == drafts
    assert parse_languages(taken.form["languages"]) == {"en": None, "ig": "native"}
    assert (taken.form["name"], taken.form["summary"]) == ("Amara", "Hello.")
    assert "https://a.example/" in taken.form["links"].split("\n")


def somebody(**changes) -> Person:
    said = {"name": "Amara", "handle": "amara@a.example", "url": "https://a.example/@amara", "local": True}
    empty = {"headline": "", "skills": (), "languages": (), "links": (), "levels": {}}
    return Person(**dict.fromkeys(Person.__dataclass_fields__) | said | empty | changes)


async def test_the_same_file_twice_changes_nothing_the_second_time(house):
    node, author = house
    taken = parse_resume(dumps(RESUME))
    done = await node.db.write(take_in, author, taken, "followers")
    assert (done.entries, done.known, "summary" in done.fields, "name" in done.fields) == (3, 0, True, False)
    own = await node.db.read(sources.own_person, author.actor_id)
    assert (own.name, own.headline) == ("Alice Okafor", "Programmer"), "nothing that was typed is written over"
    lines = await node.db.read(sources.own_entries, author.actor_id)
    assert {line.audience for line in lines} == {"followers"}
    before = await state(node.db)
    assert (await node.db.write(take_in, author, taken, "public")).known == 3
    assert await state(node.db) == before


async def test_it_is_all_or_nothing(house):
    node, author = house
    names = [f"{number} " + "x" * 100 for number in range(MAX_OF_SECTION)]
    work = [{"position": name, "summary": "y" * 1_500} for name in names]
    many = {"work": work, "education": [{"area": name, "summary": "z" * 1_500} for name in names]}
    before = await state(node.db)
    with pytest.raises(Invalid, match="too long"):
        await node.db.write(take_in, author, parse_resume(dumps(many)), "followers")
    assert await state(node.db) == before


async def test_a_page_shows_first_what_would_be_taken(ground):
    node, _ = await settle_in(ground)
    async with serving(web_application(node)) as visitor:
        await visitor.submit("/sign-in", name="alice", password=PASSWORD)
        before = await state(node.db)

        async def upload(body: bytes) -> tuple[int, str]:
            form = aiohttp.FormData(default_to_multipart=True)
            form.add_field("csrf", token_in((await visitor.get("/profile/import")).text))
            form.add_field("file", body, filename="resume.json", content_type="application/json")
            headers = {"Accept": "text/html", "Origin": visitor.origin}
            async with visitor.http.post(f"{visitor.origin}/profile/import", data=form, headers=headers) as answer:
                return answer.status, await answer.text()

        status, text = await upload(b"no")
        assert (status, "This is not a JSON Resume" in text) == (422, True)
        status, text = await upload(dumps(RESUME))
        assert status == 200
        assert all(said in text for said in ("Pied Piper", "Left out", "Your mail address", "Web Development"))
        assert await state(node.db) == before
        form = {"csrf": token_in(text), "resume": json.dumps(RESUME), "audience": "public"}
        page = await visitor.post("/profile/import/take", **form)
        assert "Pied Piper" in page.text
        rows = await node.db.read(lambda tx: tx.rows(sa.select(cv_entries)))
        assert len(rows) == 3
        answer = await visitor.get("/@alice/resume.json")
        assert answer.headers["Content-Type"].startswith("application/json")
        document = json.loads(answer.text)
        assert document["work"][0]["name"] == "Pied Piper"
        assert document["basics"]["label"] == "Programmer"
        assert (await visitor.get("/@nobody/resume.json")).status == 404
    await node.client.close()
