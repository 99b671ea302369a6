"""Sentences that can be said in another language: gettext, with the English text as the message's id.

    _("Give at most {most} links.", most=8)                         a sentence
    _n("{count} day", "{count} days", 3)                            one that depends on a number

Both return a `Sentence`: the English text as an ordinary `str`, that remembers what it was made of. So a rule, a
command or an error may say something without knowing who will read it, in any thread; the page that shows it says it
in its reader's language (`node.web.render` does that with everything that it writes), a log or a terminal in English.
Catalogues stand in `node/locales`, one `.po` file a language: a new language is a new file.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any

LOCALES = Path(__file__).with_name("locales")
ENGLISH = "en"


class Spoken(str):
    """English text that can say itself in another language: a sentence, a date, a sum."""

    __slots__ = ()

    def said(self, language: str) -> str:
        """The same in a language."""
        return str(self)


class Sentence(Spoken):
    """English text that knows how it was made; see the module's docstring."""

    __slots__ = ("many", "number", "one", "values")

    one: str
    many: str | None
    number: int
    values: Mapping[str, Any]

    def __new__(cls, one: str, many: str | None, number: int, values: Mapping[str, Any]) -> Sentence:
        """many: what is said of every number but 1; None for a sentence that depends on none."""
        made = super().__new__(cls, _format(one if many is None or number == 1 else many, values))
        made.one, made.many, made.number, made.values = one, many, number, values
        return made

    def __getnewargs__(self) -> tuple[str, str | None, int, Mapping[str, Any]]:  # type: ignore[override]
        return self.one, self.many, self.number, self.values

    def said(self, language: str) -> str:
        """The sentence in a language; in English where that has no words for it."""
        return _format(self.form(language), {name: say(value, language) for name, value in self.values.items()})

    def form(self, language: str) -> str:
        """What its values are put into, in a language."""
        catalogue = translations(language)
        if self.many is None:
            return catalogue.gettext(self.one) if self.one else ""
        return catalogue.ngettext(self.one, self.many, self.number)


def _format(text: str, values: Mapping[str, Any]) -> str:
    return text.format_map(values) if values else text


def _(message: str, /, **values: Any) -> Sentence:
    """A sentence. `{name}` in it stands for a value; a value may be a sentence itself."""
    return Sentence(message, None, 0, values)


def _n(one: str, many: str, count: int, /, **values: Any) -> Sentence:
    """A sentence that depends on a number, which stands in it as `{count}`; values may say how it is written out."""
    return Sentence(one, many, count, {"count": count} | values)


def say(value: Any, language: str) -> Any:
    """A value in a language, if it is something that can be said; else the value itself."""
    return value.said(language) if isinstance(value, Spoken) and language != ENGLISH else value


def packed(text: str) -> list[Any]:
    """What a sentence is made of, as JSON can hold it, so that it can be said in another language later."""
    if not isinstance(text, Sentence):
        return [str(text), None, 0, {}]
    values = {name: packed(value) if isinstance(value, Sentence) else value for name, value in text.values.items()}
    return [text.one, text.many, text.number, values]


def unpacked(parts: list[Any]) -> Sentence:
    """The way back."""
    one, many, number, values = parts
    inner = {name: unpacked(value) if isinstance(value, list) else value for name, value in values.items()}
    return Sentence(one, many, number, inner)


def languages() -> tuple[str, ...]:
    """The languages that there are catalogues for, English first."""
    return (ENGLISH, *sorted(path.stem for path in LOCALES.glob("*.po")))


@lru_cache
def translations(language: str) -> NullTranslations:
    """The catalogue of a language; of one without a catalogue, English."""
    path = LOCALES / f"{language}.po"
    if language not in languages() or language == ENGLISH:
        return NullTranslations()
    return _read(path)


def _read(path: Path) -> NullTranslations:
    """Compiled in memory at first use, so that a catalogue is one text file and nothing has to be built."""
    from gettext import GNUTranslations
    from io import BytesIO

    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


def preferred(header: str) -> str:
    """Of our languages the one that an `Accept-Language` header (RFC 9110 §12.5.4) likes best; else English."""
    ours, best, liking = languages(), ENGLISH, 0.0
    for part in header[:500].split(","):
        name, _sep, parameter = part.strip().partition(";")
        code = name.strip().lower().partition("-")[0]
        quality = _quality(parameter)
        if code in ours and quality > liking:
            best, liking = code, quality
    return best


def _quality(parameter: str) -> float:
    name, _sep, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        return min(float(value), 1.0) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
