"""An answer grows old: it says so, its owner is asked once, and whoever keeps a calendar of it is told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from icalendar import Calendar

from node.app import web_application
from node.notifications.tables import notifications
from node.profiles import commands
from node.profiles.asking import ask_again
from node.profiles.calendars import calendar, events
from node.profiles.rules import parse_profile
from node.profiles.weeks import coming, monday
from schemas.profiles import Availability
from tests.node.house import PASSWORD, serving, settle_in
from tests.node.profiles.test_resume import somebody

TODAY = date(2026, 11, 25)  # a Wednesday
FORM = {"name": "Amara, the; \\ first", "availability": "open", "hours_per_week": "24"}


@pytest.fixture
async def house(ground):
    """`(node, author)`."""
    node, account = await settle_in(ground)
    yield node, await node.author(account.actor_id)
    await node.client.close()


async def save(node, author, **changes: str) -> None:
    draft = parse_profile(FORM | changes, node.clock.now().date())
    await node.db.write(commands.save_profile, author, draft)


async def asked(node) -> int:
    await node.db.write(ask_again)
    rows = await node.db.read(
        lambda tx: tx.rows(sa.select(notifications).where(notifications.c.kind == "availability"))
    )
    return len(rows)


async def test_whoever_has_not_confirmed_for_30_days_is_asked_once(house):
    node, author = house
    assert await asked(node) == 0, "who has said nothing is not asked"
    await save(node, author, availability_for="nobody")
    node.clock.offset += timedelta(days=29)
    assert await asked(node) == 0
    node.clock.offset += timedelta(days=2)
    assert [await asked(node) for _ in range(3)] == [1, 1, 1]
    await node.db.write(commands.confirm_availability, author)
    assert await asked(node) == 0, "the question is answered"
    node.clock.offset += timedelta(days=31)
    assert await asked(node) == 1, "and put anew when that is old too"


async def test_the_question_is_answered_with_one_click(house):
    node, author = house
    await save(node, author)
    node.clock.offset += timedelta(days=31)
    await node.db.write(ask_again)
    async with serving(web_application(node)) as visitor:
        await visitor.submit("/sign-in", name="alice", password=PASSWORD)
        page = await visitor.get("/notifications")
        assert "This still holds" in page.text
        await visitor.submit("/profile/confirm", page="/notifications")
        assert "Said today" in (await visitor.get("/@alice")).text
        assert "This still holds" not in (await visitor.get("/notifications")).text


async def test_110_a_calendar_of_when_somebody_is_free(house):
    node, author = house
    async with serving(web_application(node)) as visitor:
        assert (await visitor.get("/@alice/availability.ics")).status == 404, "nothing was said"
        await save(node, author)
        page = await visitor.get("/@alice/availability.ics")
        assert page.headers["Content-Type"] == "text/calendar; charset=utf-8"
        assert "Amara\\, the\\; \\\\ first" in page.text.replace("\r\n ", "")
        (event,) = Calendar.from_ical(page.text).walk("VEVENT")
        assert event["summary"] == "Amara, the; \\ first: free, 24 hours a week"
        assert event["dtstart"].dt == node.clock.now().date()
        node.clock.offset += timedelta(days=31)
        (event,) = Calendar.from_ical((await visitor.get("/@alice/availability.ics")).text).walk("VEVENT")
        assert event["description"].startswith("Not confirmed since")
        await save(node, author, availability_for="followers")
        assert (await visitor.get("/@alice/availability.ics")).status == 404, "it is not for everybody any more"


def test_110_a_name_breaks_no_line_of_the_calendar():
    person = somebody(name="A\r\nATTENDEE:mailto:x@y.example", availability=Availability("open"))
    lines = calendar(person, datetime(2026, 11, 25, tzinfo=UTC), "a.example").decode().split("\r\n")
    assert not [line for line in lines if line.startswith("ATTENDEE")]


@pytest.mark.parametrize(
    ("said", "starts", "words"),
    [
        (Availability("open"), TODAY, "free"),
        (Availability("open", date(2026, 12, 7), 1), date(2026, 12, 7), "free, 1 hour a week"),
        (Availability("limited", None, 8), TODAY, "a little free, 8 hours a week"),
        (Availability("busy", date(2026, 12, 7)), TODAY, "busy"),
        (Availability("open", date(2028, 1, 1)), date(2028, 1, 1), "free"),
    ],
    ids=["free", "from a day", "a little", "busy", "in two years"],
)
def test_one_event_says_it_where_no_weeks_are_shared(said, starts, words):
    (event,) = events(somebody(availability=said), TODAY)
    assert (event.start, event.summary) == (starts, f"Amara: {words}")
    assert event.end > event.start


def test_weeks_move_on_with_the_calendar():
    said = Availability("open", weeks=(0, 8, 16) + (24,) * 23, weeks_from=monday(TODAY))
    now, later = coming(said, TODAY), coming(said, TODAY + timedelta(weeks=2))
    assert ([week.hours for week in now[:3]], len(now)) == ([0, 8, 16], 26)
    assert [week.hours for week in later[:2]] == [16, 24]
    assert [week.hours for week in later[-2:]] == [0, 0], "nobody has said anything of these yet"
    assert coming(said, TODAY + timedelta(weeks=30)) == []
    assert next(events(somebody(availability=said), TODAY)).summary == "Amara: 8 hours free"
    assert now[0].start == date(2026, 11, 23)
    assert [str(week.month) for week in now if week.month] == ["Nov", "Dec", "Jan", "Feb", "Mar", "Apr", "May"]
