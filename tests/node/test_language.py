"""Sentences: English everywhere, another language where somebody reads it."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from node import language
from node.language import _, _n, preferred, say

CATALOGUE = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Give at most {most} links."
msgstr "Höchstens {most} Links."

msgid "{count} day"
msgid_plural "{count} days"
msgstr[0] "{count} Tag"
msgstr[1] "{count} Tage"

msgid "Ask again in {when}."
msgstr "In {when} noch einmal fragen."
"""


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "de.po").write_text(CATALOGUE, "utf-8")
    monkeypatch.setattr(language, "LOCALES", tmp_path)
    language.translations.cache_clear()
    yield "de"
    language.translations.cache_clear()


def test_a_sentence_is_english_text_until_somebody_reads_it(german: str) -> None:
    sentence = _("Give at most {most} links.", most=8)
    assert sentence == "Give at most 8 links."
    assert say(sentence, german) == "Höchstens 8 Links."
    assert say(sentence, "en") == sentence


@pytest.mark.parametrize(("count", "english", "in_german"), [(1, "1 day", "1 Tag"), (3, "3 days", "3 Tage")])
def test_numbers_choose_their_form(german: str, count: int, english: str, in_german: str) -> None:
    sentence = _n("{count} day", "{count} days", count)
    assert (str(sentence), say(sentence, german)) == (english, in_german)


def test_a_value_that_is_a_sentence_is_said_in_the_same_language(german: str) -> None:
    sentence = _("Ask again in {when}.", when=_n("{count} day", "{count} days", 2))
    assert say(sentence, german) == "In 2 Tage noch einmal fragen."


def test_what_has_no_translation_stays_english(german: str) -> None:
    assert say(_("Nobody translated this."), german) == "Nobody translated this."
    assert say(_("Nobody translated this."), "xx") == "Nobody translated this."


def test_a_sentence_survives_the_way_to_another_process(german: str) -> None:
    again = pickle.loads(pickle.dumps(_("Give at most {most} links.", most=8)))
    assert say(again, german) == "Höchstens 8 Links."


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("", "en"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-GB,de;q=0.9", "en"),
        ("fr,de;q=0.5", "de"),
        ("fr", "en"),
        ("de;q=nonsense", "en"),
        (";;;,,,=", "en"),
        ("*" * 10_000, "en"),
    ],
)
def test_the_readers_language_is_the_best_that_there_is(german: str, header: str, chosen: str) -> None:
    assert preferred(header) == chosen
