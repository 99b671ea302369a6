"""The pages of whoever runs the node, and that nobody else sees that there are any."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from federation import host_rules, operate
from federation.tables import deliveries, follows, peers
from keys.sealing import make_lock
from node.accounts.tables import accounts, sessions
from node.app import web_application
from node.backup import commands as backups
from node.backup import queries
from node.backup.pages import place_of
from node.routes import node_routes
from tests.node.house import serving, settle_in, state, token_in
from tests.node.neighbours import actor, follow, know
from tests.node.test_sweep import RUNS_THE_NODE, House, second_person

PHRASE = "giant dentist clarinet hollow sock moon black freckle plush"
BELOW = "https://deep.bo.example:8443/users/eve"


@pytest.fixture
def environ():
    """SQLite alone: `tests/federation/test_host_rules.py` and `test_operate.py` ask both kinds of database."""
    return {}


@pytest.fixture
async def house(ground):
    """Alice, who set it up, and Carol; Bo, and somebody on a name below his, follow Alice."""
    node, account = await settle_in(ground)
    alice = await node.author(account.actor_id)
    carol = await node.db.write(second_person(node))

    def met(tx):
        follow(tx, know(tx, actor()), alice.actor_id)
        follow(tx, alice.actor_id, know(tx, actor(BELOW)))

    await node.db.write(met)
    async with serving(web_application(node)) as visitor:
        made = House(node, alice, carol, visitor, {})
        await made.be(alice)
        yield made
    await node.client.close()


async def test_125_to_others_who_live_here_there_is_nothing(house):
    await house.be(house.carol)
    token = await house.token()
    before = await state(house.node.db)
    absent = (await house.visitor.get("/nothing/here")).text
    for route in node_routes():
        if route.path in RUNS_THE_NODE:
            path = route.path.replace("{host}", "bo.example")
            if route.method == "GET":
                page = await house.visitor.get(path)
                assert (page.status, page.text) == (404, absent), path
            else:
                form = {"host": "bo.example", "rule": "block", "sure": "yes", "act": "pause", "phrase": PHRASE}
                assert (await house.visitor.post(path, csrf=token, **form)).status == 404, path
    assert await state(house.node.db) == before
    assert "/admin" not in (await house.visitor.get("/settings")).text


async def test_a_node_from_before_there_were_roles_belongs_to_whoever_set_it_up(house):
    await house.node.db.write(lambda tx: tx.execute(sa.update(accounts).values(role=None)))
    assert (await house.visitor.get("/admin")).status == 200
    await house.be(house.carol)
    assert (await house.visitor.get("/admin")).status == 404


# ---- the phrase


async def test_the_phrase_is_shown_once_and_is_not_kept(house):
    page = await house.visitor.get("/setup/keys")
    assert page.headers["Cache-Control"] == "no-store"
    phrase = page.text.partition('name="phrase" value="')[2].partition('"')[0]
    wrong = await house.visitor.post("/setup/keys", csrf=token_in(page.text), phrase=phrase, word="kay", where="own")
    assert (wrong.status, phrase in wrong.text) == (422, True)
    assert await house.node.db.read(queries.phrase) is None
    word = phrase.split()[place_of(phrase) - 1].upper()
    done = await house.visitor.post("/setup/keys", csrf=token_in(page.text), phrase=phrase, word=word, where="folder")
    assert done.url == f"{house.visitor.origin}/setup/identity"
    known = await house.node.db.read(queries.phrase)
    assert known.nightly
    rows = await house.node.db.read(
        lambda tx: repr([tx.rows(sa.select(table)) for table in accounts.metadata.sorted_tables])
    )
    assert phrase.split()[0] not in rows or phrase not in rows
    again = await house.visitor.get("/setup/keys")
    assert "made on" in again.text
    assert 'name="phrase"' not in again.text
    assert phrase not in again.text


async def test_a_new_phrase_asks_who_one_is_first(house):
    await house.node.db.write(backups.keep_lock, make_lock(PHRASE))
    await house.node.db.write(lambda tx: tx.execute(sa.update(sessions).values(proved_at=None)))
    before = await house.node.db.read(queries.phrase)
    assert "/settings/proof" in (await house.visitor.get("/setup/keys?new=1")).url
    word = PHRASE.split()[place_of(PHRASE) - 1]
    form = {"phrase": PHRASE, "word": word, "where": "own"}
    answer = await house.visitor.post("/setup/keys", csrf=await house.token(), **form)
    assert "/settings/proof" in answer.url
    assert await house.node.db.read(queries.phrase) == before


@pytest.mark.parametrize("phrase", ["", "one two three", PHRASE.replace("moon", "sofa"), "x" * 5000])
async def test_a_phrase_that_is_none_is_refused(house, phrase):
    form = {"phrase": phrase, "word": "moon", "where": "own"}
    assert (await house.visitor.post("/setup/keys", csrf=await house.token(), **form)).status == 400
    assert await house.node.db.read(queries.phrase) is None


# ---- the overview


async def test_the_overview_teaches_before_there_is_anything(house):
    page = await house.visitor.get("/admin")
    assert page.status == 200
    for words in ("The doctor has not looked yet", "Nothing waits", "no recovery phrase yet", "Storage"):
        assert words in page.text


async def test_182_a_queue_is_seen_paused_and_tried_again(house):
    def fill(tx):
        tx.execute(sa.insert(peers).values(host="quiet.example", paused=True))
        tx.execute(sa.insert(peers).values(host="bo.example", failures=3, failing_since=tx.now, last_error="<b>no</b>"))
        tx.execute(sa.insert(deliveries).values(
            activity_id="1", sender=house.alice.actor_id, inbox="https://bo.example/inbox", host="bo.example",
            object_id="x", state="given_up", created_at=tx.now, due_at=tx.now))  # fmt: skip

    await house.node.db.write(fill)
    page = await house.visitor.get("/admin")
    assert "quiet.example" in page.text, "paused, though nothing waits for it"
    assert "&lt;b&gt;no&lt;/b&gt;" in page.text
    token = token_in(page.text)
    for host, act, paused in (("quiet.example", "resume", []), ("bo.example", "pause", ["bo.example"])):
        await house.visitor.post("/admin/queue", csrf=token, host=host, act=act)
        queue = await house.node.db.read(operate.queue)
        assert [row.host for row in queue if row.paused] == paused
    await house.visitor.post("/admin/queue", csrf=token, host="bo.example", act="retry")
    assert [row.pending for row in await house.node.db.read(operate.queue)] == [1]
    for host, act in (("bo.example", "delete"), ("other.example", "pause")):
        assert (await house.visitor.post("/admin/queue", csrf=token, host=host, act=act)).status == 404


async def test_a_backup_is_asked_for(house):
    await house.node.db.write(backups.keep_lock, make_lock(PHRASE))
    await house.visitor.submit("/admin/backup", page="/admin")
    assert (await house.node.db.read(queries.phrase)).wanted_at is not None


# ---- other servers


async def test_150_a_block_says_whom_it_parts_and_parts_them(house):
    asked = await house.visitor.submit(
        "/admin/servers", host="Bo.Example", rule="block", reason="spam", page="/admin/servers"
    )
    assert "2 follows end" in asked.text
    assert BELOW in asked.text
    assert await house.node.db.read(host_rules.rules) == []
    done = await house.visitor.post(
        "/admin/servers", csrf=token_in(asked.text), host="bo.example", rule="block", reason="spam", sure="yes"
    )
    assert done.url.endswith("/admin/servers/bo.example")
    assert BELOW in done.text
    assert await house.node.db.read(lambda tx: tx.rows(sa.select(follows))) == []
    [rule] = await house.node.db.read(host_rules.rules)
    assert (rule.host, rule.rule, rule.reason, rule.severed) == ("bo.example", "block", "spam", 2)
    await house.visitor.post("/admin/servers/bo.example", csrf=token_in(done.text))
    assert await house.node.db.read(host_rules.rules) == []
    assert BELOW in (await house.visitor.get("/admin/servers/bo.example")).text, "the list stays"


@pytest.mark.parametrize("host", ["", "alice.example", "example", "a b", "https://", "@alice@alice.example", "\x07"])
async def test_a_rule_for_ourselves_or_for_nothing_is_refused(house, host):
    page = await house.visitor.submit("/admin/servers", host=host, rule="limit", page="/admin/servers")
    assert page.status == 422
    assert "Write the name of another server" in page.text
    assert await house.node.db.read(host_rules.rules) == []
