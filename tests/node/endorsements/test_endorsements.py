"""What people who share a node do, what strangers try, and what the page says of a crowd that nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from federation import outbox
from federation.blocks import add_block
from federation.ids import new_id
from keys.identity import new_identity, write_statement
from node.app import web_application
from node.credentials import commands as credentials
from node.credentials import holding, queries
from node.credentials.signing import Statement
from node.endorsements import commands, giving
from node.endorsements.queries import Endorsed, endorsed
from node.endorsements.rules import EndorseDraft, Relation
from node.errors import Invalid, NotFound
from node.profiles.commands import save_profile
from node.profiles.queries import person
from node.profiles.rules import form_of, parse_profile
from node.profiles.sources import own_person
from node.relations.commands import block
from schemas.credential_drafts import EndorsementDraft, Issuer, write_endorsement
from schemas.credentials import Skill, parse_credential
from schemas.identities import with_identity
from schemas.strict_json import dumps, loads_object
from tests.node.house import serving, settle_in, sign_in, state
from tests.node.neighbours import actor, follow, know
from tests.node.test_sweep import author_as_actor, second_person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from federation.authors import Author
    from federation.storage import Tx
    from keys.identity import IdentityKey
    from node.context import Ground, Node
    from tests.visitors import Visitor


class Place:
    """Alice is signed in, and says that she knows Python; Carol lives there too."""

    def __init__(self, node: Node, alice: Author, carol: Author, visitor: Visitor) -> None:
        self.node, self.alice, self.carol, self.visitor = node, alice, carol, visitor

    async def endorse(self, relation: Relation = "worked", skill: str = "python") -> str:
        """Carol speaks for Alice; returns the name of what she gave."""
        draft = EndorseDraft("", skill, relation, "Reads other people’s code with care.")
        return await self.node.db.write(
            lambda tx: commands.endorse(tx, self.carol, author_as_actor(tx, self.alice), draft)
        )

    async def offered(self) -> list[str]:
        held = await self.node.db.read(queries.of_owner, self.alice.actor_id, "held")
        return [one.name for one in held if one.state == "offered"]

    async def shown(self, reader: str | None = None) -> list[Endorsed]:
        return await self.node.db.read(lambda tx: endorsed(tx, person(tx, self.alice.actor_id), reader))

    async def listed(self) -> list[str]:
        """What Alice's document tells others."""
        return list((await self.node.db.read(author_as_actor, self.alice)).credentials)

    async def accepted(self, relation: Relation = "worked") -> str:
        """Carol has spoken for Alice, who shows it; returns its name there."""
        await self.endorse(relation)
        [name] = await self.offered()
        await giving.accept(self.node, self.alice.actor_id, name)
        return name


def knows_python(tx: Tx, author: Author) -> None:
    own = own_person(tx, author.actor_id)
    save_profile(tx, author, parse_profile(form_of(own, tx.now.date()) | {"skills": "Python, Welding"}, tx.now.date()))


@pytest.fixture
async def place(ground: Ground) -> AsyncIterator[Place]:
    node, account = await settle_in(ground)
    alice = await node.author(account.actor_id)
    carol = await node.db.write(second_person(node))
    await node.db.write(knows_python, alice)
    async with serving(web_application(node)) as visitor:
        await sign_in(visitor)
        yield Place(node, alice, carol, visitor)
    await node.close()


async def test_given_accepted_hidden_and_taken_back(place: Place) -> None:
    visitor = place.visitor
    assert "Nobody has endorsed a skill of yours yet" in (await visitor.get("/@alice/endorsements")).text
    given = await place.endorse()
    [name] = await place.offered()
    assert (await place.shown(), await place.listed()) == ([], [])
    question = await visitor.get(f"/endorsements/{name}/accept")
    assert "They say that you have worked together. Who accepts it says so too." in question.text
    shown = await visitor.submit(f"/endorsements/{name}/accept")
    assert "Both say that they have worked together." in shown.text
    assert "Lives on this server since" in shown.text
    assert await place.listed() == [f"https://alice.example/@alice/credentials/{name}"]
    assert "endorsed by somebody known here" in (await visitor.get("/@alice")).text
    hidden = await visitor.submit(f"/endorsements/{name}/hide", page="/@alice/endorsements")
    assert "Nobody has endorsed a skill of yours yet" in hidden.text
    assert (await place.shown(), await place.listed()) == ([], [])
    await visitor.submit(f"/credentials/{name}/see", page=f"/@alice/credentials/{name}", audience="profile")
    assert len(await place.shown()) == 1
    await place.node.db.write(credentials.revoke, place.carol, given)
    await visitor.submit(f"/endorsements/{name}/accept", page=f"/endorsements/{name}/accept")
    assert (await place.shown(), await place.listed()) == ([], [])


async def test_the_form_of_the_page_and_what_it_refuses(place: Place) -> None:
    visitor, db = place.visitor, place.node.db
    await db.write(knows_python, place.carol)
    page = await visitor.get("/endorsements/new?to=@carol&skill=welding")
    assert '<option value="Welding" selected>' in page.text
    before = await state(db)
    form = {"to": "@carol@alice.example", "skill": "Python", "relation": "none"}
    for changed, words in (
        ({"to": "@alice@alice.example"}, commands.ONESELF),
        ({"skill": "Diplomacy"}, commands.NOT_THEIRS),
        ({"relation": "followed"}, commands.NOT_FOLLOWING),
        ({"relation": "married"}, "Say how you know each other"),
    ):
        refused = await visitor.submit("/endorsements/new", **form | changed)
        assert (refused.status, str(words) in refused.text) == (422, True), changed
    assert await state(db) == before
    given = await visitor.submit("/endorsements/new", **form)
    assert (given.status, "is good at this:" in given.text) == (200, True)
    again = await visitor.submit("/endorsements/new", **form)
    assert (again.status, str(commands.TWICE) in again.text) == (422, True)


async def test_what_is_known_of_an_endorser_is_said_in_the_readers_language(place: Place) -> None:
    await place.accepted()
    german = (await place.visitor.get("/@alice/endorsements", **{"Accept-Language": "de"})).text
    assert "Beide sagen, dass sie zusammengearbeitet haben." in german
    assert "Lebt seit dem" in german
    assert "Ihr Schlüssel wurde geprüft." in german


async def test_declined_is_gone(place: Place) -> None:
    await place.endorse()
    [name] = await place.offered()
    await place.visitor.submit(f"/credentials/{name}/drop")
    assert (await place.offered(), await place.shown()) == ([], [])


async def test_what_is_taken_back_before_it_was_accepted_is_offered_no_more(place: Place) -> None:
    given = await place.endorse()
    assert len(await place.offered()) == 1
    await place.node.db.write(credentials.revoke, place.carol, given)
    assert await place.offered() == []
    assert "endorses a skill of yours" not in (await place.visitor.get("/notifications")).text


async def test_who_is_blocked_endorses_nobody_and_stands_on_no_profile(place: Place) -> None:
    name = await place.accepted()
    assert len(await place.listed()) == 1
    await place.node.db.write(block, place.alice, place.carol.actor_id)
    assert await place.shown() == []
    assert await place.listed() == []
    with pytest.raises(Invalid) as refused:
        await place.endorse(skill="Welding")
    assert refused.value.errors == {"to": commands.BLOCKED}
    with pytest.raises(NotFound):
        await giving.accept(place.node, place.alice.actor_id, name)


async def test_a_relation_that_is_not_so_is_shown_as_what_somebody_says(place: Place) -> None:
    """By a server that does not ask itself whether it is so."""
    said = Statement("endorsement", "Python", "Well.", skill=Skill("Python"), relation="followed")
    await place.node.db.write(lambda tx: credentials.issue(tx, place.carol, author_as_actor(tx, place.alice), said))
    [name] = await place.offered()
    question = await place.visitor.get(f"/endorsements/{name}/accept")
    assert "As far as this server knows, you do not." in question.text
    await giving.accept(place.node, place.alice.actor_id, name)
    [skill] = await place.shown()
    assert skill.all[0].how == "It says that they follow each other. As far as this server knows, they do not."
    for one, other in ((place.alice, place.carol), (place.carol, place.alice)):
        await place.node.db.write(lambda tx, a=one, b=other: follow(tx, a.actor_id, b.actor_id))
    [skill] = await place.shown()
    assert skill.all[0].how == "They follow each other."


async def test_what_is_no_endorsement_is_not_accepted_as_one(place: Place) -> None:
    badge = Statement("badge", "Python", "Well.", "I saw it.")
    await place.node.db.write(lambda tx: credentials.issue(tx, place.carol, author_as_actor(tx, place.alice), badge))
    [name] = await place.offered()
    before = await state(place.node.db)
    for wrong in (name, "01aaaaaaaaaaaaaaaaaaaaaaaa"):
        with pytest.raises(NotFound):
            await giving.accept(place.node, place.alice.actor_id, wrong)
    assert await state(place.node.db) == before


def unsigned(issuer: str, name: str, subject: str, serial: int = 0) -> bytes:
    """An endorsement as its page shows it; what its proofs are worth, other tests say."""
    return dumps(
        write_endorsement(
            EndorsementDraft(
                id=f"{issuer}/credentials/{serial}",
                issuer=Issuer(issuer, name, "z6Mk"),
                subject=subject,
                name="Python",
                comment="Great!",
                valid_from="2026-11-01T00:00:00Z",
                skill=Skill("Python"),
                relation="worked",
            )
        )
    )


def held(tx: Tx, holder: str, body: bytes) -> None:
    name = holding.keep(tx, new_id(tx.now), "held", holder, parse_credential(loads_object(body)), body)
    holding.let_see(tx, holder, name, "profile")


async def test_a_hundred_puppets_look_like_a_hundred_whom_nobody_knows(place: Place) -> None:
    """And the one of them whom somebody here follows stands before them all, with a name."""
    alice, db = place.alice.actor_id, place.node.db

    def crowd(tx: Tx) -> None:
        for number in range(100):
            puppet = f"https://puppets.example/users/p{number}"
            know(tx, actor(puppet, name=f"Puppet {number}"), acct=f"p{number}@puppets.example")
            follow(tx, alice, puppet)  # whom they endorse follows them all, which says nothing
            held(tx, alice, unsigned(puppet, f"Puppet {number}", alice))

    await db.write(crowd)
    [skill] = await place.shown()
    assert (len(skill.all), len(skill.known), skill.strangers) == (100, 0, 100)
    profile = (await place.visitor.get("/@alice")).text
    assert "100 whom nobody here knows" not in profile  # Alice follows them, and sees that she does
    place.visitor.http.cookie_jar.clear()
    profile = (await place.visitor.get("/@alice")).text
    assert "100 whom nobody here knows" in profile
    assert "endorsed by somebody known here" not in profile
    everyone = (await place.visitor.get("/@alice/endorsements?skill=python")).text
    assert everyone.count("Nobody else here follows them.") == 100
    await db.write(lambda tx: follow(tx, place.carol.actor_id, "https://puppets.example/users/p7"))
    [skill] = await place.shown()
    assert ([one.name for one in skill.known], skill.strangers) == (["Puppet 7"], 99)
    assert skill.all[0].name == "Puppet 7"


async def test_of_one_person_one_counts_and_of_oneself_none(place: Place) -> None:
    alice, db = place.alice.actor_id, place.node.db
    bo = await db.write(lambda tx: know(tx, actor(), acct="bo@bo.example"))
    for serial in range(3):
        await db.write(held, alice, unsigned(bo, "Bo", alice, serial))
    await db.write(held, alice, unsigned(alice, "Alice", alice))
    [skill] = await place.shown()
    assert [one.view.credential.issuer_id for one in skill.all] == [bo]


async def test_of_two_accounts_of_one_person_one_counts_and_of_ones_own_other_account_none(place: Place) -> None:
    """As far as their identity keys say who they are."""
    alice, db = place.alice.actor_id, place.node.db
    ada, own = new_identity()[0], new_identity()[0]
    for number, key in enumerate((ada, ada, own)):
        puppet = f"https://puppets.example/users/p{number}"
        await db.write(lambda tx, a=puppet, k=key: know(tx, claiming(actor(a), k, tx.now)))
        await db.write(held, alice, unsigned(puppet, f"Puppet {number}", alice))
    [skill] = await place.shown()
    assert len(skill.all) == 2
    await db.write(claim, place.alice, own)
    [skill] = await place.shown()
    assert len(skill.all) == 1
    await db.write(claim, place.carol, own)
    with pytest.raises(Invalid) as refused:
        await place.endorse()
    assert refused.value.errors == {"to": commands.ONESELF}


def claim(tx: Tx, author: Author, key: IdentityKey) -> None:
    held = author_as_actor(tx, author).document
    outbox.update_actor(tx, author, with_identity(held, [write_statement(key, author.actor_id, tx.now)], []))


def claiming(document: dict[str, Any], key: IdentityKey, now: datetime) -> dict[str, Any]:
    return with_identity(document, [write_statement(key, document["id"], now)], [])


async def test_whoever_looks_does_not_see_those_whom_they_block(place: Place) -> None:
    alice, db = place.alice.actor_id, place.node.db
    bo = await db.write(lambda tx: know(tx, actor(), acct="bo@bo.example"))
    await db.write(held, alice, unsigned(bo, "Bo", alice))
    await db.write(lambda tx: add_block(tx, place.carol.actor_id, bo))
    assert await place.shown(place.carol.actor_id) == []
    assert len(await place.shown()) == 1


def brought(tx: Tx, sender: str, body: bytes, reader: str, **more: Any) -> None:
    link = {"type": "Link", "href": "https://x.example/1", "mediaType": "application/vc", "name": "x"}
    note = {"type": "Note", "id": f"{sender}/posts/1", "credential": body.decode(), "attachment": [link]}
    holding.arrived(tx, sender, note | more, [reader])


async def test_in_the_name_of_somebody_else_or_by_oneself_nothing_is_offered(place: Place) -> None:
    alice, db = place.alice.actor_id, place.node.db
    bo = await db.write(lambda tx: know(tx, actor(), acct="bo@bo.example"))
    before = await state(db)
    await db.write(brought, "https://evil.example/users/eve", unsigned(bo, "Bo", alice), alice)
    await db.write(brought, alice, unsigned(alice, "Alice", alice), alice)
    assert await state(db) == before
    await db.write(brought, bo, unsigned(bo, "Bo", alice), alice)
    [name] = await place.offered()
    with pytest.raises(Invalid) as refused:  # what nobody signed is not shown
        await giving.accept(place.node, alice, name)
    assert refused.value.errors == {"file": commands.BROKEN}
    assert (await place.shown(), await place.listed()) == ([], [])
