"""A gig as other servers get it: what they show of it, and what we read back (FEP-0837)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace

from federation.clock import iso
from federation.ids import Ids
from node.market import wire
from node.market.rules import parse_gig
from node.text import markdown
from schemas.base import Audience
from schemas.jsonld import normalise
from schemas.market import Gig, is_gig, write_gig
from schemas.market import parse_gig as parse_document
from schemas.money import Skill
from schemas.terms import PUBLIC

IDS = Ids("https://amara.example", "amara.example")
OWNER = IDS.actor("amara")
GIG = f"{OWNER}/gigs/01abc"
NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
FORM = {
    "purpose": "offer",
    "title": "Audit of <one> form & more",
    "body": "I look at your form.\n\n## What you get\n\n- a drawing",
    "skills": "usability testing, Python, C++",
    "price": "640",
    "currency": "EUR",
    "unit": "day",
    "available": "10",
    "minimum": "3",
    "until": "2026-12-04",
}


def gig(closed_at: datetime | None = None, **changes: str) -> Gig:
    return wire.to_gig(IDS, GIG, OWNER, parse_gig(FORM | changes, NOW.date()), closed_at=closed_at)


def document(made: Gig) -> dict:
    audience = Audience((PUBLIC,), (f"{OWNER}/followers",))
    times = {
        name: iso(value) if value else None for name, value in (("updated", made.updated), ("end_time", made.end_time))
    }
    return write_gig(made, audience=audience, published=iso(NOW), **times)


VARIANTS = [
    {},
    {"price": ""},
    {"skills": ""},
    {"body": ""},
    {"unit": "one", "available": "", "minimum": ""},
    {"purpose": "request", "until": "", "available": "2.5", "minimum": ""},
]


@pytest.mark.parametrize("changes", VARIANTS)
def test_what_is_written_is_read_back(changes: dict[str, str]):
    made = gig(**changes)
    read = parse_document(normalise(document(made)))
    assert read == replace(made, published=NOW)


def test_a_note_that_everybody_can_read_and_no_content_warning():
    written = document(gig())
    assert is_gig(written)
    assert (written["type"], written["purpose"]) == ("Note", "offer")
    assert not {"name", "summary"} & set(written)
    assert written["publishes"]["resourceQuantity"] == {"hasUnit": "day", "hasNumericalValue": "1"}
    assert written["publishes"]["minimumQuantity"] == {"hasUnit": "day", "hasNumericalValue": "3"}
    assert written["reciprocal"]["resourceConformsTo"] == "urn:iso:std:iso:4217:EUR"
    assert written["reciprocal"]["resourceQuantity"] == {"hasUnit": "one", "hasNumericalValue": "640.00"}
    assert written["endTime"] == "2026-12-04T23:59:59Z"
    assert written["url"] == "https://amara.example/@amara/gigs/01abc"


def test_a_price_to_be_agreed_leaves_the_money_out():
    written = document(gig(price=""))
    assert not {"reciprocal", "unitBased"} & set(written)
    assert "price to be agreed" in written["content"]


def test_the_content_begins_with_title_and_terms_and_ends_with_hashtags():
    content = document(gig())["content"]
    assert content.startswith(
        "<p><strong>Audit of &lt;one&gt; form &amp; more</strong></p>\n<p>Offered: EUR 640.00 a day. "
        "At least 3 days, 10 days in all. Answers until 4 December 2026.</p>"
    )
    assert content.endswith("</a></p>")
    assert "#UsabilityTesting</a>" in content
    assert 'href="https://amara.example/gigs?q=usability+testing"' in content
    assert [tag["name"] for tag in document(gig())["tag"]] == ["#UsabilityTesting", "#Python"], "C++ can be no hashtag"


def test_we_show_the_text_alone():
    assert wire.body_of(gig()) == markdown(FORM["body"])
    assert wire.body_of(gig(NOW)) == markdown(FORM["body"])


def test_a_closed_gig_says_so_in_words_first():
    made = gig(NOW)
    written = document(made)
    assert written["content"].startswith("<p><strong>Closed.</strong> This gig takes no more answers.</p>")
    assert "Answers until" not in written["content"]
    assert written["endTime"] == written["updated"] == iso(NOW)


def test_the_text_of_a_stranger_is_made_safe():  # SECURITY 96
    hostile = replace(
        gig(), content='<p onclick="x()">Hi <script>alert(1)</script><img src="https://spy.example/p.png" alt="me"></p>'
    )
    shown = wire.body_of(hostile)
    assert "script" not in shown
    assert "onclick" not in shown
    assert "src=" not in shown


def test_numbers_in_words():
    assert wire.quantity_words(Decimal(1), None, "hour") == "At least 1 hour"
    assert wire.quantity_words(None, Decimal("1200.50"), "day") == "1,200.5 days in all"
    assert wire.quantity_words(None, None, "hour") == ""
    assert wire.price_words(Decimal("4080.00"), "EUR", "one") == "EUR 4,080.00 in all"


def test_hashtags_are_few_and_are_words():
    skills = tuple(Skill(f"skill {number}", None) for number in range(20))
    assert len(wire.hashtags(IDS.origin, skills)) == wire.MAX_HASHTAGS
    assert wire.hashtags(IDS.origin, (Skill("2026", None), Skill("…", None))) == ()
    assert [tag.name for tag in wire.hashtags(IDS.origin, (Skill("Ελληνικά", None),))] == ["#Ελληνικά"]


def test_a_gig_of_another_kind_of_server_is_read_too():
    """Valueflows' JSON Schemas write lists, Mitra writes a name, and numbers come as numbers."""
    foreign = {
        "id": "https://mitra.example/objects/1",
        "type": "Proposal",
        "attributedTo": "https://mitra.example/users/bo",
        "purpose": "offer",
        "name": "Subscription",
        "content": "Pay me",
        "publishes": [{"type": "Intent", "resourceQuantity": {"hasUnit": "one", "hasNumericalValue": 1}}],
        "reciprocal": [
            {"resourceConformsTo": "urn:iso:std:iso:4217:USD", "resourceQuantity": {"hasNumericalValue": 5}}
        ],
    }
    read = parse_document(foreign)
    assert (read.title, read.price, read.currency, read.unit) == ("Subscription", Decimal(5), "USD", "one")
