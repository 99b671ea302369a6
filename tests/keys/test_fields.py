"""RFC 8941, read in one way only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import BadHeader
from keys.fields import InnerList, Item, Token, parse_dictionary, write


def test_a_signature_input_is_read():
    text = 'sig1=("@method" "date" "x";sf);created=1618884473;keyid="https://a.example/#k";tag=tok;ok;no=?0'
    assert parse_dictionary(text) == {
        "sig1": InnerList(
            (Item("@method", {}), Item("date", {}), Item("x", {"sf": True})),
            {"created": 1618884473, "keyid": "https://a.example/#k", "tag": Token("tok"), "ok": True, "no": False},
        )
    }


def test_a_digest_is_read():
    assert parse_dictionary("sha-256=:aGk=:, sha-512=:aG8=:") == {
        "sha-256": Item(b"hi", {}),
        "sha-512": Item(b"ho", {}),
    }


def test_a_bare_key_is_true_and_space_is_allowed_where_the_standard_has_it():
    assert parse_dictionary(" a,\t b;x=1 ,c=( ) ") == {
        "a": Item(True, {}),
        "b": Item(True, {"x": 1}),
        "c": InnerList((), {}),
    }
    assert parse_dictionary("") == {}


def test_strings_know_two_escapes():
    assert parse_dictionary(r'a="x\"y\\z"') == {"a": Item('x"y\\z', {})}
    assert write(Item('x"y\\z', {})) == r'"x\"y\\z"'


@pytest.mark.parametrize(
    "text",
    [
        "a=1,a=2",  # the standard takes the last one; another reader may take the first
        "a=1;x=1;x=2",
        "a=1,",
        ",a=1",
        "a=1 b=2",
        "a= 1",
        "A=1",
        "=1",
        "a=",
        "a=1.5",
        "a=1234567890123456",
        "a=-",
        'a="open',
        r'a="bad \n escape"',
        'a="\u00e4"',
        'a="tab\t"',
        "a=:not base64:",
        "a=:YQ:",
        "a=:YQ==",
        "a=?2",
        "a=(1 2",
        "a=(1,2)",
        'a=("x""y")',
        "a=((1))",
        "a=1;",
        "a=1;X=2",
        "a\x00=1",
        "a=1\n",
        "a=@123",
        "a=" + "x" * 9_000,
        ",".join(f"k{number}" for number in range(40)),
        "a=(" + " ".join(["1"] * 40) + ")",
        "a=1" + "".join(f";k{number}" for number in range(40)),
    ],
)
def test_049_what_breaks_the_rules_is_refused(text):
    with pytest.raises(BadHeader):
        parse_dictionary(text)


keys = st.from_regex(r"[a-z*][a-z0-9_.*-]{0,6}", fullmatch=True)
values = (
    st.integers(-(10**15) + 1, 10**15 - 1)
    | st.booleans()
    | st.binary(max_size=20)
    | st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
    | st.from_regex(r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]{0,8}", fullmatch=True).map(Token)
)
parameters = st.dictionaries(keys, values, max_size=4)
items = st.builds(Item, values, parameters)
members = items | st.builds(InnerList, st.lists(items, max_size=4).map(tuple), parameters)


@given(st.dictionaries(keys, members, max_size=4))
def test_what_is_written_is_read_again(dictionary):
    text = ", ".join(f"{key}={write(member)}" for key, member in dictionary.items())
    again = parse_dictionary(text)
    assert again == dictionary
    assert [write(member) for member in again.values()] == [write(member) for member in dictionary.values()]


@given(st.text(max_size=60) | st.text('ab=();:"\\, ?01-*', max_size=30))
def test_174_the_reader_returns_or_refuses(text):
    try:
        parse_dictionary(text)
    except BadHeader:
        return
