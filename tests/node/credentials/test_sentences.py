"""What `federation` says can be said in every language, and on another day."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path

from federation.said import Said
from node.credentials.sentences import FORMS, packed, sentence, unpacked

FEDERATION = Path(__file__).parents[3] / "federation"
MODULES = ("verdicts", "verdict_words", "credential_keys", "status_words", "credential_verdicts")
NOW = datetime(2026, 3, 3, 12, 30, tzinfo=UTC)


def forms_in(source: str) -> set[str]:
    """The first argument of every `Said(...)`, also by the name of a constant."""
    tree, named = ast.parse(source), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            for target in node.targets:
                named.setdefault(target.id, set()).add(node.value.value)
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Said":
            first = node.args[0]
            found |= {first.value} if isinstance(first, ast.Constant) else named[first.id]
    return found


def test_every_sentence_of_a_verdict_is_listed_for_the_catalogues() -> None:
    said = set().union(*(forms_in((FEDERATION / f"{name}.py").read_text()) for name in MODULES))
    assert len(said) > 50
    assert said == {form.one for form in FORMS}


def test_a_sentence_that_is_kept_says_the_same_another_day() -> None:
    inner = Said("it has not been renewed since {day}", day=NOW)
    said = Said("Not taken back as of {day}. Its list could not be used today: {reason}.", day=NOW, reason=inner)
    again = unpacked(packed(said))
    assert again == said
    assert again == (
        "Not taken back as of 2026-03-03T12:30:00Z. Its list could not be used today: "
        "it has not been renewed since 2026-03-03T12:30:00Z."
    )
    assert str(sentence(again)) == (
        "Not taken back as of 3 March 2026, 12:30 UTC. Its list could not be used today: "
        "it has not been renewed since 3 March 2026, 12:30 UTC."
    )


def test_what_a_stranger_wrote_into_a_sentence_stays_short_and_on_one_line() -> None:
    shown = sentence(Said("It is about {who}.", who="x\n\u202ey" * 1_000))
    assert len(shown) < 400
    assert "\n" not in shown
    assert "\u202e" not in shown
    assert sentence("as it is {braces}") == "as it is {braces}"
