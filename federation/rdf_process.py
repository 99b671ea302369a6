"""Canonical RDF of what strangers sent, made in a process that may be late, grow or die without harm to this one.

`schemas.rdf` bounds what is looked at; this bounds what that takes, whatever a library does with it: one document
after the other, two seconds each, a few that wait. Who is late is killed, and the next one finds a new process.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from federation.errors import Busy, Unacceptable
from federation.rdf_worker import DONE, LENGTH, READY
from keys import proofs
from keys.material import PrivateKey
from keys.proofs import ProofClaim
from schemas.strict_json import dumps

DEADLINE = 2.0  # seconds
START = 30.0  # seconds: a new process imports a lot, on a machine that may be busy
MAX_WAITING = 32
MAX_JOBS = 2_000
"""After so many a process is replaced, so that what a library keeps does not add up."""

_ROOT = Path(__file__).parents[1]
_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from federation.rdf_worker import main; main()"
"""Not `-m`: that would run what is installed under this name, which need not be this copy."""


class Canonicaliser:
    """A process that turns documents into canonical N-Quads, started when first asked. Ends with `close`."""

    def __init__(self, *, deadline: float = DEADLINE, waiting: int = MAX_WAITING) -> None:
        self._deadline = deadline
        self._most = waiting
        self._waiting = 0
        self._turn = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._jobs = 0

    @property
    def pid(self) -> int | None:
        """The id of the process that works now."""
        return None if self._process is None else self._process.pid

    async def quads(self, document: dict[str, Any]) -> bytes:
        """The canonical N-Quads of a document without its proof (`schemas.rdf.canonical_quads`).

        Raises Unacceptable when it has none within bounds, Busy when too many wait, or when it takes too long.
        """
        return (await self.each([document]))[0]

    async def each(self, documents: Sequence[dict[str, Any]]) -> list[bytes]:
        """Those of several, within one deadline; raises as `quads` does, for all when for one."""
        if self._waiting >= self._most:
            raise Busy(f"{self._waiting} documents wait to be canonicalised")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._ask(dumps(documents))
        finally:
            self._waiting -= 1

    async def read_proofs(self, document: dict[str, Any]) -> tuple[ProofClaim, ...]:
        """What the proofs in a document claim, of both cryptosuites (`keys.proofs.read_proofs`).

        Raises KeysError for a proof that cannot be read, else as `quads` does.
        """
        asked = proofs.canonicalised(document)
        if not asked:
            return proofs.read_proofs(document)
        return proofs.read_proofs(document, _answers(asked, await self.each(asked)))

    async def add_proofs(
        self, document: dict[str, Any], key: PrivateKey, verification_method: str, now: datetime
    ) -> dict[str, Any]:
        """A credential of ours with both proofs (`keys.proofs.add_proofs`), without holding up this process."""
        asked = proofs.to_canonicalise(document, verification_method, now)
        quads = _answers(asked, await self.each(asked))
        return proofs.add_proofs(document, key, verification_method, now, quads)

    async def close(self) -> None:
        """End the process; a later question starts another one."""
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def _ask(self, job: bytes) -> list[bytes]:
        whole = False
        process = await self._ready()
        try:
            async with asyncio.timeout(self._deadline):
                how, what = await _exchange(process, job)
            whole = True
        except TimeoutError as error:
            raise Busy(f"canonicalising {len(job)} bytes took more than {self._deadline} seconds") from error
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Busy(f"the process died that canonicalised {len(job)} bytes") from error
        finally:
            if not whole:  # also when whoever asked gave up: its answer must not be taken for the next one's
                await self.close()
        if how != DONE:
            raise Unacceptable(what.decode(errors="replace"), safe=what.decode(errors="replace"))
        return [text.encode() for text in json.loads(what)]

    async def _ready(self) -> asyncio.subprocess.Process:
        self._jobs += 1
        if self._jobs > MAX_JOBS or (self._process is not None and self._process.returncode is not None):
            await self.close()
        if self._process is None:
            self._jobs = 1
            await self._start()
        assert self._process is not None
        return self._process

    async def _start(self) -> None:
        self._process = process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-c", _PROGRAM, str(_ROOT)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
            start_new_session=True,
        )
        how = b""
        try:
            async with asyncio.timeout(START):
                how, _ = await _answer(process)
        except (TimeoutError, asyncio.IncompleteReadError) as error:
            raise Busy("the process that canonicalises did not start") from error
        finally:
            if how != READY:
                await self.close()


async def _exchange(process: asyncio.subprocess.Process, job: bytes) -> tuple[bytes, bytes]:
    assert process.stdin is not None
    process.stdin.write(LENGTH.pack(len(job)) + job)
    await process.stdin.drain()
    return await _answer(process)


async def _answer(process: asyncio.subprocess.Process) -> tuple[bytes, bytes]:
    assert process.stdout is not None
    how = await process.stdout.readexactly(1)
    (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
    return how, await process.stdout.readexactly(length)


def _answers(asked: Sequence[dict[str, Any]], given: list[bytes]) -> proofs.Quads:
    """What was asked for and answered, as the function that the proofs are read with."""
    known = list(zip(asked, given, strict=True))

    def quads(document: dict[str, Any]) -> bytes:
        return next(answer for question, answer in known if question == document)

    return quads
