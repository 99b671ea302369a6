"""JSON Resume 1.0 (jsonresume.org/schema) -> a profile. Pure.

What comes in is a stranger's file: it is read strictly, each part by the rules of its form, and what cannot be taken is
named in a sentence. Nothing of it is an error: the owner looks at it first, and then takes it or leaves it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from node.errors import Invalid
from node.language import Sentence, _
from node.profiles.entries import MAX_OF_SECTION, MAX_TEXT, MAX_TITLE, WORDS, EntryDraft, parse_entry
from node.profiles.rules import MAX_HEADLINE, MAX_LANGUAGES, MAX_LINKS, MAX_NAME, MAX_SUMMARY, parse_profile
from node.text import one_line, shorten, visible
from node.vocabularies import language_code
from schemas.cv import Section, month_of
from schemas.errors import SchemaError
from schemas.profiles import LEVELS
from schemas.strict_json import loads_object

MAX_BYTES = 300_000
MAX_ITEMS = 200
MAX_SKIPPED = 50
FIELD = "file"

_NATIVE = frozenset({"native", "native speaker", "mother tongue", "first language", "bilingual"})
_NOT_TAKEN: dict[str, Sentence] = {
    "volunteer": _("Voluntary work: add it as experience."),
    "awards": _("Awards: a profile has no place for them yet."),
    "certificates": _("Certificates: a profile has no place for them yet."),
    "publications": _("Publications: add them to the portfolio."),
    "interests": _("Interests: a profile has no place for them."),
    "references": _("References: what others say of you only they can say."),
}
_NOT_SHOWN: dict[str, Sentence] = {
    "email": _("Your mail address: a profile shows none."),
    "phone": _("Your telephone number: a profile shows none."),
    "location": _("Your address: a profile shows none."),
    "image": _("Your picture: choose it on the page of your profile."),
}


@dataclass(slots=True)
class Taken:
    """What a file says that a profile can hold. form: fields of the profile's form; skipped: why the rest is left."""

    form: dict[str, str] = field(default_factory=dict)
    entries: list[tuple[Section, EntryDraft]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def skip(self, sentence: str) -> None:
        """Say once why something is left out."""
        if sentence not in self.skipped and len(self.skipped) < MAX_SKIPPED:
            self.skipped.append(sentence)

    def of(self, section: Section) -> list[EntryDraft]:
        """The lines of one section."""
        return [draft for name, draft in self.entries if name == section]


def parse_resume(body: bytes) -> Taken:
    """Read a file; Invalid for `file` when it is no JSON Resume at all."""
    try:
        document = loads_object(body, max_bytes=MAX_BYTES)
    except SchemaError as error:
        raise Invalid(
            {FIELD: _("This is not a JSON Resume, or it is larger than 300 KB. Choose another file.")}
        ) from error
    known = {"basics", "work", "education", "projects", "skills", "languages"} | set(_NOT_TAKEN)
    if not known & set(document):
        raise Invalid({FIELD: _("This file has nothing that a JSON Resume has. Choose another one.")})
    taken = Taken()
    _take_basics(document.get("basics"), taken)
    _take_skills(document.get("skills"), taken)
    _take_languages(document.get("languages"), taken)
    _take_entries("experience", (_work_form(item) for item in _items(document.get("work"))), taken)
    _take_entries("education", (_education_form(item) for item in _items(document.get("education"))), taken)
    _take_entries("portfolio", (_project_form(item) for item in _items(document.get("projects"))), taken)
    for name, sentence in _NOT_TAKEN.items():
        if document.get(name):
            taken.skip(sentence)
    return taken


def _items(value: Any) -> Iterator[dict[str, Any]]:
    listed = value[:MAX_ITEMS] if isinstance(value, list) else []
    return (item for item in listed if isinstance(item, dict))


def _text(item: Mapping[str, Any], name: str, limit: int = MAX_TEXT) -> str:
    value = item.get(name)
    return shorten(visible(value[: 4 * limit]).strip(), limit) if isinstance(value, str) else ""


def _line(item: Mapping[str, Any], name: str, limit: int = MAX_TITLE) -> str:
    value = item.get(name)
    return one_line(value, limit) if isinstance(value, str) else ""


def _take_basics(value: Any, taken: Taken) -> None:
    basics = value if isinstance(value, dict) else {}
    _take(taken, "name", _line(basics, "name", MAX_NAME), _("Your name cannot be used as it stands."))
    _take(taken, "headline", _line(basics, "label", MAX_HEADLINE), _("The headline cannot be used as it stands."))
    _take(taken, "summary", _text(basics, "summary", MAX_SUMMARY), _("The summary cannot be used as it stands."))
    addresses = [basics.get("url"), *(item.get("url") for item in _items(basics.get("profiles")))]
    _take_links([address for address in addresses if isinstance(address, str) and address], taken)
    for name, sentence in _NOT_SHOWN.items():
        if basics.get(name):
            taken.skip(sentence)


def _take_links(addresses: list[str], taken: Taken) -> None:
    links: list[str] = []
    for address in dict.fromkeys(addresses):
        if not _fits("links", address):
            taken.skip(_("The link {link} is not an address.", link=address[:60]))
        elif len(links) < MAX_LINKS:
            links.append(address)
        else:
            taken.skip(_("There is room for {most} links. The others are left out.", most=MAX_LINKS))
    if links:
        taken.form["links"] = "\n".join(links)


def _take(taken: Taken, name: str, text: str, sentence: str) -> None:
    """A field, if its form takes it."""
    if not text:
        return
    if _fits(name, text):
        taken.form[name] = text
    else:
        taken.skip(sentence)


def _fits(name: str, text: str) -> bool:
    try:
        parse_profile({"name": "x", name: text}, date.min)
    except Invalid:
        return False
    return True


def _take_skills(value: Any, taken: Taken) -> None:
    names: dict[str, None] = {}
    for item in _items(value):
        keywords = item.get("keywords")
        for word in (item.get("name"), *(keywords[:MAX_ITEMS] if isinstance(keywords, list) else ())):
            name = one_line(word, 100).replace(",", " ").replace("=", " ") if isinstance(word, str) else ""
            if name and not _fits("skills", ", ".join((*names, name))):
                taken.skip(_("The skill “{name}” is left out: there are too many, or its name is too long.", name=name))
            elif name:
                names[name] = None
    if names:
        taken.form["skills"] = ", ".join(names)


def _take_languages(value: Any, taken: Taken) -> None:
    found: dict[str, str] = {}
    for item in _items(value):
        name, fluency = _line(item, "language"), _line(item, "fluency")
        code = language_code(name) if name else None
        if code is None:
            taken.skip(_("“{name}” is not a language known here.", name=name[:40]))
            continue
        level = _level(fluency)
        if fluency and level is None:
            taken.skip(
                _("“{word}” is no level that is known here: the language is taken without one.", word=fluency[:40])
            )
        if len(found) < MAX_LANGUAGES:
            found.setdefault(code, f"{code} {level}" if level else code)
    if found:
        taken.form["languages"] = ", ".join(found.values())


def _level(fluency: str) -> str | None:
    word = fluency.casefold()
    return "native" if word in _NATIVE else next((level for level in LEVELS if level.casefold() == word), None)


def _take_entries(section: Section, forms: Iterable[dict[str, str]], taken: Taken) -> None:
    count = 0
    for form in forms:
        if count >= MAX_OF_SECTION:
            taken.skip(_("{section}: there is room for {most} lines. The others are left out.",
                         section=WORDS[section].name, most=MAX_OF_SECTION))  # fmt: skip
            return
        try:
            taken.entries.append((section, parse_entry(section, form)))
            count += 1
        except Invalid as error:
            title = form.get("title") or form.get("organisation") or "–"
            why = next(iter(error.errors.values()))
            taken.skip(_("“{title}” is left out. {why}", title=title[:60], why=why))


def _dates(item: Mapping[str, Any]) -> dict[str, str]:
    start, end = month_of(item.get("startDate")), month_of(item.get("endDate"))
    return {"start": start, "end": end}


def _with_highlights(item: Mapping[str, Any], text: str, name: str = "highlights") -> str:
    listed = item.get(name)
    lines = [one_line(line, 400) for line in (listed[:20] if isinstance(listed, list) else ()) if isinstance(line, str)]
    return shorten("\n".join(part for part in (text, *lines) if part), MAX_TEXT)


def _work_form(item: Mapping[str, Any]) -> dict[str, str]:
    title, organisation = _line(item, "position"), _line(item, "name") or _line(item, "company")
    return {
        "title": title or organisation,
        "organisation": organisation if title else "",
        "place": _line(item, "location", 100),
        "text": _with_highlights(item, _text(item, "summary")),
        "url": _line(item, "url", 2_000),
        **_dates(item),
    }


def _education_form(item: Mapping[str, Any]) -> dict[str, str]:
    title = one_line(" ".join(filter(None, (_line(item, "studyType"), _line(item, "area")))), MAX_TITLE)
    organisation = _line(item, "institution")
    return {
        "title": title or organisation,
        "organisation": organisation if title else "",
        "place": _line(item, "location", 100),
        "text": _with_highlights(item, _text(item, "summary"), "courses"),
        "url": _line(item, "url", 2_000),
        **_dates(item),
    }


def _project_form(item: Mapping[str, Any]) -> dict[str, str]:
    return {
        "title": _line(item, "name"),
        "text": _with_highlights(item, _text(item, "description")),
        "url": _line(item, "url", 2_000),
    }
