"""`freehold verify`, as a person has it: a file or an address, real servers, three verdicts and an exit code."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from federation.clock import Clock
from schemas.terms import CREDENTIALS_V2
from tests.federation.outgoing import Host, host_at
from tests.federation.world import RemoteActor
from tests.node.cli.freehold import Freehold
from tests.processes import place

ALLOWED = {"FREEHOLD_ALLOW_NETWORKS": "127.0.0.8/31"}
Verify = Callable[..., Awaitable[str]]
KEYS = {"signature", "key", "force", "document_id", "author", "key_id", "signed_at", "overall"}


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    """Bo's server."""
    async with host_at("127.0.0.8", Clock()) as host:
        yield host


@pytest.fixture
async def stranger() -> AsyncIterator[Host]:
    """Eve's."""
    async with host_at("127.0.0.9", Clock()) as host:
        yield host


@pytest.fixture
def bo(host: Host) -> RemoteActor:
    return host.actor("bo")


@pytest.fixture
def note(bo: RemoteActor, host: Host) -> dict[str, Any]:
    """Signed by Bo, and served at its id."""
    document = bo.prove(bo.note("Free from Monday"))
    host.serve(document)
    return document


@pytest.fixture
def freehold(tmp_path: Path) -> Freehold:
    """There is no node behind it: none is needed."""
    return Freehold(tmp_path / "none", ALLOWED)


@pytest.fixture
def verify(freehold: Freehold) -> Verify:
    """The command runs a loop of its own: not in this one, which serves."""

    async def run(*arguments: str, code: int = 0) -> str:
        return await asyncio.to_thread(freehold.run, "verify", *arguments, code=code)

    return run


def written(folder: Path, document: Any, name: str = "document.json") -> str:
    path = folder / name
    path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
    return str(path)


def marks(said: str) -> list[str]:
    """What stands behind each of the three questions."""
    lines = {line[:10].strip(): line[11:28].strip() for line in said.splitlines()}
    return [lines[title] for title in ("Signature", "Whose key", "In force")]


def is_one_line(said: str) -> bool:
    return said.startswith("freehold: ") and said.endswith("\n") and said[:-1].isprintable() and len(said) < 400


@pytest.mark.parametrize("kind", ["file", "address", "loud address"])
async def test_what_stands_holds(verify: Verify, note: dict[str, Any], bo: RemoteActor, tmp_path: Path, kind: str):
    address = note["id"].replace("http:", "HTTP:") if kind == "loud address" else note["id"]
    said = await verify(written(tmp_path, note) if kind == "file" else address)
    assert marks(said) == ["yes", "yes", "yes"]
    assert f"UTC with {bo.proof_key_id}" in said


async def test_a_profile_holds_too(verify: Verify, bo: RemoteActor, host: Host):
    host.serve(bo.prove(bo.document()))
    assert marks(await verify(bo.id)) == ["yes", "yes", "yes"]


async def test_json_says_the_same_with_keys_that_stay(
    verify: Verify, note: dict[str, Any], bo: RemoteActor, tmp_path: Path
):
    for document, overall, code in ((note, "holds", 0), (note | {"content": "Busy"}, "fails", 1)):
        found = json.loads(await verify(written(tmp_path, document), "--json", code=code))
        assert set(found) == KEYS
        assert found["overall"] == overall
        assert all(set(found[name]) == {"outcome", "sentence"} for name in ("signature", "key", "force"))
        assert (found["author"], found["document_id"], found["key_id"]) == (bo.id, note["id"], bo.proof_key_id)
        assert found["signed_at"] == note["proof"]["created"]
    unsigned = json.loads(await verify(written(tmp_path, {"a": 1}), "--json", code=1))
    assert set(unsigned) == KEYS
    assert (unsigned["author"], unsigned["signed_at"]) == (None, None)


async def test_what_was_changed_does_not_hold(verify: Verify, note: dict[str, Any], tmp_path: Path):
    said = await verify(written(tmp_path, note | {"content": "Busy"}), code=1)
    assert marks(said) == ["NO", "yes", "could not check"]


async def test_what_its_author_has_replaced_or_withdrawn_is_not_in_force(
    verify: Verify, note: dict[str, Any], bo: RemoteActor, host: Host, tmp_path: Path
):
    file = written(tmp_path, note)
    host.serve(bo.prove(note | {"content": "Busy until May"}))
    assert marks(await verify(file, code=1)) == ["yes", "yes", "NO"]
    host.documents[note["id"].removeprefix(host.origin)] = 410
    said = await verify(file, code=1)
    assert marks(said) == ["yes", "yes", "NO"]
    assert "withdrawn" in said


async def test_what_somebody_else_signed_is_not_the_authors(
    verify: Verify, bo: RemoteActor, stranger: Host, tmp_path: Path
):
    eve = stranger.actor("eve")
    said = await verify(written(tmp_path, eve.prove(bo.note("Bo owes me money"))), code=1)
    assert marks(said)[1] == "NO"


async def test_an_origin_that_cannot_be_asked_is_no_answer_but_a_pin_is(
    verify: Verify, note: dict[str, Any], bo: RemoteActor, host: Host, tmp_path: Path
):
    file = written(tmp_path, note)
    profile = written(tmp_path, bo.document(), "actor.json")
    key = written(tmp_path, bo.document()["assertionMethod"][0], "key.json")
    host.documents.update({f"/users/{bo.name}": 503, note["id"].removeprefix(host.origin): 503})
    assert marks(await verify(file, code=2)) == ["could not check"] * 3
    for pin in (profile, key):
        assert marks(await verify(file, "--pin", pin, code=2)) == ["yes", "yes", "could not check"]
    host.serve(note)
    assert marks(await verify(file, "--pin", profile)) == ["yes", "yes", "yes"]


async def test_several_pins_are_all_trusted(
    verify: Verify, note: dict[str, Any], bo: RemoteActor, stranger: Host, host: Host, tmp_path: Path
):
    host.documents[f"/users/{bo.name}"] = 503
    pins = [written(tmp_path, who.document(), f"{who.name}.json") for who in (stranger.actor("eve"), bo)]
    said = await verify(written(tmp_path, note), "--pin", pins[0], "--pin", pins[1])
    assert marks(said) == ["yes", "yes", "yes"]


async def test_an_author_whose_address_leads_to_a_stranger_is_vouched_for_by_nobody(
    verify: Verify, bo: RemoteActor, host: Host, stranger: Host, tmp_path: Path
):
    """An open redirect on Bo's server is enough to send a reader to Eve's, who says that she is Bo."""
    eve = stranger.actor("eve")
    hers = eve.document()["assertionMethod"][0] | {"id": bo.proof_key_id, "controller": bo.id}
    stranger.documents["/bo"] = bo.document(assertionMethod=[hers])
    forged = eve.prove(bo.note("Bo owes me money"), method=bo.proof_key_id)
    stranger.documents["/note"] = forged
    host.redirects[f"/users/{bo.name}"] = f"{stranger.origin}/bo"
    host.redirects[forged["id"].removeprefix(host.origin)] = f"{stranger.origin}/note"
    said = await verify(written(tmp_path, forged), code=2)
    assert "yes" not in marks(said)
    assert "GET /bo" in stranger.asked or stranger.asked_with  # it did lead there


async def test_a_document_may_be_looked_at_wherever_it_is_kept(
    verify: Verify, note: dict[str, Any], host: Host, stranger: Host
):
    stranger.documents["/copy"] = note
    stranger.redirects["/short"] = f"{stranger.origin}/copy"
    assert marks(await verify(f"{stranger.origin}/short")) == ["yes", "yes", "yes"]
    stranger.documents["/copy"] = note | {"content": "Busy"}
    assert marks(await verify(f"{stranger.origin}/copy", code=1))[0] == "NO"


# ---- files that are none


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"\x00\xff\xfe" * 1_000, "not UTF-8"),
        (b"\x7fELF\x02\x01\x01" + bytes(5_000), "not JSON"),
        (b"[]", "not an object"),
        (b'"text"', "not an object"),
        (b'{"id": 1, "id": 2}', "twice"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "nested deeper"),
        (b'{"a": NaN}', "not JSON"),
        (b'{"a": "' + b"x" * 20_000_000 + b'"}', "larger than"),
    ],
    ids=["empty", "junk", "program", "list", "text", "twice", "deep", "NaN", "20 MB"],
)
@pytest.mark.parametrize("given_as", ["document", "pin"])
async def test_a_file_that_is_no_document_is_refused_in_one_line(
    verify: Verify, note: dict[str, Any], tmp_path: Path, body: bytes, says: str, given_as: str
):
    bad = written(tmp_path, body, "bad.json")
    arguments = (bad,) if given_as == "document" else (written(tmp_path, note), "--pin", bad)
    said = await verify(*arguments, code=1)
    assert is_one_line(said)
    assert says in said
    assert "bad.json" in said


async def test_a_pin_that_holds_no_key_is_named(verify: Verify, note: dict[str, Any], tmp_path: Path):
    file = written(tmp_path, note)
    said = await verify(file, "--pin", file, code=1)
    assert is_one_line(said)
    assert f"--pin takes documents of actors or of keys, and not what is in {file}" in said


async def test_what_was_changed_is_said_once(verify: Verify, note: dict[str, Any], tmp_path: Path):
    said = await verify(written(tmp_path, note | {"content": "<p>Something else</p>"}), code=1)
    assert "The signature does not hold: this is not what was signed, or another key signed it." in said


@pytest.mark.parametrize("what", ["a folder", "nothing", "no name"])
async def test_what_cannot_be_read_could_not_be_checked(verify: Verify, tmp_path: Path, what: str):
    (tmp_path / "folder").mkdir()
    path = {"a folder": str(tmp_path / "folder"), "nothing": str(tmp_path / "absent"), "no name": ""}[what]
    assert is_one_line(await verify(path, code=2))


async def test_of_a_file_without_end_only_the_beginning_is_read(verify: Verify, note: dict[str, Any], tmp_path: Path):
    await verify(note["id"])  # everything that the command needs is loaded
    with (tmp_path / "long.json").open("wb") as file:
        file.truncate(200_000_000)
    tracemalloc.start()
    try:
        await verify(str(tmp_path / "long.json"), code=1)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"proof": "x"},
        {"proof": [[]]},
        {"id": [], "attributedTo": {}, "type": [], "proof": {}},
        {"endTime": {}, "proof": None},
        {"type": "Person", "proof": {"cryptosuite": "eddsa-jcs-2022"}},
    ],
    ids=str,
)
async def test_a_document_of_any_shape_has_an_answer(verify: Verify, tmp_path: Path, document: dict[str, Any]):
    assert marks(await verify(written(tmp_path, document), code=1)) == ["NO", "could not check", "could not check"]


ASKED_IN_VAIN = ["could not check", "could not check", "yes"]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"endTime": []}, ["yes", "yes", "yes"]),
        ({"id": 7}, ["yes", "yes", "could not check"]),
        ({"id": "https://["}, ["yes", "yes", "could not check"]),
        ({"id": "javascript:alert(1)"}, ["yes", "yes", "could not check"]),
        ({"attributedTo": "https://["}, ASKED_IN_VAIN),
        ({"attributedTo": "file:///etc/passwd"}, ASKED_IN_VAIN),
        ({"attributedTo": "http://127.0.0.1:1/users/bo"}, ASKED_IN_VAIN),
        ({"attributedTo": "bo\nIn force   yes\x1b[2J\u202e"}, ASKED_IN_VAIN),
        ({"attributedTo": "b" * 100_000}, ASKED_IN_VAIN),
    ],
    ids=lambda value: str(value)[:50],
)
async def test_a_signed_document_with_odd_addresses_has_an_answer(
    verify: Verify, bo: RemoteActor, host: Host, tmp_path: Path, changes: dict[str, Any], found: list[str]
):
    """An address that nobody may ask is no yes, and no reason to fall over."""
    document = bo.prove(bo.note("hello") | changes)
    host.documents["/users/bo/notes/1"] = document
    said = await verify(written(tmp_path, document), code=0 if found == ["yes"] * 3 else 2)
    assert marks(said) == found


@pytest.mark.parametrize("where", ["author", "method", "pinned"])
async def test_092_a_document_cannot_write_an_answer_of_its_own(
    verify: Verify, bo: RemoteActor, tmp_path: Path, where: str
):
    """Neither by a new line nor by moving the cursor nor by hiding what is true."""
    spell = "x\x1b[2J\rSignature  yes\nWhose key  yes\u202e\u200b\nIn force   yes" + "y" * 600
    note = bo.note("hello") | ({"attributedTo": spell} if where == "author" else {})
    file = written(tmp_path, bo.prove(note, method=bo.proof_key_id if where == "author" else spell))
    key = bo.document()["assertionMethod"][0] | {"id": spell, "controller": f"another {spell}"}
    pins = ("--pin", written(tmp_path, key, "key.json")) if where == "pinned" else ()
    said = await verify(file, *pins, code=1)
    lines = said.splitlines()
    assert len(lines) == 4
    assert all(line.isprintable() and len(line) <= 500 for line in lines)
    assert marks(said)[1:] == ["could not check" if where == "author" else "NO", "NO"]


# ---- addresses that lead nowhere


@pytest.mark.parametrize(
    "address",
    [
        "https://",
        "http://[",
        "https://a b/",
        "https://user@127.0.0.8/",
        "https://good.example\\@evil.example/",
        "https://127.0.0.8:99999/",
        "https://x\u202e.example/",
        "https://127.0.0.8/\x1b[31m",
        f"https://{'a' * 3_000}.example/",
        "HTTPS://nowhere.invalid/",
        "http://127.0.0.1:1/",
        "http://127.0.0.41/",
        "http://[::1]:1/",
        "http://169.254.169.254/latest/meta-data",
    ],
)
async def test_an_address_that_may_not_be_asked_could_not_be_checked(verify: Verify, address: str):
    said = await verify(address, code=2)
    assert is_one_line(said)
    assert not {"\u202e", "\x1b"} & set(said)


async def test_061_an_address_on_a_private_network_is_not_touched(freehold: Freehold, note: dict[str, Any], host: Host):
    guarded = Freehold(freehold.data, {})
    for address in (note["id"], note["id"].replace("http://", "https://")):
        assert is_one_line(await asyncio.to_thread(guarded.run, "verify", address, code=2))
    assert host.asked == []


@pytest.mark.parametrize(("status", "code"), [(404, 1), (410, 1), (400, 1), (403, 1), (500, 2), (503, 2), (429, 2)])
async def test_an_address_with_nothing_behind_it(verify: Verify, host: Host, status: int, code: int):
    host.documents["/there"] = status
    said = await verify(f"{host.origin}/there", code=code)
    assert is_one_line(said)
    assert str(status) in said


@pytest.mark.parametrize(
    ("served", "content_type", "says"),
    [
        ({"id": "x"}, "text/html", "media type"),
        ({"id": "x"}, "application/json", "media type"),
        (["x"], "application/activity+json", "not an object"),
        ({"id": "x" * 2_000_000}, "application/activity+json", "larger than"),
        ({"@graph": []}, "application/activity+json", "@graph"),
    ],
    ids=["page", "plain", "list", "long", "graph"],
)
async def test_an_address_with_something_else_behind_it(
    verify: Verify, host: Host, served: Any, content_type: str, says: str
):
    host.documents["/there"], host.content_type = served, content_type
    said = await verify(f"{host.origin}/there", code=1)
    assert is_one_line(said)
    assert says in said


async def test_redirects_that_go_in_a_circle_end(verify: Verify, host: Host):
    host.redirects["/one"], host.redirects["/two"] = f"{host.origin}/two", f"{host.origin}/one"
    assert "circle" in await verify(f"{host.origin}/one", code=1)
    assert len(host.asked) <= 6


async def test_a_server_that_is_not_there_could_not_be_asked(verify: Verify, host: Host):
    assert is_one_line(await verify("http://127.0.0.9:9/nobody", code=2))


# ---- as a process


async def test_a_process_ends_with_the_verdict(note: dict[str, Any], tmp_path: Path):
    """The exit code is what scripts read; the words go to standard output, what went wrong to standard error."""
    here = place(tmp_path / "none", "127.0.0.8")
    holds = await here.run("verify", note["id"])
    assert (holds.code, holds.err, marks(holds.out)) == (0, "", ["yes", "yes", "yes"])
    fails = await here.run("verify", written(tmp_path, note | {"content": "Busy"}), "--json")
    assert (fails.code, fails.err, json.loads(fails.out)["overall"]) == (1, "", "fails")
    absent = await here.run("verify", str(tmp_path / "absent"), "--json")
    assert (absent.code, absent.out) == (2, "")
    assert is_one_line(absent.err)
    assert not here.data.exists()  # asking leaves nothing behind


def attested(bo: RemoteActor) -> dict[str, Any]:
    """A credential that Bo has signed."""
    return bo.prove(
        {
            "@context": [CREDENTIALS_V2],
            "type": ["VerifiableCredential"],
            "id": "urn:uuid:7a5a7d2e-0000-4000-8000-000000000000",
            "issuer": {"id": bo.id},
            "validFrom": "2026-01-01T00:00:00Z",
            "credentialSubject": {"id": "https://eve.example/users/eve", "name": "Eve"},
        }
    )


async def test_009_a_credential_may_be_any_file_and_who_signed_it_may_not(
    verify: Verify, bo: RemoteActor, host: Host, tmp_path: Path
):
    """A server that keeps somebody's JSON does not say with it that they are an actor there."""
    host.serve(bo.prove(bo.document()))
    file = written(tmp_path, attested(bo))
    found = json.loads(await verify(file, "--json"))
    assert (found["overall"], found["key"]["outcome"]) == ("holds", "holds")
    host.content_type = "application/json"
    found = json.loads(await verify(file, "--json", code=1))
    assert found["key"]["outcome"] == "fails"
