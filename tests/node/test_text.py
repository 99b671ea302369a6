"""Texts of people: whatever they hold, only what is on the lists comes out, and it comes out in time."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from node.markup import ATTRIBUTES, TAGS
from node.text import MAX_HEADINGS, clean, markdown, one_line, outline, plain, roomy, shorten, visible

ALLOWED = {name for names in ATTRIBUTES.values() for name in names} | {"rel", "class"}

XSS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></ScRiPt>",
    "<img src=x onerror=alert(1)>",
    "<p onclick='alert(1)' style='position:fixed'>x</p>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href=" jAvAsCrIpT:alert(1)">x</a>',
    '<a href="java&#x0A;script:alert(1)">x</a>',
    '<a href="&#106;&#97;&#118;&#97;script:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<a href="vbscript:msgbox(1)">x</a>',
    "<svg><script>alert(1)</script></svg>",
    "<svg onload=alert(1)>",
    "<math><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><img src=x onerror=alert(1)></template>",
    "<iframe src='https://evil.example'></iframe>",
    "<form action='https://evil.example'><input name=password></form>",
    "<object data='x'></object><embed src='x'><link rel=stylesheet href=x><base href='https://evil.example'>",
    "<<script>alert(1)//<</script>",
    '<img src="x` `<script>alert(1)</script>"` `>',
    "<a href='https://x.example' target=_blank id=main class='bar' name=x>x</a>",
    "<textarea><img src=x onerror=alert(1)></textarea>",
    "<title><img src=x onerror=alert(1)></title>",
    "<p>unclosed <b>bold <i>",
    "</div></main></body><h1>mine now",
]


class Reader(HTMLParser):
    """What a browser would see: tags that are closed, and their attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in ("br", "hr", "wbr", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open[-1:] == [tag], f"</{tag}> closes nothing of its own: {self.open}"
        self.open.pop()


def check(html: str) -> None:
    """Only what is on the lists, and everything closed."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    for tag, attributes in reader.seen:
        assert tag in TAGS, tag
        for name, value in attributes.items():
            assert name in ALLOWED, (tag, name)
            if name == "href":
                assert re.match(r"(https?://|mailto:)", value), value
            if name == "class":
                assert set(value.split()) <= {"mention", "hashtag", "u-url", "h-card"}, value


@pytest.mark.parametrize("text", XSS)
def test_096_nothing_that_runs_or_loads_comes_through(text):
    check(clean(text))
    check(markdown(text))
    assert "<" not in re.sub(r"<[^>]*>", "", clean(text))


_PIECES = st.sampled_from(
    [*XSS, "<p>", "</p>", "<b>", "<a href='https://a.example/'>", "&amp;", "&", "<", '"', "\u202e"]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_PIECES | st.text(max_size=20), max_size=12).map("".join))
@example("<a href='https://a.example'><a href='https://b.example'>")
def test_088_every_text_gives_clean_html(text):
    check(clean(text))
    check(markdown(text))
    check(outline(clean(text)).html.replace(' id="', ' lang="'))
    assert "\n" not in plain(text, 100)
    assert len(plain(text, 100)) <= 100


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_what_is_clean_stays_as_it_is(text):
    once = clean(f"<p>{text}</p>")
    assert clean(once) == once


@pytest.mark.parametrize(
    "text",
    ["[" * 1_000_000, "*" * 1_000_000, "![](" * 200_000, "> " * 300_000, "<a " * 300_000, "<b>" * 200_000,
     "&" * 1_000_000, "`" * 500_001, "- " * 300_000, "|" * 300_000, "<!--" * 200_000, "a@b." * 200_000,
     "<h1>a</h1>" * 100_000, "# a\n" * 100_000, "<ul><li>" * 120_000, "<a =\"" * 150_000, "&#" + "9" * 1_000_000],
    ids=lambda text: text[:4],
)  # fmt: skip
def test_098_a_megabyte_of_anything_is_read_in_time(text):
    began = time.process_time()
    for html in (clean(text), markdown(text)):
        check(html)
        assert len(outline(html).headings) <= MAX_HEADINGS
    plain(text, 1_000_000)
    assert time.process_time() - began < 25  # quadratic time would be minutes


def test_099_pictures_of_others_are_words():
    assert clean('<p>Look: <img src="https://beacon.example/x.gif" alt="A harbour at dawn"></p>') == (
        "<p>Look: [A harbour at dawn]</p>"
    )
    assert "beacon" not in markdown("![a beacon of hope](https://tracker.example/1.gif)").replace(
        "a beacon of hope", ""
    )
    assert "tracker" not in markdown("![x](https://tracker.example/1.gif)")


def test_055_what_turns_or_hides_text_is_taken_out():
    assert visible("user\u202egpj.exe\u200b\x00") == "usergpj.exe"
    assert clean("<p>a&#x202e;b&#8203;c</p>") == "<p>abc</p>"
    assert one_line("two\nlines\u2028and\tmore  ", 100) == "two linesand more"
    assert one_line("x" * 1_000_000, 100) == "x" * 100
    assert visible("\U0001f469\u200d\U0001f4bb and नि\u200dष") == "\U0001f469\u200d\U0001f4bb and नि\u200dष"


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ('<a href="https://evil.example/">https://bank.example</a>', True),
        ('<a href="https://evil.example/">bank.example/login</a>', True),
        ('<a href="https://bank.example.evil.example/">bank.example</a>', True),
        ('<a href="https://bank.example/x">bank.example</a>', False),
        ('<a href="https://www.bank.example/x">bank.example</a>', False),
        ('<a href="https://evil.example/">my page</a>', False),
    ],
)
def test_056_a_link_that_lies_is_followed_by_its_true_host(html, told):
    assert ("example)" in clean(html)) is told


@pytest.mark.parametrize(
    ("link", "ends"),
    [
        ("[bank.example](https://evil.example/)", "</a> (evil.example)</p>"),
        ("[bank.example](https://evil.example/) (bank.example)", "</a> (evil.example) (bank.example)</p>"),
        ("[my page](https://evil.example/) (bank.example)", "</a> (bank.example)</p>"),
    ],
)
def test_056_the_true_host_is_said_once_however_often_a_text_is_cleaned(link, ends):
    once = markdown(link)
    assert once.endswith(ends)
    assert clean(once) == once


def test_links_of_others_carry_no_recommendation():
    assert 'rel="nofollow noopener noreferrer ugc"' in clean('<a href="https://a.example/" rel="opener">a</a>')


def test_headings_begin_below_the_title_and_skip_nothing():
    html = markdown("# One\n\n### Deep\n\n# Two")
    assert re.findall(r"<h(\d)>", html) == ["2", "3", "2"]
    found = outline(html)
    assert [(heading.level, heading.words) for heading in found.headings] == [(2, "One"), (3, "Deep"), (2, "Two")]
    assert 'id="t-one"' in found.html


def test_two_headings_of_one_name_have_two_addresses():
    found = outline(markdown("## Same\n\n## Same\n\n## Same"))
    assert len({heading.id for heading in found.headings}) == 3


def test_markdown_does_what_people_expect():
    html = markdown("**bold** and https://a.example/x.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n~~gone~~ <b>not HTML</b>")
    assert "<strong>bold</strong>" in html
    assert '<a href="https://a.example/x"' in html
    assert "<table>" in html
    assert "<s>gone</s>" in html
    assert "&lt;b&gt;not HTML&lt;/b&gt;" in html


def test_shorten_cuts_between_words():
    assert shorten("one two three", 9) == "one two…"
    assert shorten("short", 9) == "short"


def test_a_wide_table_stands_in_a_box_of_its_own():
    html = markdown("| a | b |\n|---|---|\n| 1 | 2 |\n\ntext") + clean("<table dir=rtl><tr><td><table><tr><td>x")
    boxed = roomy(html)
    assert boxed.count('<div class="table-wrap" role="group" aria-label="Table" tabindex="0"><table') == 3
    assert boxed.count("</table></div>") == 3
    assert re.sub(r"</?div[^>]*>", "", boxed) == html, "nothing else is changed"
