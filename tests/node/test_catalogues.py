"""Every sentence of pages and mails is in every catalogue, with the same values in it."""

from __future__ import annotations

import re
import string
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import Environment

from node.language import ENGLISH, LOCALES, languages

NODE = Path(__file__).parents[2] / "node"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "_n": (1, 2)}
TEMPLATES = sorted((NODE / "templates").rglob("*.html"))
OTHERS = [language for language in languages() if language != ENGLISH]
PERCENT = re.compile(r"%\(([a-z_]+)\)[sd]")


@cache
def said() -> dict[str | tuple[str, ...], str]:
    """Every sentence in the source, with a file where it stands."""
    options = {"templates/**.html": {"trimmed": "true"}}
    found = extract_from_dir(NODE, METHODS, options, KEYWORDS)
    return {message: filename for filename, _line, message, _comments, _context in found}


@cache
def catalogue(language: str) -> Catalog:
    with (LOCALES / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def values(text: str) -> set[str]:
    """The names of what is put into a sentence, with how it is written out."""
    named = {f"%{name}" for name in PERCENT.findall(text)}
    if named:
        return named
    return {f"{name}:{spec}" for _text, name, spec, _conversion in string.Formatter().parse(text) if name is not None}


def forms(message: Message) -> list[tuple[str, str]]:
    """Pairs of the English text and its translation."""
    if not message.pluralizable:
        return [(message.id, message.string)]
    one, many = message.id
    return [(one if position == 0 else many, text) for position, text in enumerate(message.string)]


def test_there_is_something_to_translate() -> None:
    assert len(said()) > 90
    assert OTHERS


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_has_its_translation(language: str) -> None:
    known = catalogue(language)
    missing = [
        f"{filename}: {message}"
        for message, filename in said().items()
        if (found := known.get(message)) is None or found.fuzzy or not all(text for _id, text in forms(found))
    ]
    assert missing == [], "run `make messages`, and translate what is empty in node/locales"


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_puts_in_what_the_sentence_puts_in(language: str) -> None:
    """Of two forms one may leave the number out: "one day"."""
    wrong = []
    for message in catalogue(language):
        for english, text in forms(message) if message.id else ():
            both = values(english) if isinstance(message.id, str) else set().union(*map(values, message.id))
            exact = isinstance(message.id, str)
            if text and (values(text) != both if exact else not values(text) <= both):
                wrong.append((english, text))
    assert wrong == []


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_translated_that_nobody_says(language: str) -> None:
    left = [message.id for message in catalogue(language) if message.id and message.id not in said()]
    assert left == [], "run `make messages`"


META = re.compile(r"<meta[^>]*>", re.DOTALL)
SAID = re.compile(r'\b(?:aria-label|placeholder|title|alt)="([^"{]*[A-Za-z]{3}[^"{]*)"')
UNSEEN = re.compile(r"<script.*?</script>|<svg.*?</svg>|<!--.*?-->|<code>.*?</code>", re.DOTALL)
SAME = {"Freehold", "· Freehold", "@name@server", ".csv", "alone", "cv", "Atom", "JSON Feed", "JSON Resume"}
"""The same in every language, or the value of an attribute that is put together."""


def bare(source: str) -> list[str]:
    """Words that a template says without asking for their translation."""
    pieces: list[str] = []
    inside, before = False, ""
    for _line, kind, value in Environment(extensions=["jinja2.ext.i18n"]).lex(source):
        if kind == "name" and before == "block_begin" and value in ("trans", "endtrans"):
            inside = value == "trans"
        if kind == "data" and not inside:
            pieces.append(value)
        elif kind in ("variable_begin", "block_begin"):
            pieces.append("\0")
        if kind != "whitespace":
            before = kind
    text = UNSEEN.sub("", "".join(pieces))
    found = [part.strip(" \n\0") for part in re.split(r"<[^>]*>", text)] + SAID.findall(META.sub("", text))
    return [part for part in found if re.search(r"[A-Za-z]{2}", part) and part not in SAME and "=" not in part]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(NODE)))
def test_a_template_says_nothing_in_english_alone(path: Path) -> None:
    assert bare(path.read_text()) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(NODE)))
def test_a_plural_says_which_number_it_goes_by(path: Path) -> None:
    """Without a name it goes by the first value, whatever that is."""
    assert re.findall(r"\{%-?\s*pluralize\s*-?%\}", path.read_text()) == []


def test_words_that_nobody_translates_are_found() -> None:
    assert bare('<p>Hello</p>{{ _("x") }}<a aria-label="Go home">{% trans %}You{% endtrans %}</a>') == [
        "Hello",
        "Go home",
    ]
