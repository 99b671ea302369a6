"""Somebody moves with all that is theirs, and their old server dies: everything that they said can still be checked."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from federation.status_words import carried_on_at
from federation.tables import objects
from node.credentials import commands, queries
from node.credentials.checking import judge
from node.credentials.tables import status_lists
from node.credentials.working import one_round
from node.identity import opening
from node.portability.working import read_archive, write_archive
from node.relations import moving
from schemas.credentials import parse_credential
from schemas.strict_json import dumps, loads_object
from tests.nodes import Home, cluster, settled
from tests.people import Somebody
from tests.scenarios.test_credentials import BADGE, checked, give, outcomes, shelf
from tests.scenarios.test_identity import identify, known

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path


class Moved(NamedTuple):
    """Ada lived on a, and lives on b now. Cy, on c, follows her, has given her something, and was given something."""

    a: Home
    b: Home
    c: Home
    before: Somebody
    now: Somebody
    cy: Somebody
    did: str
    code: str
    report: dict[str, Any]
    more: list[Home]


@asynccontextmanager
async def moved(
    folder: Path, databases: Any = None, *, still_there: bool = False, more: Sequence[str] = ()
) -> AsyncIterator[Moved]:
    """She takes everything along, says on both sides that she is one, and sends her followers on. Then a is gone."""
    homes = {"databases": databases} if databases else {}
    async with cluster("a.example", "b.example", "c.example", *more, tls=True, **homes) as (a, b, c, *others):
        ada, cy = await a.set_up("ada"), await c.set_up("cy")
        await cy.follow(ada)
        await ada.follow(cy)
        await settled(a, c)
        did, code = await identify(ada)
        await ada.save_profile(headline="Maps of harbours")
        await ada.publish_gig(title="Harbour maps")
        await ada.publish_module()
        await settled(a, c)
        await give(ada, cy)
        await give(cy, ada)
        now, report = await arrive(ada, b, code, folder)
        await settled(a, b, c)
        for _round in range(4):  # what comes right behind a change of the same profile is put off, perhaps again
            for home in (a, b, c):
                home.later(seconds=3)
            await settled(a, b, c)
        if not still_there:
            await a.go_dark()
        yield Moved(a, b, c, ada, now, cy, did, code, report, others)


async def arrive(somebody: Somebody, there: Home, code: str, folder: Path) -> tuple[Somebody, dict[str, Any]]:
    """The whole way, as the pages lead it; returns who they are then, and the report of the archive."""
    await write_archive(somebody.home.node, somebody.id, folder / "ada.zip")
    now = await there.set_up("ada")
    found = await read_archive(there.node, now.id, folder / "ada.zip")
    await opening.try_code(there.node, await now.author(), code)
    await now.do(moving.set_aliases, [somebody.id])
    target = await somebody.home.node.resolver.actor(now.id, refresh=True)
    await somebody.do(moving.move_away, target, somebody.home.node.authors)
    return now, {part["section"]: part for part in found}


async def test_everything_that_is_theirs_is_there_and_those_who_followed_follow(databases: Any, tmp_path: Path) -> None:
    async with moved(tmp_path, databases) as (a, b, c, before, now, cy, did, _code, report, _more):
        assert {name: part["restored"] for name, part in report.items() if part["restored"]}.items() >= {
            "profile": 1, "gigs": 1, "modules": 1, "identity": 1, "status-lists": 1, "credentials": 2, "kept-lists": 1,
            "following": 1,
        }.items()  # fmt: skip
        assert {name: part["skipped"] for name, part in report.items() if "credentials" in name} == {"credentials": {}}
        assert await c.follow_state(cy.id, now.id) == "accepted"
        assert await c.follow_state(cy.id, before.id) is None
        assert await b.follow_state(now.id, cy.id) == "accepted"
        assert [await known(c, who) for who in (before, now)] == [did, did]
        kinds = [row.kind for row in await b.rows(sa.select(objects.c.kind).where(objects.c.owner == now.id))]
        assert {"gig", "module"} <= set(kinds)
        for side in ("held", "issued"):
            [there] = await a.node.db.read(queries.of_owner, before.id, side)
            [here] = await b.node.db.read(queries.of_owner, now.id, side)
            left = await a.node.db.read(queries.bytes_of, "ada", there.name, before.id)
            brought = await b.node.db.read(queries.bytes_of, "ada", here.name, now.id)
            assert left.body == brought.body
            if side == "issued":
                assert here.came_at == there.came_at.replace(microsecond=0)


async def test_a_third_server_checks_what_they_hold_and_says_that_it_is_theirs(tmp_path: Path) -> None:
    async with moved(tmp_path) as (_a, b, c, _before, now, _cy, _did, _code, _report, _more):
        await one_round(b.node)
        [one] = await shelf(now)
        assert (one.overall, one.audience) == ("holds", "profile")
        verdicts = await checked(c, f"{b.origin}{one.path}")
        assert (verdicts.overall, outcomes(verdicts)) == ("holds", ("holds",) * 4)
        assert now.id in verdicts.subject.sentence
        await c.go_dark()
        here = await checked(b, f"{b.origin}{one.path}")
        assert (here.overall, outcomes(here)) == ("holds", ("holds",) * 4), "by the list that came along, of today"


async def test_a_third_server_checks_what_they_have_given_and_they_can_still_take_it_back(tmp_path: Path) -> None:
    async with moved(tmp_path) as (a, b, c, _before, now, cy, _did, _code, _report, _more):
        [held] = await shelf(cy)
        address = f"{c.origin}{held.path}"
        await one_round(c.node)
        verdicts = await checked(c, address)
        assert (verdicts.overall, outcomes(verdicts)) == ("holds", ("holds",) * 4)
        assert "pinned from an earlier meeting" in verdicts.key.sentence
        assert f"{now.id} is the same person." in verdicts.key.sentence
        assert now.id in verdicts.revocation.sentence
        for home in (a, b, c):
            home.later(days=5)
        await one_round(b.node)  # signs its lists anew
        later = await checked(c, address)
        assert (later.overall, later.revocation.outcome) == ("holds", "holds")
        [given] = await b.node.db.read(queries.of_owner, now.id, "issued")
        await now.do(commands.revoke, given.name)
        ended = await checked(c, address)
        assert (ended.overall, outcomes(ended)) == ("fails", ("holds", "holds", "holds", "fails"))
        assert now.id in ended.revocation.sentence
        assert (await checked(b, address)).overall == "fails"
        await one_round(c.node)
        [held] = await shelf(cy)
        assert held.overall == "fails"
        await b.go_dark()
        assert (await checked(c, address)).overall == "fails", "what was once taken back stays so"


async def test_a_list_of_somebody_else_carries_nothing_on(tmp_path: Path) -> None:
    """Eve says that she carries on Ada's lists, with a mark for what Ada has given. Nobody who checks hears her."""
    async with moved(tmp_path) as (_a, b, c, _before, now, cy, _did, _code, _report, _more):
        eve = await b.add("eve")
        await read_archive(b.node, eve.id, tmp_path / "ada.zip")
        [hers] = await b.node.db.read(queries.of_owner, eve.id, "issued")
        await eve.do(commands.revoke, hers.name)
        await c.node.resolver.actor(eve.id)
        [held] = await shelf(cy)
        verdicts = await checked(c, f"{c.origin}{held.path}")
        assert (verdicts.overall, verdicts.revocation.outcome) == ("holds", "holds")
        body = (await c.node.db.read(queries.bytes_of, "cy", held.name, cy.id)).body
        lists = [loads_object(row.body) for row in await b.rows(sa.select(status_lists.c.body))]
        assert {one["issuer"]["id"] for one in lists} == {now.id, eve.id}
        both = {"type": ["VerifiablePresentation"], "verifiableCredential": [loads_object(body), *lists]}
        shown = await judge(c.node, both, dumps(both))
        assert (shown.overall, shown.revocation.outcome) == ("holds", "holds")


async def test_an_archive_that_comes_in_twice_changes_nothing_and_takes_nothing_back(tmp_path: Path) -> None:
    async with moved(tmp_path) as (_a, b, _c, _before, now, _cy, _did, _code, _report, _more):
        [given] = await b.node.db.read(queries.of_owner, now.id, "issued")
        await now.do(commands.revoke, given.name)
        state = await b.state(but=("activities",))  # what is on its way goes on
        report = {part["section"]: part for part in await read_archive(b.node, now.id, tmp_path / "ada.zip")}
        assert await b.state(but=("activities",)) == state
        for section in ("status-lists", "credentials", "kept-lists"):
            assert report[section]["restored"] == 0, section
            assert set(report[section]["skipped"]) == {"here already"}, section


async def test_while_the_old_server_answers_both_are_asked(tmp_path: Path) -> None:
    async with moved(tmp_path, still_there=True) as (a, b, c, before, now, cy, _did, _code, _report, _more):
        [held] = await shelf(cy)
        address = f"{c.origin}{held.path}"
        assert (await checked(c, address)).overall == "holds"
        [given] = await b.node.db.read(queries.of_owner, now.id, "issued")
        await now.do(commands.revoke, given.name)
        await one_round(a.node)  # knows nothing of that, and signs its list as ever
        [left] = await a.node.db.read(queries.of_owner, before.id, "issued")
        assert left.state == "issued"
        await c.node.resolver.actor(before.id, refresh=True)
        verdicts = await checked(c, address)
        assert (verdicts.overall, outcomes(verdicts)) == ("fails", ("holds", "holds", "holds", "fails"))


async def test_who_moves_again_carries_on_what_they_carried_on(tmp_path: Path) -> None:
    """From a to b to d; a and b are gone. E never met who lived on a: it says so, and whose word it is."""
    async with moved(tmp_path, more=("d.example", "e.example")) as (
        _a,
        b,
        c,
        before,
        now,
        cy,
        did,
        code,
        _report,
        more,
    ):
        d, e = more
        last, report = await arrive(now, d, code, tmp_path)
        await settled(b, c, d)
        await b.go_dark()
        assert report["credentials"] == {"section": "credentials", "restored": 2, "skipped": {}}
        [held] = await shelf(cy)
        address = f"{c.origin}{held.path}"
        verdicts = await checked(c, address)
        assert (verdicts.overall, outcomes(verdicts)) == ("holds", ("holds",) * 4)
        assert last.id in verdicts.revocation.sentence
        await e.set_up("eli")
        await e.node.resolver.actor(last.id)
        assert await known(e, last) == did
        never = await checked(e, address)
        assert outcomes(never) == ("holds", "unknown", "holds", "holds")
        assert f"an identity as its issuer's, which {last.id} has claimed" in never.key.sentence
        [given] = await d.node.db.read(queries.of_owner, last.id, "issued")
        await last.do(commands.revoke, given.name)
        for home in (c, e):
            assert (await checked(home, address)).overall == "fails"
        assert before.id == given.credential.issuer_id


async def test_the_list_that_carries_on_is_found_by_the_one_before_it(tmp_path: Path) -> None:
    async with moved(tmp_path) as (_a, b, _c, before, now, cy, _did, _code, _report, _more):
        person = await b.node.resolver.locate(cy.handle)
        await now.do(commands.issue, person, BADGE._replace(name="Another"))
        async with b.visitor() as stranger:
            url = carried_on_at(now.id, f"{before.id}/status/1")
            answer = await stranger.get(url, Accept="application/vc")
            found = parse_credential(loads_object(answer.text.encode()))
            assert (answer.status, found.issuer_id, found.list_formerly) == (200, now.id, f"{before.id}/status/1")
            assert (await stranger.get(found.id or "")).text == answer.text
            others = ("", "?formerly=", f"?formerly={before.id}/status/2", "?formerly=" + "x" * 5_000)
            for other in others:
                assert (await stranger.get(f"{now.id}/status{other}")).status == 404, other
            assert (await stranger.get(f"{b.origin}/users/nobody/status?formerly=x")).status == 404
        [new] = [one for one in await b.node.db.read(queries.of_owner, now.id, "issued") if one.title == "Another"]
        assert new.credential.status
        assert new.credential.status.list_url != found.id, "nothing new is entered in a list that is carried on"
        [old] = [one for one in await b.node.db.read(queries.of_owner, now.id, "issued") if one.title != "Another"]
        async with b.visitor() as stranger:
            shown = loads_object((await stranger.get(f"{old.path}?as=presentation")).text.encode())
        assert [one["id"] for one in shown["verifiableCredential"]] == [old.credential.id, found.id]
