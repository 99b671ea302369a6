"""Words of a message and of a visitor's question: looked for at every address, as everybody but those concerned.

SECURITY 111, 126, 128, 131. The walk begins at the router itself: whoever adds an address is looked at too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import sqlalchemy as sa

from federation.authors import Author
from keys import requests
from node.accounts import commands as accounts
from node.accounts.tables import accounts as account_rows
from node.app import web_application
from node.messages.tables import conversations
from node.worker import mail_worker
from tests.mailbox import mail_for
from tests.nodes import Home, cluster, settled
from tests.people import Somebody
from tests.visitors import Visitor

WORDS = "harbourwallthursday"
SAID = f"The {WORDS}"
QUESTION = "questionofvera"
ACCEPTS = ({"Accept": "text/html"}, {"Accept": "application/activity+json"})


@dataclass
class Secrets:
    """Where the words stand: the post's id, the conversations of those who take part, the visitor's own link."""

    post_id: str
    talks: list[str]
    visitor: str

    @property
    def name(self) -> str:
        return self.post_id.rpartition("/")[2]

    def addresses(self, home: Home) -> Iterator[str]:
        """Every address of a node that can be read, with whatever leads to the words filled in."""
        query = (
            f"q={WORDS}&show=enquiries&id={quote(self.post_id, safe='')}&about={quote(self.post_id, safe='')}&page=true"
        )
        patterns = {resource.canonical for resource in web_application(home.node).router.resources()}
        for pattern in sorted(patterns):
            for talk in self.talks if "{id}" in pattern else ("",):
                known = {"id": talk, "secret": "0" * 32, "handle": "alice", "name": self.name}
                yield f"{filled(pattern, known)}?{query}"


def filled(pattern: str, known: dict[str, str]) -> str:
    """An address with something at each place of it."""
    return re.sub(r"\{(\w+)[^{}]*\}", lambda found: known.get(found[1], "alice"), pattern)


async def signed_in_as(somebody: Somebody, browser: Visitor) -> Visitor:
    """With a session, also of one who has no password."""
    account = sa.select(account_rows.c.id).where(account_rows.c.actor_id == somebody.id)
    secret = await somebody.home.node.db.write(lambda tx: accounts.open_session(tx, tx.scalar(account)))
    browser.http.cookie_jar.update_cookies({"freehold": secret})
    return browser


async def written(a: Home, b: Home, alice: Somebody, bob: Somebody, visitor: Visitor) -> Secrets:
    """Alice writes to Bob, and Vera, who has no account, asks Alice."""
    target = await a.node.resolver.locate(bob.handle)
    post_id = await alice.post(f"{SAID} is painted.", audience="direct", to=target)
    await settled(a, b)
    async with mail_for(a) as mailbox:
        await visitor.submit("/@alice/ask", name="Vera", address="vera@example.org", text=QUESTION)
        await mail_worker(a.node).drain()
        link = mailbox.link("/enquiries/confirm/")
        await visitor.submit(link)
    rows = [row for home in (a, b) for row in await home.rows(sa.select(conversations.c.id))]
    assert len(rows) == 3
    return Secrets(post_id, [row.id for row in rows], link.replace("/confirm", ""))


async def test_111_126_128_131_words_are_found_nowhere_else() -> None:
    """On one kind of database: what it walks is pages, and what they ask is tried on both elsewhere."""
    async with cluster("a.example", "b.example") as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        dave, carol = await a.add("dave"), await b.add("carol")
        await carol.follow(alice)
        await dave.follow(alice)
        await settled(a, b)
        async with a.visitor() as vera, a.visitor() as his, b.visitor() as hers:
            secrets = await written(a, b, alice, bob, vera)
            await signed_in_as(dave, his)
            await signed_in_as(carol, hers)
            for somebody in (alice, bob, carol, dave):
                assert await somebody.timeline() == []
            for home, browser, somebody in ((a, his, dave), (b, hers, carol)):
                await look(home, browser, secrets)
                await look(home, await signed_in_as(somebody, browser), secrets)
            await by_signature(a, carol, dave, secrets)
            await by_those_concerned(a, b, alice, bob, vera, secrets)


async def look(home: Home, browser: Visitor, secrets: Secrets) -> None:
    """At every address, for people and for servers; what was asked for may stand there, not what was said."""
    looked = 0
    for address in secrets.addresses(home):
        for accept in ACCEPTS:
            page = await browser.get(address, **accept)
            assert page.status < 500, address
            assert SAID not in page.text, address
            assert QUESTION not in page.text, address
            looked += 1
    assert looked > 200


async def by_signature(a: Home, carol: Somebody, dave: Somebody, secrets: Secrets) -> None:
    """Signed by somebody who follows its author, and by its neighbour: as if it never was."""
    for reader in (carol, dave):
        author = await reader.author()
        kept, never = await asked(a, author, secrets.post_id), await asked(a, author, f"{secrets.post_id}x")
        assert kept == never
        assert kept[0] == 404


async def asked(home: Home, author: Author, url: str) -> tuple[int, bytes]:
    headers = (("accept", "application/activity+json"),)
    request = requests.Request("GET", url, headers, None)
    signed = requests.sign(request, author.rsa_key_id, author.rsa, "rfc9421", home.clock.now())
    async with home.visitor() as browser, browser.http.get(url, headers=dict(headers) | signed) as response:
        return response.status, await response.read()


async def by_those_concerned(a: Home, b: Home, alice: Somebody, bob: Somebody, vera: Visitor, secrets: Secrets) -> None:
    """Each finds what is theirs, where it is theirs: so the walk would have found it."""
    assert (await asked(a, await bob.author(), secrets.post_id))[0] == 200
    assert QUESTION in (await vera.get(secrets.visitor)).text
    async with a.visitor() as hers, b.visitor() as his:
        await signed_in_as(alice, hers)
        await signed_in_as(bob, his)
        found = [(browser, await browser.get(f"/messages/{talk}")) for browser in (hers, his) for talk in secrets.talks]
        assert sum(SAID in page.text for _, page in found) == 2
        assert sum(QUESTION in page.text for _, page in found) == 1
        assert [page.status for _, page in found].count(404) == 3
