"""WebFinger, host-meta and NodeInfo, and handles as people type them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.discovery import (
    Jrd,
    host_meta,
    nodeinfo,
    nodeinfo_links,
    parse_handle,
    parse_webfinger,
    write_webfinger,
)
from schemas.errors import Malformed, SchemaError
from tests.schemas.shapes import NAMES, WRONG, documents
from tests.vectors import load

ID = "https://a.example/users/alice"


def test_what_we_write_is_what_we_read():
    document = write_webfinger("alice@a.example", ID, "https://a.example/@alice")
    assert parse_webfinger(document) == Jrd("acct:alice@a.example", (ID, "https://a.example/@alice"), ID)


def test_webfinger_of_a_real_server_is_read():
    jrd = parse_webfinger(json.loads(load("captures/doc-gotosocial-webfinger.json")["body"]))
    assert jrd.self_href == "http://127.0.0.1:8301/users/gert"


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_086_a_subject_is_a_text(value):
    if value == "":
        assert parse_webfinger({"subject": value}).subject == ""
        return
    with pytest.raises(Malformed):
        parse_webfinger({"subject": value})


@pytest.mark.parametrize("name", NAMES)
def test_086_the_rest_is_read_or_left_out(name):
    for value in WRONG:
        link = {"rel": "self", "type": "application/activity+json", "href": ID} | {name: value}
        assert (
            parse_webfinger({"subject": "acct:a@a.example", "links": [value, link], "aliases": [value]}).aliases == ()
        )


@pytest.mark.parametrize(
    "link",
    [
        {"rel": "self", "type": "text/html", "href": ID},
        {"rel": "self", "type": "application/ld+json", "href": ID},
        {"rel": "alternate", "type": "application/activity+json", "href": ID},
        {"rel": "self", "type": "application/activity+json", "href": "javascript:alert(1)"},
        {"rel": "self", "type": "application/activity+json"},
    ],
)
def test_only_a_link_to_an_actor_is_one(link):
    assert parse_webfinger({"subject": "acct:a@a.example", "links": [link]}).self_href is None


def test_053_a_descriptor_is_bounded():
    assert len(parse_webfinger({"subject": "acct:a@b", "aliases": [ID] * 900}).aliases) == 20
    with pytest.raises(Malformed):
        parse_webfinger({"subject": "acct:" + "a" * 400})
    with pytest.raises(Malformed):
        parse_webfinger({"subject": "acct:a@b", "links": [{}] * 20_000})


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("@alice@a.example", ("alice", "a.example")),
        ("alice@A.Example", ("alice", "a.example")),
        ("acct:alice@a.example:8443", ("alice", "a.example:8443")),
        (" @al.ice_-~1@a.example ", ("al.ice_-~1", "a.example")),
        ("@müller@münchen.example", ("müller", "xn--mnchen-3ya.example")),
    ],
)
def test_handles(text, handle):
    assert parse_handle(text) == handle


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "@",
            "alice",
            "@alice",
            "@@a.example",
            "alice@",
            "@a@b@c",
            "a b@a.example",
            "a@a example",
            "a@a.example/x",
        ),
        *("a@a.example?x", "a@a.example#x", "a@user:pass@b", "a/b@a.example", "a\0@a.example", "a@%61.example"),
        *("a@good\\evil", "x" * 10_000, "a@1.2.3", "\u202ealice@a.example", "a@a.example:99999"),
        *("acct:acct:a@a.example", "@a@-a.example"),
    ],
)
def test_057_garbage_is_no_handle(text):
    with pytest.raises(Malformed):
        parse_handle(text)


def test_host_meta_is_xml_that_says_where_webfinger_is():
    root = ET.fromstring(host_meta("https://a.example"))
    assert root[0].attrib["template"] == "https://a.example/.well-known/webfinger?resource={uri}"


def test_nodeinfo():
    links = nodeinfo_links("https://a.example")["links"]
    assert [link["href"] for link in links] == ["https://a.example/nodeinfo/2.0", "https://a.example/nodeinfo/2.1"]
    document = nodeinfo("2.1", software_version="1.0", users=2, posts=3)
    assert (document["version"], document["protocols"]) == ("2.1", ["activitypub"])
    assert document["usage"] == {"users": {"total": 2}, "localPosts": 3}


@given(documents, st.text(max_size=30))
def test_174_the_readers_are_total(document, text):
    for attempt in (
        lambda: parse_webfinger(document),
        lambda: parse_webfinger({"subject": text} | document),
        lambda: parse_handle(text),
    ):
        try:
            attempt()
        except SchemaError:
            continue
