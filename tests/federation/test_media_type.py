from __future__ import annotations

import pytest

from federation.media_type import is_activity, wanted


@pytest.mark.parametrize(
    ("content_type", "activity"),
    [
        ("application/activity+json", True),
        ("Application/Activity+JSON; charset=utf-8", True),
        ('application/ld+json; profile="https://www.w3.org/ns/activitystreams"', True),
        ('application/ld+json;profile="https://example.org/x https://www.w3.org/ns/activitystreams"', True),
        ("application/ld+json", False),
        ('application/ld+json; profile="https://example.org/x"', False),
        ("application/json", False),
        ("text/html", False),
        ("image/png", False),
        ("", False),
    ],
)
def test_what_is_an_activity(content_type: str, activity: bool) -> None:
    """SECURITY 9."""
    assert is_activity(content_type) is activity


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/activity+json", "activity"),
        ('application/ld+json; profile="https://www.w3.org/ns/activitystreams"', "activity"),
        ("application/activity+json, text/html;q=0.5", "activity"),
        ("text/html;q=0.5, application/activity+json", "activity"),
        ("application/activity+json;q=0.1, text/html", "page"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "page"),
        ("application/json", "activity"),
        ("*/*", "page"),
        ("", "page"),
        ("application/activity+json;q=nonsense", "page"),
        ("application/activity+json;q=0", "page"),
        (",;;,=," * 200, "page"),
    ],
)
def test_what_is_wanted(accept: str, kind: str) -> None:
    assert wanted(accept) == kind
