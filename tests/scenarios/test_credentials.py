"""What somebody says of somebody on one server, held on another, and checked on a third."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from federation.authors import make_keys
from federation.verdicts import Verdicts
from keys.proofs import add_proof
from node.credentials import commands, holding, queries
from node.credentials.checking import bytes_at, judge
from node.credentials.giving import give_to_all
from node.credentials.lists import sign_anew
from node.credentials.queries import View
from node.credentials.renewing import rotate
from node.credentials.signing import Statement
from node.credentials.working import one_round
from node.errors import Invalid
from node.identity import opening
from node.portability.working import read_archive, write_archive
from schemas.strict_json import dumps, loads_object
from tests.nodes import Home, cluster, settled
from tests.people import Somebody
from tests.processes import Place
from tests.scenarios.test_identity import identify
from tests.scenarios.test_new_keys import replace_node

BADGE = Statement("badge", "Accessible front end", "Builds pages that everybody can use.", "Three pieces of work.")


async def give(issuer: Somebody, holder: Somebody, statement: Statement = BADGE) -> str:
    """Returns the address at which the holder shows it, to whoever has that."""
    person = await issuer.home.node.resolver.locate(holder.handle)
    name = await issuer.do(commands.issue, person, statement)
    await settled(issuer.home, holder.home)
    [one] = await shelf(holder)
    assert one.state == "offered"
    await holder.home.node.db.write(commands.take, holder.id, one.name)
    await holder.home.node.db.write(commands.let_see, holder.id, one.name, "profile")
    await one_round(holder.home.node)
    return name


async def shelf(holder: Somebody) -> list[View]:
    return list(await holder.home.node.db.read(queries.of_owner, holder.id, "held"))


async def checked(home: Home, url: str) -> Verdicts:
    """What somebody is told on a server who brings an address there."""
    body = await bytes_at(home.node, url)
    return await judge(home.node, loads_object(body), body)


def outcomes(verdicts: Any) -> tuple[str, ...]:
    return (verdicts.signature.outcome, verdicts.key.outcome, verdicts.dates.outcome, verdicts.revocation.outcome)


async def test_given_on_one_server_held_on_another_checked_on_a_third_and_taken_back(databases: Any) -> None:
    async with cluster("a.example", "b.example", "c.example", tls=True, databases=databases) as (a, b, c):
        ada, bo, _cy = await a.set_up("ada"), await b.set_up("bo"), await c.set_up("cy")
        name = await give(ada, bo)
        [one] = await shelf(bo)
        address = f"{b.origin}{one.path}"
        assert one.found
        assert one.found.overall == "holds"
        verdicts = await checked(c, address)
        assert (verdicts.overall, outcomes(verdicts)) == ("holds", ("holds",) * 4), verdicts
        async with c.visitor() as stranger:
            page = await stranger.submit("/check", url=address)
            assert page.status == 200
            assert "Valid: Ada said this, and has not taken it back." in page.text
        async with b.visitor() as stranger:
            assert "Accessible front end" in (await stranger.get(one.path)).text
        await ada.do(commands.revoke, name)
        verdicts = await checked(c, address)
        assert (verdicts.overall, outcomes(verdicts)) == ("fails", ("holds", "holds", "holds", "fails"))
        b.later(hours=13)
        await one_round(b.node)
        [one] = await shelf(bo)
        assert one.found
        assert one.found.overall == "fails"
        async with b.visitor() as browser:
            await bo.sign_in(browser)
            news = (await browser.get("/notifications")).text
        assert "Ada gave you a credential: Accessible front end" in news
        assert "A credential that you hold is no longer in force: Accessible front end" in news


async def test_an_issuer_that_is_dead_speaks_through_what_was_kept(databases: Any) -> None:
    """Whoever met it knows the key; whoever did not sees that nothing was changed; the list says how it stood."""
    async with cluster("a.example", "b.example", "c.example", "d.example", tls=True, databases=databases) as homes:
        a, b, c, d = homes
        ada, bo, _cy, _dan = [
            await home.set_up(name) for home, name in zip(homes, ("ada", "bo", "cy", "dan"), strict=True)
        ]
        await give(ada, bo)
        [one] = await shelf(bo)
        address = f"{b.origin}{one.path}"
        await c.node.resolver.actor(ada.id)  # has met the issuer; d has not
        await a.go_dark()
        met = await checked(c, address)
        assert outcomes(met) == ("holds", "holds", "holds", "holds")  # the list came along, and is of today
        assert "pinned from an earlier meeting" in met.key.sentence
        never = await checked(d, address)
        assert outcomes(never) == ("holds", "unknown", "holds", "holds")
        assert "written into it when it was signed" in never.key.sentence
        for home in (b, c, d):
            home.later(days=40)
        late = await checked(c, address)
        assert (late.overall, outcomes(late)) == ("unknown", ("holds", "holds", "holds", "unknown"))
        assert late.force.sentence.startswith("Not taken back as of 20")
        await one_round(b.node)
        [one] = await shelf(bo)
        assert one.found
        assert one.found.overall == "unknown"
        async with b.visitor() as stranger:
            page = await stranger.get("/@bo")
            assert "Could not check today" in page.text
            assert "Not taken back as of" in page.text


async def test_what_was_revoked_stays_so_when_the_issuer_is_gone() -> None:
    async with cluster("a.example", "b.example", "c.example", tls=True) as (a, b, c):
        ada, bo, _cy = await a.set_up("ada"), await b.set_up("bo"), await c.set_up("cy")
        name = await give(ada, bo)
        [one] = await shelf(bo)
        await ada.do(commands.revoke, name)
        b.later(hours=13)
        await one_round(b.node)
        await a.go_dark()
        verdicts = await checked(c, f"{b.origin}{one.path}")
        assert verdicts.overall == "fails"
        assert verdicts.revocation.outcome == "fails"


async def test_183_184_the_keys_of_an_issuer_change(databases: Any) -> None:
    """As planned: everything stands. Then somebody else has the name of its server: only what was known counts."""
    async with cluster("a.example", "b.example", "c.example", "d.example", tls=True, databases=databases) as homes:
        a, b, c, d = homes
        ada, bo, _cy, _dan = [
            await home.set_up(name) for home, name in zip(homes, ("ada", "bo", "cy", "dan"), strict=True)
        ]
        await give(ada, bo)
        [one] = await shelf(bo)
        address = f"{b.origin}{one.path}"
        await c.node.resolver.actor(ada.id)
        keys = await asyncio.to_thread(make_keys)
        await a.node.db.write(rotate, a.node.authors, await ada.author(), keys)
        for home in (b, c):
            planned = await checked(home, address)
            assert (planned.overall, outcomes(planned)) == ("holds", ("holds",) * 4), planned
        await replace_node(a, "ada")
        await a.node.db.write(sign_anew, await ada.author())
        theirs = await checked(c, address)
        assert outcomes(theirs) == ("holds", "holds", "holds", "holds")  # by the list that b has kept, of today
        assert "that was pinned; it is no longer listed" in theirs.key.sentence
        assert "not signed with a key that is known to be the issuer's" in theirs.revocation.sentence
        stranger = await checked(d, address)  # has never met the one who was there before
        assert (stranger.signature.outcome, stranger.key.outcome) == ("holds", "fails")
        forged = await give_again(ada, b, bo)
        assert (forged.signature.outcome, forged.key.outcome) == ("holds", "unknown")


async def give_again(issuer: Somebody, home: Home, holder: Somebody) -> Verdicts:
    """One more credential by whoever has the name of the server now, as a server sees it."""
    person = await issuer.home.node.resolver.locate(holder.handle)
    name = await issuer.do(commands.issue, person, BADGE)
    return await checked(home, f"{issuer.id}/credentials/{name}")


async def test_the_list_of_a_server_that_sleeps_says_nothing_of_today() -> None:
    async with cluster("a.example", "b.example", "c.example", tls=True) as (a, b, c):
        ada, bo, _cy = await a.set_up("ada"), await b.set_up("bo"), await c.set_up("cy")
        await give(ada, bo)
        [one] = await shelf(bo)
        for home in (a, b, c):
            home.later(days=5)
        verdicts = await checked(c, f"{b.origin}{one.path}")
        assert verdicts.revocation.outcome == "unknown"
        assert "has not been renewed since" in verdicts.revocation.sentence
        await one_round(a.node)
        assert (await checked(c, f"{b.origin}{one.path}")).revocation.outcome == "holds"


async def test_a_credential_is_about_whoever_has_the_identity_and_about_nobody_else() -> None:
    async with cluster("a.example", "b.example", "c.example", tls=True) as (a, b, c):
        ada, bo, cy = await a.set_up("ada"), await b.set_up("bo"), await c.set_up("cy")
        did, _code = await identify(bo)
        await give(ada, bo)
        [one] = await shelf(bo)
        assert one.credential.subject_id == did
        verdicts = await checked(c, f"{b.origin}{one.path}")
        assert verdicts.overall == "holds"
        assert verdicts.subject.outcome == "holds"
        assert bo.id in verdicts.subject.sentence
        body = await bytes_at(c.node, f"{b.origin}{one.path}")
        before = await c.state()
        with pytest.raises(Invalid) as refused:
            await c.node.db.write(commands.hold, cy.id, body)
        assert refused.value.errors == {"file": holding.NOT_YOURS}
        assert await c.state() == before
        stolen = loads_object(body) | {"holder": cy.id}
        verdicts = await judge(c.node, stolen, dumps(stolen))
        assert (verdicts.overall, verdicts.subject.outcome) == ("fails", "fails")


async def test_who_asks_for_a_credential_that_is_kept_close_finds_nothing(databases: Any) -> None:
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        ada, bo = await a.set_up("ada"), await b.set_up("bo")
        await give(ada, bo)
        [one] = await shelf(bo)
        await b.node.db.write(commands.let_see, bo.id, one.name, "nobody")
        async with b.visitor() as stranger:
            for accept in ("text/html", "application/vc", "application/vp"):
                kept = await stranger.get(one.path, Accept=accept)
                never = await stranger.get(one.path[:-4] + "aaaa", Accept=accept)
                assert (kept.status, kept.text) == (404, never.text)
            assert "Accessible front end" not in (await stranger.get("/@bo")).text
            await b.node.db.write(commands.let_see, bo.id, one.name, "address")
            assert (await stranger.get(one.path)).status == 200
            assert "Accessible front end" not in (await stranger.get("/@bo")).text


async def stolen(issuer: Somebody) -> None:
    """The keys of somebody were in other hands since an hour ago, by the way of the settings."""
    node, keys = issuer.home.node, await asyncio.to_thread(make_keys)
    since = node.clock.now() - timedelta(hours=1)
    await node.db.write(rotate, node.authors, await issuer.author(), keys, compromised=since)


async def test_184_what_a_stolen_key_had_signed_is_signed_anew() -> None:
    async with cluster("a.example", "b.example", "c.example", tls=True) as (a, b, c):
        ada, bo, _cy = await a.set_up("ada"), await b.set_up("bo"), await c.set_up("cy")
        for home in (a, b, c):
            home.later(days=-2)
        await give(ada, bo)
        [one] = await shelf(bo)
        address, former = f"{b.origin}{one.path}", await ada.author()
        for home in (a, b, c):
            home.later(days=2)
        await stolen(ada)
        unsure = await checked(c, address)
        assert (unsure.signature.outcome, unsure.key.outcome) == ("holds", "unknown")
        assert "whoever has the key can write any date" in unsure.key.sentence
        await one_round(a.node)  # which signs it anew
        anew = await checked(c, address)
        assert (anew.overall, anew.key.outcome) == ("holds", "holds"), anew
        assert "has signed the same words anew" in anew.key.sentence
        b.later(hours=1)
        await one_round(b.node)
        after = await checked(c, address)  # b holds what was signed anew
        assert "checked at its origin just now" in after.key.sentence
        forged = loads_object(await bytes_at(c.node, address))["verifiableCredential"][0]
        forged["credentialSubject"]["achievement"]["name"] = "Whatever the thief likes"
        theirs = add_proof(forged, former.ed25519, former.ed25519_key_id, c.clock.now() - timedelta(days=2))
        verdicts = await judge(c.node, theirs, dumps(theirs))
        assert (verdicts.overall, verdicts.signature.outcome, verdicts.key.outcome) == ("unknown", "holds", "unknown")


async def test_what_was_signed_for_wallets_alone_is_checked_in_a_process_of_its_own() -> None:
    """Without a proof by JCS the other is tried; a document that would take for ever is given up."""
    async with cluster("a.example", "b.example", "c.example", tls=True) as (a, b, c):
        ada, bo, _cy = await a.set_up("ada"), await b.set_up("bo"), await c.set_up("cy")
        await give(ada, bo)
        [one] = await shelf(bo)
        whole = loads_object(await bytes_at(c.node, f"{b.origin}{one.path}"))["verifiableCredential"][0]
        alone = whole | {"proof": whole["proof"][1]}
        verdicts: Any = await judge(c.node, alone, dumps(alone))
        assert (verdicts.overall, verdicts.suite) == ("holds", "eddsa-rdfc-2022"), verdicts
        changed = alone | {"name": "Something else"}
        assert (await judge(c.node, changed, dumps(changed))).signature.outcome == "fails"
        knots = [{"id": f"_:n{one}", "type": "Evidence", "narrative": "x"} for one in range(40)]
        poisoned = alone | {"evidence": knots}
        assert (await judge(c.node, poisoned, dumps(poisoned))).signature.outcome != "holds"


async def test_the_command_line_says_what_the_page_says(tmp_path: Path) -> None:
    nowhere = Place(tmp_path / "no-node", "127.0.0.7", 1)
    async with cluster("a.example", "b.example") as (a, b):
        ada, bo = await a.set_up("ada"), await b.set_up("bo")
        name = await give(ada, bo)
        [one] = await shelf(bo)
        address = f"{b.origin}{one.path}"
        done = await nowhere.run("verify", address)
        assert done.code == 0, done
        assert "It has not been taken back" in done.out
        body = await bytes_at(a.node, f"{ada.id}/credentials/{name}")
        (tmp_path / "file.json").write_bytes(body)
        held = await a.node.db.read(queries.bytes_of, "ada", name, ada.id)
        assert held.body == body
        await ada.do(commands.revoke, name)
        revoked = await nowhere.run("verify", str(tmp_path / "file.json"), "--json")
        assert revoked.code == 1
        found = json.loads(revoked.out)
        assert (found["overall"], found["revocation"]["outcome"]) == ("fails", "fails")
        await a.go_dark()
        gone = await nowhere.run("verify", str(tmp_path / "file.json"))
        assert gone.code == 2
        assert "It is the key that was written into it" in gone.out


async def test_somebody_moves_their_server_dies_and_a_third_still_says_that_it_is_about_them(tmp_path: Path) -> None:
    """Ada's credential for Bo, who leaves b for d; then b is gone, and c checks what d shows."""
    async with cluster("a.example", "b.example", "c.example", "d.example", tls=True) as (a, b, c, d):
        ada, bo, _cy = await a.set_up("ada"), await b.set_up("bo"), await c.set_up("cy")
        did, code = await identify(bo)
        await give(ada, bo)
        [there] = await shelf(bo)
        archive = tmp_path / "bo.zip"
        await write_archive(b.node, bo.id, archive)
        moved = await d.set_up("bo")
        await read_archive(d.node, moved.id, archive)
        await b.go_dark()
        await opening.try_code(d.node, await moved.author(), code)
        await one_round(d.node)
        [here] = await shelf(moved)
        assert (here.state, here.audience, here.overall) == ("held", "profile", "holds")
        assert here.credential.subject_id == did
        before = await b.node.db.read(queries.bytes_of, "bo", there.name, bo.id)
        after = await d.node.db.read(queries.bytes_of, "bo", here.name, moved.id)
        assert before.body == after.body
        verdicts = await checked(c, f"{d.origin}{here.path}")
        assert (verdicts.overall, outcomes(verdicts)) == ("holds", ("holds",) * 4)
        assert verdicts.subject.outcome == "holds"
        assert moved.id in verdicts.subject.sentence
        await a.go_dark()
        alone = await checked(c, f"{d.origin}{here.path}")
        assert alone.subject.outcome == "holds"
        assert alone.revocation.outcome == "holds"  # by the list that d has kept, of today


async def test_many_are_given_at_once_and_each_is_a_credential_of_its_own() -> None:
    async with cluster("a.example", "b.example") as (a, b):
        ada, bo = await a.set_up("ada"), await b.set_up("bo")
        people = [await a.node.resolver.locate(one.handle) for one in (bo, await b.add("cy"), await a.add("dan"))]
        seen: list[tuple[int, int]] = []
        crowd = people * 4
        names = await give_to_all(a.node, ada.id, crowd, BADGE, lambda done, of: seen.append((done, of)))
        assert seen == [(10, 12), (12, 12)]
        issued = await a.node.db.read(queries.of_owner, ada.id, "issued")
        assert {one.name for one in issued} == set(names)
        assert len({one.credential.status.index for one in issued if one.credential.status}) == 12
        for name in names[:2]:
            verdicts = await checked(b, f"{ada.id}/credentials/{name}")
            assert verdicts.overall == "holds"
        await settled(a, b)
        assert len(await shelf(bo)) == 4
