"""People who write to each other, a visitor without an account, and the mails that go out."""

from __future__ import annotations

import re

from node.worker import mail_worker
from tests.mailbox import mail_for
from tests.nodes import Databases, Home, cluster, settled
from tests.people import Somebody

MARKER = "the harbour wall is painted on thursday"


async def sent(home: Home) -> int:
    """Hand over what waits."""
    return await mail_worker(home.node).drain()


async def both(databases: Databases, a: Home, b: Home) -> tuple[Somebody, Somebody]:
    return await a.set_up("alice"), await b.set_up("bob")


async def test_a_conversation_over_two_nodes(databases: Databases) -> None:
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await both(databases, a, b)
        async with a.visitor() as hers, b.visitor() as his:
            await alice.sign_in(hers)
            await bob.sign_in(his)
            page = await hers.submit("/messages/new", to=bob.handle, text=MARKER)
            assert (page.status, MARKER in page.text) == (200, True)
            await settled(a, b)

            enquiries = await his.get("/messages?show=enquiries")  # he does not follow her
            path = re.search(r'href="(/messages/[0-9a-f]{20})"', enquiries.text)[1]
            assert "Enquiries" in enquiries.text
            assert 'aria-label="Messages, 1 new"' in enquiries.text
            thread = await his.get(path)
            assert MARKER in thread.text
            assert 'aria-label="Messages"' in (await his.get("/messages")).text
            page = await his.submit(path, text="On Friday, then.")
            assert "On Friday, then." in page.text
            assert path in (await his.get("/messages")).text  # answered: a conversation like any other
            await settled(a, b)

            assert (await hers.get(f"/messages/new?to={bob.handle}")).url.startswith(f"{a.place}/messages/")
            page = await hers.get("/messages")
            assert page.text.count("/messages/") - page.text.count("/messages/new") == 1
            assert "On Friday, then." in page.text
            news = await his.get("/notifications")
            assert "asks you something" in news.text


async def test_a_visitor_asks_and_is_answered_by_mail(databases: Databases) -> None:
    async with cluster("a.example", databases=databases) as (a,):
        alice = await a.set_up("alice")
        gig = await alice.publish_gig(title="Maps of harbours")
        async with mail_for(a) as mailbox, a.visitor() as visitor, a.visitor() as hers:
            page = await visitor.submit(
                f"/@alice/ask?about={gig}", page=f"/@alice/ask?about={gig}", name="Vera", address="vera@example.org",
                text="Are you free in May?", about=gig,
            )  # fmt: skip
            assert "Look into your mail" in page.text
            await alice.sign_in(hers)
            assert "Nobody has asked anything" in (await hers.get("/messages?show=enquiries")).text
            assert await sent(a) == 1
            link = mailbox.link("/enquiries/confirm/")
            page = await visitor.submit(link)
            assert "Are you free in May?" in page.text

            listed = await hers.get("/messages?show=enquiries")
            assert "Vera" in listed.text
            path = re.search(r'href="(/messages/[0-9a-f]{20})"', listed.text)[1]
            assert "About your gig" in (await hers.get(path)).text
            await hers.submit(path, text="From the 7th on.")
            assert await sent(a) == 1
            letter = mailbox.letters[-1]
            assert letter["To"] == "vera@example.org"
            assert "From the 7th on." in letter.get_content()
            again = mailbox.link("/enquiries/")
            assert "From the 7th on." in (await visitor.get(again)).text
            await visitor.submit(again, text="Then the 7th it is.")
            assert "Then the 7th it is." in (await hers.get(path)).text
            assert (await visitor.get(link.replace("/confirm", ""))).status == 404  # the first link has ended

            await hers.submit(f"{path}/close", block="yes")
            assert (await visitor.get(again)).status == 404
            await visitor.submit("/@alice/ask", name="Vera", address="vera@example.org", text="Hello?")
            assert await sent(a) == 0


async def test_news_by_mail_once_the_address_is_confirmed(databases: Databases) -> None:
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await both(databases, a, b)
        async with mail_for(a) as mailbox, a.visitor() as hers, a.visitor() as anybody:
            await alice.sign_in(hers)
            await hers.submit("/settings/notices/address", page="/settings/notices", address="alice@example.org")
            await sent(a)
            await hers.submit(mailbox.link("/settings/notices/confirm/"))
            assert "Confirmed" in (await hers.get("/settings/notices")).text
            target = await b.node.resolver.locate(alice.handle)
            await bob.post("Have you a minute?", audience="direct", to=target)
            await settled(a, b)
            await write_letters_of(a)
            assert await sent(a) == 1
            letter = mailbox.letters[-1]
            assert "asks you something" in letter["Subject"]
            assert "Have you a minute?" not in letter.as_string()  # what was private is not in a mail
            await write_letters_of(a)
            assert await sent(a) == 0

            stop = mailbox.link("/unsubscribe/")
            assert letter["List-Unsubscribe"].strip() == f"<{a.origin}{stop}>"
            assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
            for form, status in (({"anything": "else"}, 403), ({"List-Unsubscribe": "One-Click"}, 200)):  # RFC 8058
                async with anybody.http.post(f"{anybody.origin}{stop}", data=form) as response:
                    assert response.status == status
            await bob.post("Two minutes?", audience="direct", to=target)
            await settled(a, b)
            await write_letters_of(a)
            assert await sent(a) == 0


async def write_letters_of(home: Home) -> None:
    from node.notifications.letters import write_letters

    await home.node.db.write(write_letters, home.origin)


async def test_a_refused_mail_is_given_up_and_an_absent_server_is_tried_again(databases: Databases) -> None:
    from node.mail.commands import queue

    async with cluster("a.example", databases=databases) as (a,):
        await a.set_up("alice")
        await a.node.db.write(queue, "bob@example.org", "Hello\r\nBcc: eve@example.org", "A line.\n.\nAnother.")
        async with mail_for(a) as mailbox:
            mailbox.refuse = "451 later"
            assert await sent(a) == 1
            assert await states(a) == [("pending", 1, True)]
            mailbox.refuse = ""
            assert await sent(a) == 0  # not due yet
            a.later(minutes=2)
            assert await sent(a) == 1
            assert await states(a) == [("done", 1, False)]
            [letter] = mailbox.letters
            assert letter["Subject"] == "Hello Bcc: eve@example.org"
            assert letter["Bcc"] is None
            assert letter.get_content().split() == ["A", "line.", ".", "Another."]
            await a.node.db.write(queue, "nobody@example.org", "x", "y")
            mailbox.refuse = "550 no such person"
            assert await sent(a) == 1
            assert await states(a) == [("done", 1, False), ("given_up", 0, False)]
        await a.node.db.write(queue, "bob@example.org", "x", "y")
        assert await sent(a) == 1  # nobody listens any more
        assert (await states(a))[-1] == ("pending", 1, True)


async def states(home: Home) -> list[tuple[str, int, bool]]:
    """State, tries, and whether the text is kept, of each mail."""
    from node.mail.tables import mails

    rows = await home.node.db.read(lambda tx: tx.rows(mails.select().order_by(mails.c.id)))
    return [(row.state, row.attempts, row.text is not None) for row in rows]
