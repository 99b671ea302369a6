"""Notes, and the things that are shown like notes."""

from __future__ import annotations

import pytest
from hypothesis import given

from schemas.base import Audience
from schemas.errors import Malformed, SchemaError
from schemas.jsonld import normalise
from schemas.notes import MAX_CONTENT, MAX_TAGS, NoteDraft, Tag, object_identity, parse_note, tags_of, write_note
from schemas.strict_json import dumps, loads_object
from schemas.terms import NOTE_TYPES, PUBLIC
from tests.schemas.shapes import NAMES, WRONG, documents
from tests.vectors import FOLDER, load

MINIMAL = {"id": "https://a.example/notes/1", "type": "Note", "attributedTo": "https://a.example/u"}
DRAFT = NoteDraft(
    id="https://a.example/notes/1",
    owner="https://a.example/u",
    content="<p>Grüße 😂</p>",
    published="2026-12-07T10:00:00Z",
    audience=Audience((PUBLIC,), ("https://a.example/u/followers",)),
    url="https://a.example/@u/1",
    in_reply_to="https://b.example/notes/9",
    updated="2026-12-08T10:00:00Z",
    tags=(Tag("Mention", "@bob@b.example", "https://b.example/bob"), Tag("Hashtag", "#tea", None)),
)


def test_what_we_write_is_what_we_read():
    document = loads_object(dumps(write_note(DRAFT)))
    assert normalise(document) is document
    note = parse_note(document)
    for name in ("id", "owner", "content", "url", "in_reply_to", "tags"):
        assert getattr(note, name) == getattr(DRAFT, name), name
    assert (note.published.isoformat(), note.updated.isoformat()) == (
        "2026-12-07T10:00:00+00:00",
        "2026-12-08T10:00:00+00:00",
    )
    assert document["to"] == [PUBLIC]
    assert document["cc"] == ["https://a.example/u/followers"]
    assert {"Hashtag": "as:Hashtag"} in document["@context"]


def test_a_context_names_only_what_is_used():
    plain = NoteDraft(DRAFT.id, DRAFT.owner, DRAFT.content, DRAFT.published, DRAFT.audience, DRAFT.url)
    document = write_note(plain)
    assert all(isinstance(item, str) for item in document["@context"])
    assert "inReplyTo" not in document
    assert "updated" not in document


@pytest.mark.parametrize("name", ["gig-note", "module-announcement-note", "review-note"])
def test_the_examples_are_read(name):
    document = load(f"examples/{name}.json")
    assert parse_note(document).id == document["id"]


CAPTURED = sorted(path.name for path in (FOLDER / "captures").glob("*-create-note-*.json"))


@pytest.mark.parametrize("name", CAPTURED)
def test_notes_of_real_servers_are_read(name):
    activity = normalise(loads_object(load(f"captures/{name}")["request"]["body"].encode()))
    note = parse_note(activity["object"])
    assert note.owner == activity["actor"]
    assert note.content
    assert note.published is not None


@pytest.mark.parametrize("name", MINIMAL)
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_086_what_a_note_needs_is_of_the_right_type(name, value):
    with pytest.raises(Malformed):
        parse_note(MINIMAL | {name: value})


@pytest.mark.parametrize("name", NAMES)
def test_086_what_a_note_may_have_is_read_or_refused(name):
    for value in WRONG:
        for inside in (
            value,
            [value],
            {"id": value},
            {"href": value},
            [{"type": "Mention", "name": value, "href": value}],
        ):
            try:
                parse_note(MINIMAL | {name: inside})
            except SchemaError:
                continue


@pytest.mark.parametrize("kind", sorted(NOTE_TYPES))
def test_everything_with_a_text_is_read_like_a_note(kind):
    assert parse_note(MINIMAL | {"type": kind}).type == kind


@pytest.mark.parametrize("name", ["id", "attributedTo"])
@pytest.mark.parametrize("url", ["https://good\\@evil/", "urn:x:1", "https:///x", "https://user@evil/"])
def test_054_a_doubtful_identity_is_refused(name, url):
    with pytest.raises(Malformed):
        object_identity(MINIMAL | {name: url})


def test_two_authors_are_none():
    with pytest.raises(Malformed):
        parse_note(MINIMAL | {"attributedTo": ["https://a.example/u", "https://b.example/u"]})


def test_081_texts_tags_and_attachments_are_bounded():
    tag = {"type": "Hashtag", "name": "#" + "x" * 500}
    pictures = [{"type": "Image", "url": f"https://a.example/{n}.png", "name": "n" * 5_000} for n in range(900)]
    note = parse_note(MINIMAL | {"content": "x" * 600_000, "tag": [tag] * 900, "attachment": pictures})
    assert (len(note.content), len(note.tags), len(note.attachments)) == (MAX_CONTENT, MAX_TAGS, 20)
    assert (len(note.tags[0].name), len(note.attachments[0].description)) == (320, 2_000)
    for name in ("tag", "attachment"):
        with pytest.raises(Malformed):
            parse_note(MINIMAL | {name: [tag] * 20_000})


def test_a_link_that_is_no_web_address_is_no_link():
    document = MINIMAL | {
        "url": "javascript:alert(1)",
        "inReplyTo": "data:text/html,x",
        "tag": {"type": "Mention", "name": "@x", "href": "javascript:alert(1)"},
        "attachment": {"type": "Document", "url": "file:///etc/passwd"},
    }
    note = parse_note(document)
    assert (note.url, note.in_reply_to, note.tags, note.attachments) == (None, None, (Tag("Mention", "@x", None),), ())


def test_one_tag_or_many():
    tag = {"type": "Mention", "name": "@gert"}
    assert (
        tags_of({"tag": tag}) == tags_of({"tag": [tag, "x", {"type": ["Mention"]}]}) == (Tag("Mention", "@gert", None),)
    )


@given(documents)
def test_174_the_reader_is_total(document):
    for value in (document, document | MINIMAL):
        try:
            parse_note(value)
        except SchemaError:
            continue
