"""One server for one data folder: a second one would deliver everything twice."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.errors import AlreadyRunning


@contextmanager
def only_server(data: Path) -> Iterator[None]:
    """Hold the data folder's lock; the kernel lets it go with the process, however that ends. Else AlreadyRunning."""
    with (data / "server.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise AlreadyRunning(data, file.read().strip() or "unknown") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
