"""What a backup holds, how its parts are named, when the next one is due, and which old ones go. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from node.errors import NodeError
from node.language import _

FORMAT = "freehold-backup"
VERSION = 1
MANIFEST = "manifest.json"
MASTER_KEY = "master.key"
SETTINGS = "freehold.toml"
DATABASES: Mapping[str, str] = {"sqlite": "database.sqlite", "postgresql": "database.pgdump"}
MEDIA = "media/"

MAX_MANIFEST = 100_000_000  # bytes: a line for each picture
MAX_SMALL = 1_000_000  # bytes: of the master key and the settings
MAX_FILES = 2_000_000
NIGHTLY_HOUR = 3  # UTC
TOO_OLD = timedelta(hours=48)
NAME = re.compile(r"freehold-\d{4}-\d\d-\d\dT\d{6}Z\.backup\Z")
_MEDIA_NAME = re.compile(r"media/(?:[0-9a-z_-]{1,64}/){0,3}[0-9a-z_-][0-9a-z._-]{0,120}\Z")

Kind = Literal["sqlite", "postgresql"]


class BackupError(NodeError):
    """A backup cannot be made, or cannot be used; the sentence says what to do, and that nothing was changed."""


class Part(msgspec.Struct, frozen=True):
    """A file of a backup. size: in bytes; sha256: in hex."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup says of itself, as its last part. rows: how many each table has. schema: the database's version."""

    format: str
    version: int
    origin: str
    handle_domain: str
    made_at: str
    made_by: str
    database: Kind
    schema: str
    rows: dict[str, int]
    files: tuple[Part, ...]

    @property
    def pictures(self) -> int:
        """How many files of the media folder it has."""
        return sum(part.name.startswith(MEDIA) for part in self.files)

    @property
    def size(self) -> int:
        """Of all files, in bytes."""
        return sum(part.size for part in self.files)


def parse_manifest(raw: bytes, head: str) -> Manifest:
    """Read it; BackupError when it is none of ours, or newer than this code. head: the newest schema known here."""
    try:
        found = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BackupError(_("The manifest of this backup cannot be read. Take another backup.")) from error
    if found.format != FORMAT or found.version > VERSION or found.schema > head:
        raise BackupError(
            _(
                "This backup was made by a newer Freehold ({which}). Install that version, then restore.",
                which=found.made_by[:40],
            )
        )
    return found


def is_known_name(name: str) -> bool:
    """Whether a backup of ours can hold a part of this name: nothing else ever becomes a path."""
    return name in (MANIFEST, MASTER_KEY, SETTINGS, *DATABASES.values()) or bool(_MEDIA_NAME.match(name))


def file_name(now: datetime) -> str:
    """`freehold-2026-11-25T030000Z.backup`: sorted by name is sorted by time."""
    return f"freehold-{now.astimezone(UTC):%Y-%m-%dT%H%M%S}Z.backup"


def superfluous(names: Iterable[str], keep: int) -> list[str]:
    """Of the files in a folder, those of our older backups that are not kept; nothing that is named otherwise."""
    ours = sorted(name for name in names if NAME.match(name))
    return ours[: max(0, len(ours) - max(1, keep))]


def next_nightly(now: datetime) -> datetime:
    """The next 3:00 UTC."""
    today = now.astimezone(UTC).replace(hour=NIGHTLY_HOUR, minute=0, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)


def is_due(now: datetime, last: datetime | None) -> bool:
    """Whether a night has begun since the last try; the first one is made at once."""
    return last is None or next_nightly(last) <= now
