"""One parser for URLs, which refuses whatever two parsers could take for two places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Malformed, SchemaError
from schemas.urls import MAX_URL, host_of, origin_of, parse_url, url_of


@pytest.mark.parametrize(
    "text",
    [
        "",
        "good",
        "/path",
        "//good/path",
        "https:/good",
        "https:good",
        "https://",
        "https:///x",
        "https://?x",
        "https://#x",
        "https://:443/",
        "ftp://good/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/html,x",
        "did:key:z6Mk",
        "acct:a@b",
        "https://good\\@evil/",
        "https://good/\\evil",
        "https://user@evil/",
        "https://user:pass@evil/",
        "https://good#@evil/\n",
        "https://good%2eevil/",
        "https://%67ood/",
        "https://go od/",
        "https://go\tod/",
        "https://good/a b",
        "https://good/\x00",
        "https://good/\x7f",
        " https://good/",
        "https://good/ ",
        "https://good/\n",
        "https://good:99999/",
        "https://good:65536/",
        "https://good:0/",
        "https://good:-1/",
        "https://good:80a/",
        "https://good:/",
        "https://good:٤٤٣/",
        "https://good..evil/",
        "https://.good/",
        "https://-good/",
        "https://good-/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 130 + "example/",
        "https://good!evil/",
        "https://good,evil/",
        "https://good;evil/",
        "https://[::1/",
        "https://::1/",
        "https://[zz]/",
        "https://[fe80::1%eth0]/",
        "https://256.1.1.1/",
        "https://1.2.3/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://1.2.3.4.5/",
        "https://good/\u202eevil",
        "https://good\u200b.example/",
        "https://go\u00ado\u2028d/",
        "https://good/<script>",
        'https://good/"x',
        "https://good/{x}",
        "https://good/`x`",
        "https://good/^",
        "https://good/|",
        "https://\ud800/",
        "https://xn--\u00e4/",
        "http\u017f://good/",
        "https://good/" + "a" * MAX_URL,
    ],
)
def test_054_doubtful_urls_are_refused(text):
    with pytest.raises(Malformed):
        parse_url(text)
    assert url_of(text) is None


@pytest.mark.parametrize(
    ("text", "origin", "target"),
    [
        ("https://good.example", "https://good.example", "/"),
        ("HTTPS://Good.Example/", "https://good.example", "/"),
        ("https://good.example:443/a?b=c&d", "https://good.example", "/a?b=c&d"),
        ("http://good.example:80/", "http://good.example", "/"),
        ("https://good.example:8443/", "https://good.example:8443", "/"),
        ("https://good.example./x", "https://good.example", "/x"),
        ("https://good.example/a%20b/%2F?q=%3F#part@x", "https://good.example", "/a%20b/%2F?q=%3F"),
        ("https://good.example#@evil", "https://good.example", "/"),
        (
            "https://good.example/@alice:x/~b;c,d!e$f'g(h)*i+j=k",
            "https://good.example",
            "/@alice:x/~b;c,d!e$f'g(h)*i+j=k",
        ),
        ("https://münchen.example/", "https://xn--mnchen-3ya.example", "/"),
        ("https://good.example/ä", "https://good.example", "/ä"),
        ("http://127.0.0.1:9601/x", "http://127.0.0.1:9601", "/x"),
        ("http://[::1]:80/x", "http://[::1]", "/x"),
        ("http://[0:0::0001]/x", "http://[::1]", "/x"),
        ("https://a_b.example/", "https://a_b.example", "/"),
        ("https://localhost/", "https://localhost", "/"),
        ("https://good.example/?", "https://good.example", "/?"),
    ],
)
def test_054_usual_urls_are_read_in_one_form(text, origin, target):
    assert (parse_url(text).origin, parse_url(text).target) == (origin, target)
    assert url_of(text) == text


def test_047_another_port_or_scheme_is_another_origin():
    origins = {origin_of(f"{start}.example/x") for start in ("https://a", "http://a", "https://b")}
    origins |= {origin_of("https://a.example:8443/x"), origin_of("http://a.example:443/x")}
    assert len(origins) == 5
    assert host_of("https://a.example:443/") == host_of("http://a.example/") == "a.example"
    assert host_of("https://a.example:8443/") == "a.example:8443"


def test_055_a_host_of_mixed_scripts_shows_as_punycode():
    assert host_of("https://g\u043e\u043ed.example/") == "xn--gd-fmca.example"


@pytest.mark.parametrize("value", [None, 1, True, [], {}, ["https://a.example/"], b"https://a.example/"])
def test_086_only_a_string_is_a_url(value):
    assert url_of(value) is None


@given(st.text(max_size=50) | st.from_regex(r"https?://[a-zA-Z0-9.:@\\\[\]%/?#\-_äſK ]{0,30}", fullmatch=True))
def test_174_the_parser_returns_or_refuses_and_what_it_returns_is_stable(text):
    try:
        url = parse_url(text)
    except SchemaError:
        return
    assert url.host.isascii()
    assert url.host == url.host.lower()
    again = parse_url(url.origin + url.target)
    assert (again.origin, again.target) == (url.origin, url.target)
