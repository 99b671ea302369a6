"""What somebody says of somebody on one server, held on another, and checked on a third."""

from __future__ import annotations

from typing import Any

from federation.verdicts import Verdicts
from node.credentials import commands, queries
from node.credentials.checking import bytes_at, judge
from node.credentials.queries import View
from node.credentials.signing import Statement
from node.credentials.working import one_round
from schemas.strict_json import loads_object
from tests.nodes import Home, cluster, settled
from tests.people import Somebody

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
