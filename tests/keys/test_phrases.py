"""A phrase is what was made, however somebody writes it, and nothing else is one."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import BadPhrase
from keys.phrases import PHRASE_WORDS, _phrase, new_phrase, parse_phrase
from keys.words import WORDS

PHRASE = "giant dentist clarinet hollow sock moon black freckle plush"
values = st.integers(0, (1 << 80) - 1)


def test_the_words_are_a_thousand_and_cannot_be_taken_for_each_other():
    assert len(WORDS) == len({word[:4] for word in WORDS}) == 1024
    assert list(WORDS) == sorted(WORDS)
    assert all(word.isascii() and word.isalpha() and word.islower() and 3 <= len(word) <= 9 for word in WORDS)
    known = set(WORDS)
    for word in WORDS:
        shorter = {word[:place] + word[place + 1 :] for place in range(len(word))}
        assert not shorter & known, word


def test_a_phrase_has_eighty_random_bits():
    made = {new_phrase() for _ in range(50)}
    assert len(made) == 50
    assert {len(phrase.split()) for phrase in made} == {PHRASE_WORDS}
    assert len({word for phrase in made for word in phrase.split()}) > 250


@given(values)
def test_what_was_made_is_read(value: int):
    phrase = _phrase(value)
    assert parse_phrase(phrase) == phrase
    assert parse_phrase(" ".join(word[:4] for word in phrase.split())) == phrase
    assert parse_phrase("\n".join(f"{n}. {word.title()}," for n, word in enumerate(phrase.split(), 1))) == phrase


@given(values, st.integers(0, 8), st.integers(1, 1023))
def test_hardly_any_other_word_in_its_place_is_taken(value: int, place: int, apart: int):
    """The check has ten bits: one wrong word of a thousand slips through, and then opens nothing."""
    words = _phrase(value).split()
    words[place] = WORDS[(WORDS.index(words[place]) + apart) % 1024]
    with suppress(BadPhrase):
        assert parse_phrase(" ".join(words)) != _phrase(value)


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("", 0, "these are 0"),
        (PHRASE.rpartition(" ")[0], 0, "these are 8"),
        (PHRASE + " plush", 0, "these are 10"),
        (PHRASE.replace("sock", "sofa"), 0, "do not belong together"),
        (PHRASE.replace("giant dentist", "dentist giant"), 0, "do not belong together"),
        (PHRASE.replace("moon", "xylo"), 6, "word 6 (xylo) is in no recovery phrase"),
        (PHRASE.replace("moon", "moonshine"), 6, "word 6"),
        (PHRASE.replace("dentist", "den"), 2, "word 2"),
        ("giant " * 500, 0, "9 words"),
        ("\x00", 0, "these are 0"),
    ],
)
def test_what_is_no_phrase_is_refused_with_the_word_that_is_wrong(text: str, place: int, says: str):
    with pytest.raises(BadPhrase) as error:
        parse_phrase(text)
    assert error.value.place == place
    assert says in str(error.value)
