"""Every page of the list, walked as somebody whom it is not meant for, and looked at for its headers.

The walks begin at `node_routes`, and fail for an address that they do not know: whoever adds a page says here what
others may see of it.
"""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

import pytest
import sqlalchemy as sa

from federation.authors import Author, create_local_actor
from federation.tables import actors
from node.accounts import commands as accounts
from node.accounts.tables import accounts as account_rows
from node.app import web_application
from node.credentials.commands import issue
from node.credentials.signing import Statement
from node.credentials.tables import credentials
from node.learning.commands import publish_module
from node.learning.rules import parse_module
from node.market.commands import publish_gig
from node.market.rules import parse_gig
from node.packs.commands import publish_pack
from node.profiles.commands import first_profile
from node.routes import node_routes
from node.social.commands import post
from node.social.rules import parse_post
from schemas.actors import Actor, parse_actor
from schemas.credentials import Skill
from schemas.packs import Member
from schemas.strict_json import loads_object
from tests.node.house import serving, settle_in, sign_in, state, token_in
from tests.node.neighbours import actor, follow, keys, know
from tests.people import GIG, MODULE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from node.context import Ground, Node
    from tests.visitors import Visitor

AP = {"Accept": "application/activity+json"}
NEVER = "01aaaaaaaaaaaaaaaaaaaaaaaa"

PUBLIC = {  # where anybody may look
    "/sign-in/passkey", "/sign-in/code", "/reset",
    "/metrics",
    "/static/{name:.+}", "/healthz", "/", "/setup", "/sign-in", "/sign-out", "/@{handle:[^/]+}", "/media/{name}",
    "/media/remote/{signature}/{shape}/{subject}/{url}",
    "/avatars/{seed}.svg", "/gigs", "/@{handle:[^/]+}/gigs/{name}", "/learn", "/@{handle:[^/]+}/learn/{name}", "/seen",
    "/tags/{name}", "/@{handle:[^/]+}/packs/{name}", "/@{handle:[^/]+}/feed.{form:atom|json}",
    "/gigs/feed.{form:atom|json}", "/learn/feed.{form:atom|json}", "/tags/{name}/feed.{form:atom|json}",
    "/@{handle:[^/]+}/ask", "/enquiries/{secret}", "/enquiries/confirm/{secret}",
    "/unsubscribe/{secret}", "/@{handle:[^/]+}/cv/{name}", "/@{handle:[^/]+}/resume.json",
    "/@{handle:[^/]+}/availability.ics", "/check", "/@{handle:[^/]+}/credentials/{name}",
    "/@{handle:[^/]+}/endorsements",
}  # fmt: skip
READERS_ONLY = {"/@{handle:[^/]+}/posts/{name}"}
OWNERS_ONLY = {
    "/gigs/{name}/edit": "gig",
    "/gigs/{name}/close": "gig",
    "/learn/{name}/edit": "module",
    "/learn/{name}/delete": "module",
    "/posts/{name}/delete": "post",
    "/posts/{name}/edit": "post",
    "/packs/{name}/edit": "pack",
    "/packs/{name}/delete": "pack",
    "/credentials/{name}/revoke": "credential",
    "/credentials/{name}/drop": "held",
    "/endorsements/{name}/accept": "endorsed",
}
SCRIPTED = {"/sign-in", "/settings/proof", "/settings/passkeys/new"}  # where passkeys are asked for
IN_THE_SETTINGS = {  # what a person may do there is their own; `tests/node/accounts` and `portability` try others' ids
    "/settings", "/settings/keys/change", "/settings/keys/stolen",
    "/settings/password", "/settings/reading", "/settings/sessions/end", "/settings/sessions/end-others",
    "/settings/proof", "/settings/proof/passkey", "/settings/passkeys/new", "/settings/passkeys/{name}/remove",
    "/settings/codes", "/settings/codes/begin", "/settings/codes/renew", "/settings/codes/remove", "/settings/export",
    "/settings/export/{name}", "/settings/import", "/settings/delete", "/setup/identity", "/setup/identity/try",
    "/settings/identity", "/settings/identity/try", "/settings/identity/change", "/settings/identity/claim",
}  # fmt: skip
AMONG_PEOPLE = {  # one's own relations: `tests/node/relations` and `moderation` try those of others
    "/people/requests", "/people/remove", "/people/block", "/people/mute", "/people/report", "/settings/blocks",
    "/settings/move", "/settings/move/away", "/settings/lists/{kind:follows|blocks|mutes}.csv", "/settings/lists/{id}",
    "/admin/reports",
}  # fmt: skip
IN_THE_CV = {  # of one's own profile: `tests/node/profiles/test_cv_pages.py` tries the lines of others
    "/profile/cv", "/profile/weeks", "/profile/import", "/profile/import/take",
    "/profile/{section:experience|education|portfolio}/new",
    "/profile/{section:experience|education|portfolio}/{name}/edit",
    "/profile/{section:experience|education|portfolio}/{name}/delete",
    "/profile/{section:experience|education|portfolio}/{name}/{direction:up|down}",
}  # fmt: skip
WHAT_CAME = {  # for oneself: `tests/scenarios/test_words.py` tries the conversations of others
    "/notifications", "/notifications/read", "/messages", "/messages/new", "/messages/{id}", "/messages/{id}/close",
    "/settings/notices", "/settings/notices/address", "/settings/notices/confirm/{secret}",
}  # fmt: skip
RUNS_THE_NODE = {  # for whoever runs the node; `tests/node/admin` tries them as somebody else who lives here
    "/setup/keys", "/admin", "/admin/doctor", "/admin/backup", "/admin/queue", "/admin/servers",
    "/admin/servers/{host}",
}  # fmt: skip
ONES_OWN = (
    RUNS_THE_NODE
    | IN_THE_SETTINGS
    | AMONG_PEOPLE
    | IN_THE_CV
    | WHAT_CAME
    | {
        "/profile/edit",
        "/profile/confirm",
        "/gigs/new",
        "/learn/new",
        "/posts/new",
        "/home",
        "/people",
        "/search",
        "/setup/hello",
        "/packs",
        "/packs/new",
        "/packs/visits/{id}",
        "/credentials",
        "/credentials/new",
        "/endorsements/new",
    }
)
ACTS_ON_ONES_OWN = {  # forms without a page of their own
    "/posts/{name}/pin": "post",
    "/posts/{name}/unpin": "post",
    "/credentials/{name}/take": "held",
    "/credentials/{name}/see": "held",
    "/endorsements/{name}/hide": "endorsed",
}
ACTS_ON_WHAT_ONE_READS = {"/posts/like", "/posts/unlike", "/posts/boost", "/posts/unboost", "/posts/vote"}
ACTS_ON_RELATIONS = {
    "/people/accept", "/people/reject", "/people/unblock", "/people/unmute", "/settings/move/aliases",
    "/settings/move/aliases/remove", "/settings/lists", "/admin/reports/settle",
}  # fmt: skip
ACTS_ON_TAGS = {"/tags/{name}/follow", "/tags/{name}/unfollow"}
ACTS_FOR_ONESELF = (
    ACTS_ON_WHAT_ONE_READS
    | ACTS_ON_RELATIONS
    | ACTS_ON_TAGS
    | {"/packs/bring", "/people/follow", "/people/unfollow", "/credentials/bring"}
)


@dataclass
class House:
    """A node of two people. made: what Alice published, by a name of the test's own."""

    node: Node
    alice: Author
    carol: Author
    visitor: Visitor
    made: dict[str, str]

    def path(self, pattern: str, name: str) -> str:
        """An address as somebody may ask for it: `name` where a thing is named, what never was for anything else."""
        named = pattern.replace("{handle:[^/]+}", "alice").replace("{name}", name)
        chosen = re.sub(r"\{\w+:(\w+)\|[^}]*\}", r"\1", named)  # of several words the first
        return re.sub(r"\{(?!name:)[^}]*\}", NEVER, chosen)

    def short(self, made: str) -> str:
        return self.made[made].rpartition("/")[2]

    async def be(self, who: Author | None) -> None:
        """From now on the browser is somebody's, or nobody's."""
        self.visitor.http.cookie_jar.clear()
        if who is None:
            return
        account = sa.select(account_rows.c.id).where(account_rows.c.actor_id == who.actor_id)
        secret = await self.node.db.write(lambda tx: accounts.open_session(tx, tx.scalar(account)))
        self.visitor.http.cookie_jar.update_cookies({"freehold": secret})

    async def token(self) -> str:
        return token_in((await self.visitor.get("/home")).text)


def second_person(node: Node) -> Any:
    """Carol, who lives on Alice's node."""

    def write(tx: Any) -> Author:
        author = create_local_actor(tx, node.authors, "carol", keys(), first_profile(tx, "carol", "person"))
        values = {"username": "carol", "actor_id": author.actor_id, "password": "", "created_at": tx.now}
        tx.execute(sa.insert(account_rows).values(values))
        return author

    return write


def give_each_other(tx: Any, alice: Author, carol: Author, made: dict[str, str]) -> None:
    """A credential that Alice has given, one that she was given, and an endorsement."""
    given = issue(tx, alice, author_as_actor(tx, carol), Statement("badge", "Kind", "Is kind.", "I saw it."))
    issue(tx, carol, author_as_actor(tx, alice), Statement("badge", "Kind too", "Is kind.", "I saw it."))
    made["credential"] = f"{alice.actor_id}/credentials/{given}"
    held = sa.select(credentials.c.id).where(credentials.c.owner == alice.actor_id, credentials.c.side == "held")
    made["held"] = f"{alice.actor_id}/credentials/{tx.scalar(held)}"
    said = Statement("endorsement", "Python", "Writes it well.", skill=Skill("Python"), relation="worked")
    issue(tx, carol, author_as_actor(tx, alice), said)
    endorsed = held.where(credentials.c.kind == "endorsement")
    made["endorsed"] = f"{alice.actor_id}/credentials/{tx.scalar(endorsed)}"


def author_as_actor(tx: Any, author: Author) -> Actor:
    return parse_actor(loads_object(tx.scalar(sa.select(actors.c.document).where(actors.c.id == author.actor_id))))


@asynccontextmanager
async def house_of(ground: Ground) -> AsyncIterator[House]:
    """Alice has published one thing of each kind; Carol follows nobody."""
    node, account = await settle_in(ground)
    db, alice = node.db, await node.author(account.actor_id)
    carol = await db.write(second_person(node))
    await db.write(lambda tx: follow(tx, know(tx, actor(), acct="bo@bo.example"), alice.actor_id))
    today = node.clock.now().date()
    made = {
        "gig": await db.write(publish_gig, alice, parse_gig(GIG, today)),
        "module": await db.write(publish_module, alice, parse_module(MODULE)),
        "pack": await db.write(publish_pack, alice, "Good people", "", [Member(carol.actor_id, "carol@alice.example")]),
        "post": await db.write(post, alice, parse_post({"body": "Seen by all", "audience": "public"}), None),
        "followers": await db.write(post, alice, parse_post({"body": "Kept close", "audience": "followers"}), None),
        "direct": await db.write(
            post, alice, parse_post({"body": "Kept closer", "to": "@bo@bo.example"}), parse_actor(actor())
        ),
    }
    await db.write(give_each_other, alice, carol, made)
    async with serving(web_application(node)) as visitor:
        yield House(node, alice, carol, visitor, made)
    await node.client.close()


@pytest.fixture
async def house(ground: Ground) -> AsyncIterator[House]:
    async with house_of(ground) as made:
        yield made


def test_every_address_has_its_place_in_the_walk():
    known = PUBLIC | READERS_ONLY | set(OWNERS_ONLY) | set(ACTS_ON_ONES_OWN) | ONES_OWN | ACTS_FOR_ONESELF
    assert {route.path for route in node_routes()} == known


async def test_111_126_a_post_for_some_is_for_nobody_else(house: House):
    """Whoever may not read it gets the answer that an address gets at which nothing ever was."""
    pages = ["/@alice/posts/{}", "/seen?id=" + quote(f"{house.alice.actor_id}/posts/", safe="") + "{}"]
    for who in (None, house.carol):
        await house.be(who)
        for made in ("followers", "direct"):
            for page in pages:
                for accept in ({}, AP):
                    kept = await house.visitor.get(page.format(house.short(made)), **accept)
                    never = await house.visitor.get(page.format(NEVER), **accept)
                    assert (kept.status, kept.text) == (404, never.text), (page, made)
            document = await house.visitor.get(house.made[made].removeprefix("https://alice.example"), **AP)
            assert document.status == 404
        for page in ("/", "/@alice", "/home", "/gigs", "/learn"):
            assert "Kept close" not in (await house.visitor.get(page)).text
    await house.be(house.alice)
    for made in ("followers", "direct"):
        assert "Kept close" in (await house.visitor.get(pages[0].format(house.short(made)))).text


async def test_111_what_is_not_ones_own_cannot_be_changed(house: House):
    """As a neighbour with a session and a token of her own, and as nobody: by page and by form."""
    await house.be(house.carol)
    token = await house.token()
    before = await state(house.node.db)
    forms = {
        "gig": GIG,
        "module": MODULE,
        "post": {},
        "credential": {},
        "held": {"audience": "profile"},
        "endorsed": {},
    }
    forms["pack"] = {"name": "Mine", "members": "@alice@alice.example"}
    for pattern, made in OWNERS_ONLY.items():
        path = house.path(pattern, house.short(made))
        never = house.path(pattern, NEVER)
        page, absent = await house.visitor.get(path), await house.visitor.get(never)
        assert (page.status, page.text) == (404, absent.text), path
        answer = await house.visitor.post(path, csrf=token, **forms[made])
        absent = await house.visitor.post(never, csrf=token, **forms[made])
        assert (answer.status, answer.text) == (404, absent.text), path
    for pattern, made in ACTS_ON_ONES_OWN.items():
        path = house.path(pattern, house.short(made))
        assert (await house.visitor.post(path, csrf=token, **forms[made])).status == 404
    for path in ACTS_ON_WHAT_ONE_READS - {"/posts/unlike", "/posts/unboost"}:
        for made in ("followers", "direct"):
            answer = await house.visitor.post(path, csrf=token, id=house.made[made])
            absent = await house.visitor.post(path, csrf=token, id=house.made[made] + "x")
            assert (answer.status, answer.text) == (404, absent.text), path
    assert await state(house.node.db) == before
    await house.be(None)
    before = await state(house.node.db)
    for pattern, made in OWNERS_ONLY.items():
        path = house.path(pattern, house.short(made))
        assert unquote((await house.visitor.get(path)).url) == f"{house.visitor.origin}/sign-in?next={path}"
        assert (await house.visitor.post(path, csrf=token, **forms[made])).status == 403
    for path in sorted(ONES_OWN | ACTS_FOR_ONESELF):
        there = house.path(path, NEVER)
        assert (await house.visitor.post(there, csrf=token, who=house.carol.actor_id)).status in (403, 405), path
    assert await state(house.node.db) == before


async def test_111_what_one_posts_is_ones_own_whatever_the_form_says(house: House):
    await house.be(house.carol)
    claims = {"actor": house.alice.actor_id, "owner": house.alice.actor_id, "id": house.made["gig"], "as": "alice"}
    answer = await house.visitor.post("/gigs/new", csrf=await house.token(), **GIG | claims)
    assert answer.url.startswith(f"{house.visitor.origin}/@carol/gigs/")
    assert house.short("gig") not in answer.url


async def test_113_a_right_token_from_a_wrong_place_does_nothing(house: House):
    """Not even for one's own things: with a session, the form's token and the names that are there."""
    await house.be(house.alice)
    token = await house.token()
    before = await state(house.node.db)
    elsewhere = [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": house.visitor.origin},
    ]
    tried = 0
    for route in (route for route in node_routes() if route.method == "POST"):
        name = house.short(OWNERS_ONLY.get(route.path, "post"))
        url = house.visitor.origin + house.path(route.path, name)
        data = {"csrf": token, "who": house.carol.actor_id, "body": "x", "audience": "public", "name": "Mallory"}
        for headers in elsewhere:
            async with house.visitor.http.post(url, data=data, headers=headers, allow_redirects=False) as answer:
                assert answer.status == 403, (url, headers)
                tried += 1
        async with house.visitor.http.post(url, json=data, allow_redirects=False) as answer:
            assert 400 <= answer.status < 500, url
    assert tried == 4 * sum(route.method == "POST" for route in node_routes())
    assert await state(house.node.db) == before


async def test_124_every_answer_carries_the_headers_that_keep_a_browser_safe(house: House):
    for who in (None, house.alice):
        await house.be(who)
        for route in (route for route in node_routes() if route.method == "GET"):
            name = house.short(OWNERS_ONLY.get(route.path, "gig" if "gigs" in route.path else "post"))
            path = house.path(route.path, name).replace("{name:.+}", "style.css").replace("{seed}", "alice")
            page = await house.visitor.get(path)
            policy = page.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy, path
            scripts = [rule.strip() for rule in policy.split(";") if "script-src" in rule]
            asks_for_passkeys = urlsplit(page.url).path in SCRIPTED
            assert scripts == (["script-src 'self'"] if asks_for_passkeys else []), path
            assert "unsafe" not in policy, path
            assert page.headers["X-Content-Type-Options"] == "nosniff", path
            assert page.headers["Referrer-Policy"] == "same-origin", path
            assert "frame-ancestors 'none'" in policy or "sandbox" in policy, path
            assert "aiohttp" not in page.headers.get("Server", ""), path
            assert " style=" not in page.text, path
            if page.headers["Content-Type"].startswith("text/html"):
                assert page.headers["Cache-Control"] in ("private, no-cache", "no-store"), path
                assert "Cookie" in page.headers["Vary"], path


async def test_122_nobody_is_led_to_another_site_by_signing_in(house: House):
    """Through the page that a link opens, as a browser would, for each way of writing another site."""
    for target in (
        "//evil.example",
        "/%5Cevil.example",
        "https://evil.example/@alice",
        "/%09/evil.example",
        "/.//evil",
    ):
        await house.be(None)
        page = await house.visitor.get(f"/sign-in?next={target}")
        assert 'name="next" value="/home"' in page.text, target
        answer = await sign_in(house.visitor, next=unquote(target))
        assert answer.headers["Location"] == "/home", target
        page = await house.visitor.get(f"/sign-in?next={target}")  # signed in already
        assert page.url == f"{house.visitor.origin}/home", target
