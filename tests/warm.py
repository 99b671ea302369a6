"""`freehold` processes that begin warm: forks of one process in which everything is imported already.

A process of its own costs most of a second of imports before it does anything, and the tests start hundreds. A fork is
as much a process as any other: it is killed, it locks, it is restarted, it has an environment and output of its own.
Only how Python itself begins is not shown by it; `tests.processes` starts cold where that matters (`COLD`), and so do
`make faults` and the benchmarks.

    python -m tests.warm FD     the process that is forked; each message on the socket FD is one `freehold ...`

A message is JSON (arguments, environment) with four descriptors: stdin, stdout, stderr, and a pipe on which come the
number of the process and, when it has ended, its exit code.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import random
import runpy
import select
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NoReturn

MAX_MESSAGE = 262_144
ALSO = ("alembic.command", "asyncpg", "node.app", "node.migrate", "node.web.errors", "sqlalchemy.dialects.postgresql")


class Warm:
    """As much of `asyncio.subprocess.Process` as the tests use."""

    def __init__(self, told: asyncio.StreamReader) -> None:
        self.stdin: asyncio.StreamWriter | None = None
        self.stdout: asyncio.StreamReader | None = None
        self.stderr: asyncio.StreamReader | None = None
        self.pid = 0
        self.returncode: int | None = None
        self._told = told
        self._ended: asyncio.Task[int] | None = None

    async def begun(self) -> None:
        """Return once it runs."""
        self.pid = int(await self._told.readline())
        self._ended = asyncio.create_task(self._end())

    async def _end(self) -> int:
        self.returncode = int(await self._told.readline())
        return self.returncode

    async def wait(self) -> int:
        """Its exit code, negative for a signal."""
        assert self._ended is not None
        return await asyncio.shield(self._ended)

    async def communicate(self, text: bytes = b"") -> tuple[bytes, bytes]:
        """Give it all that it is to read, and take all that it says."""
        if self.stdin is not None:
            self.stdin.write(text)
            self.stdin.close()
        out, err = await asyncio.gather(_all_of(self.stdout), _all_of(self.stderr))
        await self.wait()
        return out, err

    def send_signal(self, number: int) -> None:
        """To a process that has not ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


async def _all_of(stream: asyncio.StreamReader | None) -> bytes:
    return b"" if stream is None else await stream.read()


async def start(
    *arguments: str, env: Mapping[str, str], stdin: int = DEVNULL, stdout: int = PIPE, stderr: int | None = None
) -> Warm:
    """`freehold ...`, with streams as `asyncio.create_subprocess_exec` has them."""
    told, telling = os.pipe()
    process = Warm(await _reader(told))
    theirs = [await _stdin(process, stdin), 1, 2, telling]
    own = [theirs[0], telling]
    for place, wanted in ((1, stdout), (2, stderr)):
        if wanted == PIPE:
            readable, theirs[place] = os.pipe()
            own.append(theirs[place])
            setattr(process, "stdout" if place == 1 else "stderr", await _reader(readable))
        elif wanted == DEVNULL:
            theirs[place] = os.open(os.devnull, os.O_WRONLY)
            own.append(theirs[place])
    message = json.dumps([arguments, dict(env)]).encode()
    assert len(message) < MAX_MESSAGE
    socket.send_fds(_forge(), [message], theirs)
    for number in own:
        os.close(number)
    await process.begun()
    return process


async def _stdin(process: Warm, wanted: int) -> int:
    if wanted == DEVNULL:
        return os.open(os.devnull, os.O_RDONLY)
    readable, writable = os.pipe()
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, os.fdopen(writable, "wb"))
    process.stdin = asyncio.StreamWriter(transport, protocol, None, loop)
    return readable


async def _reader(number: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(number, "rb"))
    return reader


@cache
def _forge() -> socket.socket:
    """The socket of the process that is forked: one for each process of tests; it ends when they do."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "tests.warm", str(theirs.fileno())]
    subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)  # it ends with the socket
    theirs.close()
    return ours


# ---- the process that is forked


def main(orders: socket.socket) -> None:
    """Import everything; then fork for each order, and tell how each fork ended."""
    _import_everything()
    gc.freeze()
    children: dict[int, int] = {}
    ended = socket.socketpair()
    ended[1].setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(ended[1].fileno())
    while True:
        _wait_for(orders, ended[0])
        for pid, code in _ended():
            telling = children.pop(pid)
            os.write(telling, f"{code}\n".encode())
            os.close(telling)
        if _is_readable(orders):
            message, descriptors, _, _ = socket.recv_fds(orders, MAX_MESSAGE, 4)
            if not message:
                return
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for one in (orders, *ended):
                    one.close()
                for number in children.values():
                    os.close(number)
                _be(*json.loads(message), descriptors)
            os.write(descriptors[3], f"{pid}\n".encode())
            children[pid] = descriptors[3]
            for number in descriptors[:3]:
                os.close(number)


def _import_everything() -> None:
    from node.cli import COMMANDS

    for name in sorted({module for module, _ in COMMANDS.values()} | set(ALSO)):
        importlib.import_module(name)


def _wait_for(orders: socket.socket, ended: socket.socket) -> None:
    ready, _, _ = select.select([orders, ended], [], [])
    if ended in ready:
        ended.recv(4096)


def _is_readable(orders: socket.socket) -> bool:
    return bool(select.select([orders], [], [], 0)[0])


def _ended() -> list[tuple[int, int]]:
    found = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if not pid:
            return found
        found.append((pid, os.waitstatus_to_exitcode(status)))


def _be(arguments: Sequence[str], environ: dict[str, str], descriptors: Sequence[int]) -> NoReturn:
    """From here on this process is `python -m node ...`."""
    for number, place in zip(descriptors, (0, 1, 2), strict=False):
        os.dup2(number, place)
    for number in descriptors:
        os.close(number)
    os.environ.clear()
    os.environ.update(environ)
    random.seed()
    sys.argv = ["freehold", *arguments]
    runpy.run_module("node", run_name="__main__", alter_sys=True)
    sys.exit(0)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
