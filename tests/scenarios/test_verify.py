"""`freehold verify` on what whole nodes publish: holds, does not hold, could not check; and in whose words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.nodes import Home, cluster
from tests.processes import Place

AP = "application/activity+json"


async def document(home: Home, url: str) -> dict[str, Any]:
    """What the node serves at an id."""
    async with home.visitor() as visitor:
        page = await visitor.get(url, Accept=AP)
        assert page.status == 200
        return json.loads(page.text)


async def verdicts(place: Place, *arguments: str, code: int) -> dict[str, str]:
    """The outcomes of the three questions, and of all together."""
    done = await place.run("verify", *arguments, "--json")
    assert done.code == code, done
    found = json.loads(done.out)
    return {name: found[name]["outcome"] for name in ("signature", "key", "force")} | {"overall": found["overall"]}


def written(path: Path, value: dict[str, Any]) -> str:
    """A document as a file."""
    path.write_text(json.dumps(value))
    return str(path)


async def test_three_verdicts_about_a_gig(tmp_path: Path):
    nowhere = Place(tmp_path / "no-node", "127.0.0.7", 1)
    async with cluster("a.example") as (a,):
        alice = await a.set_up("alice")
        gig_id = await alice.publish_gig()
        gig, actor = await document(a, gig_id), await document(a, alice.id)

        holds = {"signature": "holds", "key": "holds", "force": "holds", "overall": "holds"}
        assert await verdicts(nowhere, gig_id, code=0) == holds
        assert await verdicts(nowhere, alice.id, code=0) == holds
        assert await verdicts(nowhere, written(tmp_path / "gig.json", gig), code=0) == holds

        changed = written(tmp_path / "changed.json", gig | {"content": "<p>For nothing.</p>"})
        assert (await verdicts(nowhere, changed, code=1))["signature"] == "fails"
        unsigned = {name: value for name, value in gig.items() if name != "proof"}
        assert (await verdicts(nowhere, written(tmp_path / "unsigned.json", unsigned), code=1))["overall"] == "fails"

        pin = written(tmp_path / "alice.json", actor)
        await a.go_dark()
        alone = await verdicts(nowhere, str(tmp_path / "gig.json"), code=2)
        assert (alone["signature"] != "fails", alone["overall"]) == (True, "unknown")
        pinned = await verdicts(nowhere, str(tmp_path / "gig.json"), "--pin", pin, code=2)
        assert (pinned["signature"], pinned["key"]) == ("holds", "holds")
        assert (await nowhere.run("verify", gig_id)).code == 2
