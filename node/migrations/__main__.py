"""`python -m node.migrations MESSAGE`: write the migration from the last one to the tables as they are declared now."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command

from node import migrate
from node.migrations import HEAD


def write(message: str) -> str:
    """A new file in `versions`, to be read and mended by whoever asked for it; returns its number."""
    number = f"{int(HEAD) + 1:04}"
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/last.db"
        asyncio.run(migrate.ensure(url))
        with migrate.sqlite_connection(url) as connection:
            command.revision(migrate.config(connection), message, autogenerate=True, rev_id=number)
    head = Path(__file__).with_name("__init__.py")
    head.write_text(head.read_text().replace(f'HEAD = "{HEAD}"', f'HEAD = "{number}"'))
    return number


if __name__ == "__main__":
    sys.stdout.write(f"Read and mend {write(' '.join(sys.argv[1:]))} in node/migrations/versions.\n")
