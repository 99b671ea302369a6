"""What it costs to check a badge that somebody else issued, and to issue one.

The floor is one Ed25519 signature, checked or made. Checking by JCS is what our own nodes do first; by RDF what is left
for a badge that carries no other proof, in a process of its own, whose CPU counts too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from federation.rdf_process import Canonicaliser
from keys.material import PrivateKey, generate_ed25519
from keys.proofs import add_proofs, read_proofs
from schemas.credential_drafts import BadgeDraft, Issuer, write_badge
from schemas.credentials import Achievement, Alignment, Evidence, Status, parse_credential
from schemas.rdf import canonical_quads
from schemas.strict_json import dumps, loads_object
from tests.bench.harness import Row, Size, cpu_seconds, say

AT_MOST_JCS_MS, AT_MOST_RDF_MS = 1.0, 15.0
ACTOR = "https://a.example/users/alice"
METHOD = f"{ACTOR}#ed25519-key"
NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
WARM = 20


async def rows(size: Size, folder: Path) -> list[Row]:
    """One badge, again and again, from its bytes."""
    say(f"credentials: {size.badges} checks")
    key = generate_ed25519()
    document = _badge(key)
    signed = dumps(add_proofs(document, key, METHOD, NOW, canonical_quads))
    signature = key.sign(signed[:64])
    checked = _each(size.badges, lambda: key.public.verify(signature, signed[:64]))
    made = _each(size.badges, lambda: key.sign(signed[:64]))
    return [
        Row(
            "a badge is checked by JCS",
            "CPU ms",
            _each(size.badges, lambda: _check(signed, key)),
            checked,
            AT_MOST_JCS_MS,
        ),
        Row("a badge is checked by RDF", "CPU ms", await _by_rdf(size.badges, signed, key), checked, AT_MOST_RDF_MS),
        Row(
            "a badge is issued, with both proofs",
            "CPU ms",
            _each(size.badges, lambda: add_proofs(document, key, METHOD, NOW, canonical_quads)),
            made,
            None,
        ),
    ]


def _each(times: int, work: Callable[[], Any]) -> float:
    for _ in range(min(times, WARM)):
        work()
    begin = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - begin) * 1_000 / times


def _check(signed: bytes, key: PrivateKey) -> None:
    document = loads_object(signed)
    (claim,) = read_proofs(document)
    claim.verify(key.public)
    parse_credential(document)


async def _by_rdf(times: int, signed: bytes, key: PrivateKey) -> float:
    """CPU of this process and of the one that canonicalises."""
    document = loads_object(signed)
    alone = document | {"proof": document["proof"][1]}
    canonicaliser = Canonicaliser()
    try:
        for _ in range(min(times, WARM)):
            await canonicaliser.read_proofs(alone)
        pid = canonicaliser.pid
        assert pid is not None
        begin = time.process_time() + cpu_seconds(pid)
        for _ in range(times):
            (claim,) = await canonicaliser.read_proofs(alone)
            claim.verify(key.public)
            parse_credential(alone)
        return (time.process_time() + cpu_seconds(pid) - begin) * 1_000 / times
    finally:
        await canonicaliser.close()


def _badge(key: PrivateKey) -> dict[str, Any]:
    skill = Alignment("Python", "http://data.europa.eu/esco/skill/ccd0a1d9-afda-43d9-b901-96344886e14d", "ESCO")
    achievement = Achievement(
        "https://a.example/learn/1", "Python for people", "To write small programs.", "Course", "Five exercises.",
        alignments=(skill,),
    )  # fmt: skip
    issuer = Issuer(ACTOR, "Alice", key.public.multibase, f"did:key:{generate_ed25519().public.multibase}")
    return write_badge(
        BadgeDraft(
            id=f"{ACTOR}/credentials/1",
            issuer=issuer,
            subject=f"did:key:{generate_ed25519().public.multibase}",
            achievement=achievement,
            valid_from="2026-11-25T10:00:00Z",
            valid_until="2027-11-25T10:00:00Z",
            status=Status(f"{ACTOR}/status/1", 77),
            evidence=(Evidence("Exercises", "All five", url="https://a.example/work/1"),),
        )
    )
