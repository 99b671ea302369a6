"""What is found, by whom, and until when: on both databases, by the commands that the other slices call."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from federation.blocks import add_block
from federation.handlers.actors import end_actor
from federation.known_actors import TOPIC, store_actor
from federation.tables import actors, object_recipients
from node.inboxes import deleted
from node.market.commands import edit_gig, publish_gig
from node.market.rules import parse_gig
from node.search import commands, queries
from node.search.indexing import Indexer, begin
from node.search.rules import parse_query
from node.search.tables import WORDS, object_tags, search_index
from node.social import commands as social
from node.social import queries as timelines
from node.social.rules import parse_post
from schemas.actors import parse_actor
from tests.node.house import settle_in, state
from tests.node.neighbours import BO, actor, follow, know, received
from tests.node.social.test_commands import neighbour, said
from tests.node.social.test_inbox import note, take
from tests.people import GIG

MARKER = "xylophone"


@pytest.fixture
async def house(ground):
    """`(node, author)` of somebody who follows Bo, and whom Bo follows."""
    node, account = await settle_in(ground)

    def write(tx):
        bo = know(tx, actor(), acct="bo@bo.example")
        follow(tx, account.actor_id, bo)
        follow(tx, bo, account.actor_id)

    await node.db.write(write)
    yield node, await node.author(account.actor_id)
    await node.client.close()


def everybody(owner):
    return True


async def found(node, reader, text, kinds=("people", "gig", "module", "post"), allowed=everybody):
    result = await node.db.read(queries.search, parse_query(text), reader, allowed, kinds=kinds)
    assert result.total >= len(result.found) or set(kinds) != set(result.counts)
    return [one.subject for one in result.found]


async def counts(node, reader, text):
    return (await node.db.read(queries.search, parse_query(text), reader, everybody)).total


async def words_kept(node):
    return await node.db.read(lambda tx: tx.scalar(sa.text(f"SELECT count(*) FROM {WORDS}")))


async def publish(node, author, **changes):
    draft = parse_gig(GIG | changes, node.clock.now().date())
    return await node.db.write(publish_gig, author, draft)


async def test_what_is_published_is_found_at_once(house):
    node, author = house
    gig = await publish(node, author, title=f"A {MARKER} tuned")
    post = await said(node, author, f"I play the {MARKER}")
    assert await found(node, author.actor_id, MARKER) == [gig, post], "what has it in its title comes first"
    assert await found(node, author.actor_id, f"{MARKER} tuned") == [gig], "all words have to be there"
    assert await found(node, author.actor_id, f"{MARKER} trombone") == []
    assert await found(node, author.actor_id, MARKER[:5]) == [gig, post], "a beginning will do where little is found"
    assert await found(node, author.actor_id, MARKER, kinds=("post",)) == [post]


async def test_accents_case_and_scripts_do_not_matter(house):
    node, author = house
    post = await said(node, author, "Übersetzung für Ämter, 東京の翻訳者, Ковальчук")
    for text in ("ubersetzung", "ÜBERSETZUNG", "amter", "翻訳", "東京", "ковальчук", "Übersetzung  翻訳者"):
        assert await found(node, author.actor_id, text) == [post], text
    assert await found(node, author.actor_id, "京都") == []


async def test_a_change_counts_and_nothing_old_is_left(house):
    node, author = house
    gig = await publish(node, author, title=f"A {MARKER} tuned")
    draft = parse_gig(GIG | {"title": "A trombone mended"}, node.clock.now().date())
    await node.db.write(edit_gig, author, gig, draft)
    assert await found(node, author.actor_id, MARKER) == []
    assert await found(node, author.actor_id, "trombone") == [gig]
    assert await words_kept(node) == await node.db.read(
        lambda tx: tx.scalar(sa.select(sa.func.count(search_index.c.id)))
    )


async def test_what_is_taken_away_is_not_found(house):
    node, author = house
    post = await said(node, author, f"#{MARKER} for sale")
    assert await found(node, author.actor_id, MARKER) == [post]
    await node.db.write(social.delete_post, author, post)
    assert await found(node, author.actor_id, MARKER) == []
    assert await node.db.read(queries.tagged, MARKER) == []
    assert await words_kept(node) == 0


async def test_154_posts_of_others_are_found_only_if_they_want_that(house):
    node, author = house
    await take(node, received("Create", note(node, content=f"<p>My {MARKER}</p>")))
    assert await found(node, author.actor_id, MARKER) == [f"{BO}/notes/1"]
    await node.db.write(lambda tx: store_actor(tx, parse_actor(actor() | {"indexable": False}), "signed"))
    await node.db.write(commands.somebody_changed, BO)
    assert await found(node, author.actor_id, MARKER) == []
    assert await counts(node, author.actor_id, MARKER) == 0
    await take(node, received("Create", note(node, 2, content=f"<p>Another {MARKER}</p>"), number=2))
    assert await found(node, author.actor_id, MARKER) == []
    indexer = Indexer(node.db)
    await indexer.drain()
    await node.db.write(lambda tx: store_actor(tx, parse_actor(actor()), "signed"))
    assert await found(node, author.actor_id, MARKER) == []
    await indexer.drain()
    assert sorted(await found(node, author.actor_id, MARKER)) == [f"{BO}/notes/1", f"{BO}/notes/2"]


async def test_154_people_are_found_only_if_they_want_that(house):
    node, author = house
    indexer, told = Indexer(node.db), asyncio.Event()
    node.db.subscribe(TOPIC, lambda payload: told.set())
    await indexer.drain()
    assert await found(node, author.actor_id, "lindqvist") == [BO]
    await node.db.write(lambda tx: store_actor(tx, parse_actor(actor() | {"discoverable": False}), "signed"))
    async with asyncio.timeout(10):
        while await found(node, author.actor_id, "lindqvist"):  # PostgreSQL tells after the commit
            await told.wait()
            told.clear()
            await indexer.drain()


async def test_whoever_has_left_is_not_found(house):
    node, author = house
    await Indexer(node.db).drain()
    await take(node, received("Create", note(node, content=f"<p>My {MARKER}</p>")))
    await node.db.write(end_actor, BO, deleted)
    assert await found(node, author.actor_id, f"{MARKER}") == []
    assert await found(node, author.actor_id, "lindqvist") == []


async def test_128_131_what_is_not_for_everybody_is_found_by_those_whom_it_is_for(house):
    """By a word that stands nowhere else, in lists and in counts, as a neighbour on the same node."""
    node, author = house
    carol = await neighbour(node)
    await said(node, author, f"For followers: {MARKER}", "followers")
    await said(node, author, f"For Bo: {MARKER}", "direct", parse_actor(actor()))
    await said(node, author, f"In no list: {MARKER}", "unlisted")
    assert len(await found(node, author.actor_id, MARKER)) == 3
    assert await found(node, carol.actor_id, MARKER) == []
    assert await counts(node, carol.actor_id, MARKER) == 0
    direct = note(node, content=f"<p>For Carol: {MARKER}</p>", to=[carol.actor_id], cc=[])
    await take(node, received("Create", direct))
    await take(
        node, received("Create", note(node, 2, content=f"<p>{MARKER}</p>", to=[f"{BO}/followers"], cc=[]), number=2)
    )
    assert await found(node, carol.actor_id, MARKER) == [f"{BO}/notes/1"]
    assert await counts(node, carol.actor_id, MARKER) == 1
    assert f"{BO}/notes/1" not in await found(node, author.actor_id, MARKER)
    assert await counts(node, author.actor_id, MARKER) == 3


async def test_134_nobody_finds_whom_they_block_or_who_blocks_them(house):
    node, author = house
    await take(
        node,
        received("Create", note(node, content=f"<p>My #{MARKER}</p>", tag=[{"type": "Hashtag", "name": f"#{MARKER}"}])),
    )
    assert await found(node, author.actor_id, MARKER) == [f"{BO}/notes/1"]
    assert await found(node, author.actor_id, MARKER, allowed=lambda owner: owner != BO) == [], "a blocked server"
    await node.db.write(add_block, BO, author.actor_id)
    assert await found(node, author.actor_id, MARKER) == []
    assert await counts(node, author.actor_id, MARKER) == 0
    assert await node.db.read(lambda tx: queries.tagged(tx, MARKER, reader=author.actor_id)) == []


async def test_a_narrower_audience_takes_it_out_of_everything(house):
    node, author = house
    tags = [{"type": "Hashtag", "name": f"#{MARKER}"}]
    await take(node, received("Create", note(node, content=f"<p>My #{MARKER}</p>", tag=tags)))
    assert len(await node.db.read(queries.tagged, MARKER)) == 1
    changed = note(node, content=f"<p>My #{MARKER}</p>", tag=tags, to=[f"{BO}/followers"], cc=[])
    await take(node, received("Update", changed, number=2))
    assert await found(node, author.actor_id, MARKER) == []
    assert await node.db.read(queries.tagged, MARKER) == []


async def test_a_second_create_with_other_words_changes_nothing(house):  # SECURITY 46
    node, author = house
    await take(node, received("Create", note(node, content="<p>Once</p>")))
    before = await state(node.db)
    tags = [{"type": "Hashtag", "name": f"#{MARKER}"}]
    await take(node, received("Create", note(node, content=f"<p>{MARKER}</p>", tag=tags), number=2))
    assert await state(node.db) == before
    assert await found(node, author.actor_id, MARKER) == []


async def test_a_tombstone_is_found_by_nobody(house):
    node, author = house
    await take(node, received("Create", note(node, content=f"<p>My {MARKER}</p>")))
    await node.db.write(deleted, [f"{BO}/notes/1"])
    assert await found(node, author.actor_id, MARKER) == []


HOSTILE = ['"', "'", "a OR b", "NEAR(a b)", "-", "*", "a*", "terms:a", "k:post", "t:x", "a & | !", ":*", "\\", "\x00"]
HOSTILE += [
    "%_",
    "()",
    "a " * 200,
    "x" * 5_000,
    "'; DROP TABLE objects; --",
    "\ud800",
    "🙂",
    "{}",
    "^a",
    "a:*b",
    "１２３",
]


async def test_nothing_that_is_typed_is_an_operator(house):
    node, author = house
    await said(node, author, "alpha beta")
    for text in HOSTILE:
        assert await found(node, author.actor_id, text) == [], text
    assert await found(node, author.actor_id, "alpha") != []


async def test_the_index_is_the_same_when_it_is_written_anew(house):
    node, author = house
    carol = await neighbour(node)
    await publish(node, author)
    await said(node, author, f"A #{MARKER}")
    await said(node, author, "Kept close", "followers")
    await take(node, received("Create", note(node, content=f"<p>My {MARKER}</p>", to=[carol.actor_id], cc=[])))
    await Indexer(node.db).drain()
    before = await contents(node)
    await node.db.write(begin)
    assert await contents(node) == ([], [], 0)
    await Indexer(node.db).drain()
    assert await contents(node) == before
    assert len(before[0]) == 7, "three people, a gig and three posts, of which one is for Carol"


async def contents(node):
    def read(tx):
        columns = (search_index.c.subject, search_index.c.kind, search_index.c.open, search_index.c.title)
        entries = [tuple(row) for row in tx.rows(sa.select(*columns).order_by(search_index.c.subject))]
        tags = [tuple(row) for row in tx.rows(sa.select(object_tags.c.object_id, object_tags.c.tag))]
        return entries, tags

    return (*await node.db.read(read), await words_kept(node))


async def test_strangers_who_are_forgotten_are_not_found_either(house):
    node, author = house
    eve = "https://eve.example/users/eve"
    await node.db.write(lambda tx: know(tx, actor(eve, name="Eve Stranger")))
    indexer = Indexer(node.db)
    await indexer.drain()
    assert await found(node, author.actor_id, "stranger") == [eve]
    heard = asyncio.Event()
    node.db.subscribe("actors", lambda payload: heard.set())  # after the indexer, which has heard it by then
    await node.db.write(lambda tx: tx.execute(sa.delete(actors).where(actors.c.id == eve)))
    await node.db.write(lambda tx: tx.notify("actors", eve))
    await heard.wait()
    await indexer.drain()
    assert await words_kept(node) == 2


# ---- hashtags


async def test_a_followed_hashtag_brings_what_carries_it_home(house):
    node, author = house
    eve = "https://eve.example/users/eve"
    await node.db.write(lambda tx: know(tx, actor(eve), acct="eve@eve.example"))
    assert await node.db.write(commands.follow_tag, author.actor_id, "#Contract_Law") == "contract_law"
    tags = [
        {"type": "Hashtag", "name": "#Contract_law"},
        {"type": "Hashtag", "name": "no hashtag"},
        {"type": "Hashtag"},
    ]
    thing = note(node, tag=tags) | {"id": f"{eve}/notes/1", "attributedTo": eve, "cc": []}
    await take(node, received("Create", thing, by=eve))
    entries = await node.db.read(timelines.home, author.actor_id)
    assert [(entry.object_id, entry.reason) for entry in entries] == [(f"{eve}/notes/1", "tagged")]
    assert await node.db.read(queries.followed_tags, author.actor_id) == ["contract_law"]
    assert await node.db.write(commands.unfollow_tag, author.actor_id, "contract_law")
    assert await node.db.read(timelines.home, author.actor_id) == []
    assert not await node.db.write(commands.unfollow_tag, author.actor_id, "contract_law")


async def test_a_tag_page_goes_on_where_the_last_one_ended(house):
    node, author = house
    posts = [await said(node, author, f"Number {number} #{MARKER}") for number in range(5)]
    first = await node.db.read(queries.tagged, MARKER, limit=3)
    rest = await node.db.read(queries.tagged, MARKER, limit=3, before=first[-1].cursor)
    assert [one.object_id for one in first + rest] == posts[::-1]
    assert await node.db.read(queries.tagged, MARKER, before="nonsense") == first + rest


async def test_private_things_carry_no_hashtag(house):
    node, author = house
    await said(node, author, f"Only for followers #{MARKER}", "followers")
    await said(node, author, f"In no list #{MARKER}", "unlisted")
    assert await node.db.read(queries.tagged, MARKER) == []
    rows = await node.db.read(lambda tx: tx.rows(sa.select(object_tags)))
    assert rows == []
    assert await node.db.read(lambda tx: tx.rows(sa.select(object_recipients))) != []
    assert parse_post({"body": "x"}).audience == "public"
