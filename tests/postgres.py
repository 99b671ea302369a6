"""A PostgreSQL server of the tests' own: one for a test session, a fresh database for each test.

Whichever test first needs it starts it, under a file lock, in a temporary folder, on a Unix socket, as a user without
rights (`initdb` refuses root). A guard process stops it and removes the folder when the session's first process ends,
however it ends. Run as a program, this module is that guard: `python tests/postgres.py BIN FOLDER USER PID`.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUPERUSER = "freehold"
OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=", "max_connections=300")
TEMPLATE = "template_freehold"
SHAPE = """
SELECT md5(string_agg(concat_ws(' ', relname, relkind, attname, atttypid, attnotnull), ',' ORDER BY relname, attnum))
       || ' ' || (SELECT max(version_num) FROM alembic_version)
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
WHERE relnamespace = 'public'::regnamespace AND attnum > 0
"""
"""Every column of every table and index, in one word, and the version; it stands in the template as a comment."""
REMEMBER = f"""
DO $$ BEGIN EXECUTE format('COMMENT ON TABLE alembic_version IS %L', ({SHAPE})); END $$;
"""
EMPTY = f"""
SET client_min_messages = warning;
DO $$
DECLARE
    others text := 'SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()';
    left_over int; name text; used text[] := '{{}}'; has_rows boolean;
BEGIN
    LOOP
        EXECUTE others INTO left_over;
        EXIT WHEN left_over = 0;
        PERFORM pg_sleep(0.002), pg_stat_clear_snapshot();
    END LOOP;
    FOR name IN SELECT oid::regclass::text FROM pg_class
                WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', name) INTO has_rows;
        IF has_rows THEN used := used || name; END IF;
    END LOOP;
    IF used <> '{{}}' THEN
        EXECUTE format('TRUNCATE %s RESTART IDENTITY CASCADE', array_to_string(used, ', '));
    END IF;
    PERFORM setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S';
    ASSERT obj_description('alembic_version'::regclass) = ({SHAPE}), 'the tables are not what they were';
END $$;
"""
"""Ends every other connection, and leaves the tables as they were made."""
HOW_TO_INSTALL = "`make test` installs it when run as root; otherwise install your system's `postgresql` package"


_clean: defaultdict[str, list[str]] = defaultdict(list)
"""Databases that this process may lend again, by their server's folder."""


class NoPostgres(Exception):
    """There is no PostgreSQL server program on this machine."""


@dataclass(frozen=True)
class Server:
    """A running server; `folder` holds its socket."""

    folder: str

    def url(self, database: str) -> str:
        """What `federation.storage.Database.open` takes."""
        return f"postgresql+asyncpg://{SUPERUSER}@/{database}?host={self.folder}"

    def execute(self, script: str, database: str = "postgres") -> None:
        """Run SQL statements as the superuser, each in a transaction of its own."""
        subprocess.run(
            [_programs() / "psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", SUPERUSER, database],
            input=script.encode(),
            check=True,
            cwd="/",
        )

    def make_template(self, script: str) -> None:
        """The database that others are copied from, with what this script of SQL makes."""
        self.execute(f"CREATE DATABASE {TEMPLATE}")
        self.execute(script + REMEMBER, TEMPLATE)

    def lend(self) -> str:
        """A database with every table and nothing in it, by its name: one that came back, or a new one."""
        clean = _clean[self.folder]
        return clean.pop() if clean else self.create(template=TEMPLATE)

    def take_back(self, name: str) -> None:
        """Empty it for the next, whoever is still connected to it. One whose tables have changed is thrown away."""
        try:
            self.execute(EMPTY, name)
        except subprocess.CalledProcessError:
            self.drop(name)
        else:
            _clean[self.folder].append(name)

    def create(self, *, template: str = "template0") -> str:
        """A new database, by its name; with nothing in it if nothing else is said."""
        name = f"test_{secrets.token_hex(8)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Only one process of the test session at a time."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def session_server(shared: Path, controller: int, script: Callable[[], str]) -> Server:
    """The session's server, with the template of fresh databases; started by the first that asks.

    `shared` is the session's folder, `controller` the process with whose end the server ends, `script` makes the tables
    of the template.
    """
    known = shared / "postgres.json"
    with locked(shared / "postgres.lock"):
        if known.exists():
            return Server(**json.loads(known.read_text()))
        server = _start(controller)
        server.make_template(script())
        known.write_text(json.dumps(asdict(server)))
        return server


def _start(controller: int) -> Server:
    programs = _programs()
    user = _unprivileged()
    folder = tempfile.mkdtemp(prefix="freehold-pg-", dir="/tmp")  # short: a socket's path has at most 107 bytes
    os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    guard = subprocess.Popen(
        [sys.executable, __file__, str(programs), folder, user, str(controller)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert guard.stdout is not None
    if guard.stdout.readline() != b"ready\n":
        raise RuntimeError(f"PostgreSQL did not start: {guard.stdout.read().decode()}")
    return Server(folder)


def _programs() -> Path:
    """The folder of `initdb` and `postgres`, the newest version first."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    elsewhere = shutil.which("initdb")
    if elsewhere is None:
        raise NoPostgres(f"these tests need a PostgreSQL server (initdb): {HOW_TO_INSTALL}")
    return Path(elsewhere).resolve().parent


def _unprivileged() -> str:
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid()).pw_name
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def guard(programs: Path, folder: Path, user: str, controller: int) -> None:
    """Make and run the server until `controller` has ended."""
    who = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
    data = folder / "data"
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        check=True,
        cwd="/",
        stdout=subprocess.DEVNULL,
        **who,
    )
    settings = [argument for option in OPTIONS for argument in ("-c", option)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", folder, *settings],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **who,
        )
    try:
        _wait_until_ready(programs, folder, server)
        _say("ready")
        while _alive(controller) and server.poll() is None:
            time.sleep(0.3)
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(programs: Path, folder: Path, server: subprocess.Popen[bytes]) -> None:
    asking = [programs / "pg_isready", "-q", "-h", folder, "-d", "postgres"]
    while subprocess.run(asking, check=False, cwd="/").returncode != 0:
        if server.poll() is not None:
            _say((folder / "log").read_text())
            raise SystemExit(1)
        time.sleep(0.05)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    guard(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
