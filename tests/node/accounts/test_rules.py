"""What an address, a handle and a password must be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from node.accounts.rules import parse_domain, parse_handle, parse_name, parse_origin, parse_setup, safe_path
from node.errors import Invalid
from tests.node.house import form


def test_a_right_form_becomes_a_draft():
    draft = parse_setup(form())
    assert (draft.origin, draft.handle_domain, draft.username, draft.name, draft.kind) == (
        "https://alice.example", "alice.example", "alice", "Alice Okafor", "person",
    )  # fmt: skip
    assert "seven quiet herons" not in repr(draft)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://Alice.Example/", "https://alice.example"),
        (" alice.example ", "https://alice.example"),
        ("https://alice.example:443", "https://alice.example"),
        ("https://alice.example:8443", "https://alice.example:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://localhost:8420", "http://localhost:8420"),
        ("http://127.0.0.7:8420", "http://127.0.0.7:8420"),
    ],
)
def test_an_origin_is_read(text, origin):
    assert parse_origin(text) == origin


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Write the address"),
        ("https://alice.example/blog", "Write https://alice.example."),
        ("https://alice.example/?x", "Write https://alice.example."),
        ("https://alice.example/#x", "Write https://alice.example."),
        ("http://alice.example", "Write https://alice.example."),
        ("ftp://alice.example", "This is not an address."),
        ("https://me@alice.example", "This is not an address."),
        ("https://alice example", "This is not an address."),
        ("https://192.0.2.1", "not an IP address"),
        ("http://192.0.2.1:80", "only talk over https"),
        ("javascript:alert(1)", "This is not an address."),
    ],
)
def test_what_is_no_origin_is_refused_with_the_mend(text, says):
    with pytest.raises(ValueError, match=r".") as error:
        parse_origin(text)
    assert says in str(error.value)


@pytest.mark.parametrize(("text", "handle"), [("alice", "alice"), ("@Alice_O", "alice_o"), ("a", "a"), ("7up", "7up")])
def test_a_handle_is_read(text, handle):
    assert parse_handle(text) == handle


@pytest.mark.parametrize(
    "text", ["", "@", "a/b", "../x", "al ice", "älice", "a@b", "x" * 31, "admin", "instance.actor", "alice.", "a\x00b"]
)
def test_what_is_no_handle_is_refused(text):
    with pytest.raises(ValueError, match=r"\.$"):
        parse_handle(text)


@pytest.mark.parametrize("text", ["mysite.example", "https://mysite.example/", " MYSITE.example "])
def test_a_domain_of_handles_is_read(text):
    assert parse_domain(text) == "mysite.example"


@pytest.mark.parametrize("text", ["mysite.example/x", "@me@mysite.example", "my site", "mysite.example?x"])
def test_what_is_no_domain_is_refused(text):
    with pytest.raises(ValueError, match="domain alone"):
        parse_domain(text)


def test_a_name_keeps_its_script_and_loses_what_turns_the_text_around_it():
    assert parse_name("  سلمى\u202e   حدّاد ") == "سلمى حدّاد"
    assert parse_name("👩‍💻 Zoë") == "👩‍💻 Zoë"


@pytest.mark.parametrize("text", ["x" * 101, "x" * 1_000_000, "a\x1bb"])
def test_a_name_is_bounded(text):
    with pytest.raises(ValueError, match=r"\.$"):
        parse_name(text)


def test_every_wrong_field_is_named_at_once():
    with pytest.raises(Invalid) as error:
        parse_setup(form(origin="https://x.example/y", handle="a/b", kind="crowd", password="short", name="x" * 200))
    assert set(error.value.errors) == {"origin", "handle", "kind", "password", "name"}


def test_a_megabyte_of_password_is_refused_before_anybody_hashes_it():  # SECURITY 93
    with pytest.raises(Invalid) as error:
        parse_setup(form(password="x" * 1_000_000))
    assert set(error.value.errors) == {"password"}


@pytest.mark.parametrize("path", ["/home", "/@alice/gigs/1?x=https://elsewhere.example", "/people?q=%40bo"])
def test_a_path_of_ours_is_kept(path):
    assert safe_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "//evil.example", "/\\evil.example", "\\/evil.example", "/web//evil.example", "https:evil.example",
     "https://evil.example", "javascript:alert(1)", "/\tx", "/x\r\nSet-Cookie: a=b", "home", "/" + "x" * 3000],
)  # fmt: skip
def test_a_redirect_never_leaves_the_site(path):  # SECURITY 122
    assert safe_path(path) == "/home"


@given(st.text(alphabet="/\\:.@?#abc% \t\n", max_size=30))
def test_no_path_leads_elsewhere(path):
    assert URL("https://here.example/sign-in").join(URL(safe_path(path))).host == "here.example"
