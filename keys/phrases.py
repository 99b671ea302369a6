"""Recovery phrases: nine words that a person can write on paper and type again.

Eight words are 80 random bits; the ninth is a check, ten bits of SHA-256 over them, so that a slip of the pen is
noticed at once and not when everything depends on it.
"""

from __future__ import annotations

import hashlib
import re
import secrets

from keys.errors import BadPhrase
from keys.words import WORDS

RANDOM_WORDS = 8
PHRASE_WORDS = RANDOM_WORDS + 1
MAX_TEXT = 400  # characters: no phrase is longer, however it is written
_BITS = 10
_KNOWN_BY = 4
_NUMBERS = {word[:_KNOWN_BY]: number for number, word in enumerate(WORDS)}


def new_phrase() -> str:
    """Nine words with single spaces between them."""
    return _phrase(secrets.randbits(RANDOM_WORDS * _BITS))


def parse_phrase(text: str) -> str:
    """What somebody typed -> the phrase as it was made; raises BadPhrase.

    Capitals, commas, numbers before the words and line ends are no mistakes. The first four letters of a word are
    enough, and nothing behind them may be another word's.
    """
    words = re.findall("[a-z]+", text[: MAX_TEXT + 1].lower())
    if len(text) > MAX_TEXT or len(words) != PHRASE_WORDS:
        raise BadPhrase(f"a recovery phrase has {PHRASE_WORDS} words, and these are {len(words)}", 0)
    numbers = [_number(word, place) for place, word in enumerate(words, 1)]
    value = 0
    for number in numbers[:-1]:
        value = value << _BITS | number
    if numbers[-1] != _check(value):
        raise BadPhrase("these words do not belong together: one of them is another one, or two are swapped", 0)
    return _phrase(value)


def _phrase(value: int) -> str:
    numbers = [value >> _BITS * place & (1 << _BITS) - 1 for place in reversed(range(RANDOM_WORDS))]
    return " ".join(WORDS[number] for number in [*numbers, _check(value)])


def _check(value: int) -> int:
    digest = hashlib.sha256(value.to_bytes(RANDOM_WORDS * _BITS // 8, "big")).digest()
    return int.from_bytes(digest[:2], "big") >> 16 - _BITS


def _number(word: str, place: int) -> int:
    number = _NUMBERS.get(word[:_KNOWN_BY])
    if number is None or not WORDS[number].startswith(word):
        raise BadPhrase(f"word {place} ({word[:20]}) is in no recovery phrase", place)
    return number
