"""RDF of strangers is made elsewhere: whatever it does to that process, this one goes on."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from federation import rdf_process
from federation.errors import Busy, Unacceptable
from federation.rdf_process import Canonicaliser
from keys.errors import BadHeader
from schemas.rdf import canonical_quads
from tests.keys.made import NOW, ed25519
from tests.schemas.credentials import badge, endorsement
from tests.schemas.test_rdf import alike, linked

METHOD = "https://a.example/users/alice#ed25519-key"


@pytest.fixture
async def canonicaliser():
    """One that is closed in the end."""
    made = Canonicaliser()
    yield made
    await made.close()


def about(pid):
    return [Path(f"/proc/{pid}/{name}").read_text() for name in ("limits", "environ")]


async def stopped(canonicaliser):
    """Its process, which no longer runs: what it is asked comes late."""
    await canonicaliser.quads(badge())
    process = canonicaliser._process
    process.send_signal(signal.SIGSTOP)
    return process


async def test_it_says_what_is_said_here(canonicaliser):
    made = await canonicaliser.each([badge(), endorsement()])
    assert made == [canonical_quads(badge()), canonical_quads(endorsement())]


async def test_one_process_answers_many_at_once(canonicaliser):
    made = await asyncio.gather(*(canonicaliser.quads(badge(description=str(number))) for number in range(20)))
    assert made == [canonical_quads(badge(description=str(number))) for number in range(20)]
    assert canonicaliser._jobs == 20


async def test_credentials_are_proven_and_read_there(canonicaliser):
    signed = await canonicaliser.add_proofs(badge(), ed25519(), METHOD, NOW)
    claims = await canonicaliser.read_proofs(signed)
    for claim in claims:
        claim.verify(ed25519().public)
    assert [claim.suite for claim in claims] == ["eddsa-jcs-2022", "eddsa-rdfc-2022"]
    assert await canonicaliser.read_proofs(badge()) == ()
    with pytest.raises(BadHeader):
        await canonicaliser.read_proofs(signed | {"proof": signed["proof"] * 2})


@pytest.mark.parametrize("poison", [linked(40), alike(40)], ids=["linked", "alike"])
async def test_081_poison_is_refused_in_time_and_the_next_is_served(canonicaliser, poison):
    await canonicaliser.quads(badge())
    started = time.monotonic()
    with pytest.raises(Unacceptable):
        await canonicaliser.quads(poison)
    assert time.monotonic() - started < 2
    assert await canonicaliser.quads(badge()) == canonical_quads(badge())


async def test_081_who_is_late_is_killed_and_the_next_finds_a_new_process():
    canonicaliser = Canonicaliser(deadline=0.2)
    process = await stopped(canonicaliser)
    with pytest.raises(Busy):
        await canonicaliser.quads(badge())
    assert process.returncode == -signal.SIGKILL
    canonicaliser._deadline = 10
    assert await canonicaliser.quads(badge()) == canonical_quads(badge())
    await canonicaliser.close()


async def test_a_process_that_was_killed_is_replaced(canonicaliser):
    await canonicaliser.quads(badge())
    os.kill(canonicaliser.pid, signal.SIGKILL)
    await canonicaliser._process.wait()
    assert await canonicaliser.quads(badge()) == canonical_quads(badge())


async def test_who_gives_up_leaves_no_answer_for_the_next(canonicaliser):
    process = await stopped(canonicaliser)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await canonicaliser.quads(endorsement())
    assert process.returncode == -signal.SIGKILL
    assert await canonicaliser.quads(badge()) == canonical_quads(badge())


async def test_few_may_wait():
    canonicaliser = Canonicaliser(deadline=0.2, waiting=2)
    await stopped(canonicaliser)
    waiting = [asyncio.create_task(canonicaliser.quads(badge())) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await canonicaliser.quads(badge())
    for done in await asyncio.gather(*waiting, return_exceptions=True):
        assert done is not None
    await canonicaliser.close()


async def test_a_process_is_replaced_after_many(canonicaliser, monkeypatch):
    monkeypatch.setattr(rdf_process, "MAX_JOBS", 2)
    await canonicaliser.quads(badge())
    first = canonicaliser._process
    await canonicaliser.quads(badge())
    assert canonicaliser._process is first
    await canonicaliser.quads(badge())
    assert canonicaliser._process is not first
    assert first.returncode is not None


async def test_it_has_little_memory_opens_nothing_and_knows_no_secrets(canonicaliser):
    await canonicaliser.quads(badge())
    limits, environment = about(canonicaliser.pid)
    assert re.search(rf"Max address space +{512 << 20} ", limits)
    assert re.search(r"Max open files +3 ", limits)
    assert environment == ""


async def test_closing_ends_the_process():
    canonicaliser = Canonicaliser()
    await canonicaliser.close()
    await canonicaliser.quads(badge())
    process = canonicaliser._process
    await canonicaliser.close()
    assert process.returncode is not None


def test_what_is_heavy_about_it_is_not_loaded_at_a_cold_start():
    program = "import sys, node.app, federation.rdf_process; print([name for name in sys.modules if 'pyld' in name])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
