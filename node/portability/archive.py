"""The archive: one zip of JSON lines, signed documents and pictures, with a manifest that says what each file is.

In the spirit of FEP-6fcd (a container with a manifest, the actor and what it published as ActivityStreams documents)
and of FEP-9091 (one file that its owner alone can fetch for a while). Writing streams, so that memory stays flat.
Reading trusts nothing: names that no archive of ours has, a name twice, links, too many files, and files that inflate
to more than they may, are refused before anything is changed (SECURITY 103, 107).
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from node.errors import Invalid
from node.language import _
from node.portability.rows import Entry
from schemas.errors import SchemaError
from schemas.strict_json import dumps, loads_object

FORMAT = "freehold-export"
VERSION = 1
MANIFEST = "manifest.json"
README = "README.txt"
MAX_FILES = 200_000
MAX_LINES = 50_000  # of one file
MAX_LINE = 1_048_576  # bytes
MAX_PICTURE = 8_000_000
MAX_INFLATED = 8_000_000_000  # all files together, as their heads say; each is counted again when it is read
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,80}(?:/[a-z0-9][a-z0-9._-]{0,120}){0,3}(?:\.[a-z0-9]{1,5})?\Z")
_SYMLINK = 0o120000

FIELD = "archive"
NOT_OURS = _("This is not an archive that Freehold has made, or it is damaged. Nothing was changed.")
TOO_LARGE = _("This archive holds more than can be taken in. Nothing was changed.")

WORDS = """This is everything that is yours on {host}, taken along on {day}.

manifest.json     whose it is, which file holds what, and the SHA-256 of each file
*.jsonl           one JSON object on each line; "document" names the file that holds the signed original
documents/        ActivityStreams documents, byte for byte as they were signed or received
media/            your pictures
manifest.yml      the same for programs that know FEP-6fcd; with activitypub/, your actor and what you published

Another Freehold takes it in: on the page Settings, Export, or with `freehold import FILE`.
Private keys and passwords are not in it, but for your identity key, which only its code opens (identity.jsonl).
"""


class Writer:
    """Writes an archive file by file."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self.counts: dict[str, int] = {}
        self._digests: dict[str, str] = {}

    def lines(self, name: str, entries: Iterable[tuple[Entry, bytes | None]]) -> int:
        """`name`.jsonl with an object a line; what comes beside one is its signed original. Returns how many."""
        count = 0
        with tempfile.SpooledTemporaryFile(max_size=1_000_000) as spool:
            for entry, original in entries:
                line = entry
                if original is not None:
                    place = f"documents/{name}/{count:06}.json"
                    self.file(place, original)
                    line = entry | {"document": place}
                spool.write(dumps(line) + b"\n")
                count += 1
            spool.seek(0)
            self.stream(f"{name}.jsonl", iter(lambda: spool.read(65_536), b""))
        self.counts[name] = count
        return count

    def file(self, name: str, content: bytes) -> None:
        """One file."""
        self.stream(name, (content,))

    @property
    def names(self) -> list[str]:
        """Of all files so far."""
        return list(self._digests)

    def stream(self, name: str, chunks: Iterable[bytes]) -> None:
        """One file, piece by piece."""
        digest = hashlib.sha256()
        with self._zip.open(name, "w", force_zip64=True) as file:
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
        self._digests[name] = digest.hexdigest()

    def finish(self, about: dict[str, Any], words: str) -> None:
        """The manifest, and a README for whoever finds the archive in ten years."""
        self.file(README, words.encode())
        manifest = {"format": FORMAT, "version": VERSION} | about
        manifest |= {"contents": self.counts, "files": self._digests}
        with self._zip.open(MANIFEST, "w") as file:
            file.write(dumps(manifest))

    def close(self) -> None:
        """Write the directory of the zip."""
        self._zip.close()


class Reader:
    """Reads an archive that somebody brought. Raises Invalid for `archive` when it is none, or holds too much."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise Invalid({FIELD: NOT_OURS}) from error
        try:
            self._infos = _checked(self._zip.infolist())
            self.manifest = self._manifest()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()

    def _manifest(self) -> dict[str, Any]:
        raw = self.file(MANIFEST, 50_000_000)
        try:
            found = loads_object(raw or b"", max_bytes=50_000_000)
        except SchemaError as error:
            raise Invalid({FIELD: NOT_OURS}) from error
        if found.get("format") != FORMAT or found.get("version") != VERSION:
            raise Invalid({FIELD: NOT_OURS})
        return found

    def text(self, name: str) -> str:
        """A text of the manifest; Invalid when it is none."""
        value = self.manifest.get(name)
        if not isinstance(value, str) or not value or len(value) > 2_048:
            raise Invalid({FIELD: NOT_OURS})
        return value

    def lines(self, name: str) -> Iterator[Entry]:
        """The objects of `name`.jsonl, none when there is no such file. A line that is no object is left out."""
        info = self._infos.get(f"{name}.jsonl")
        if info is None:
            return
        with self._zip.open(info) as file:
            for _number in range(MAX_LINES):
                line = file.readline(MAX_LINE + 1)
                if not line or len(line) > MAX_LINE:
                    return
                try:
                    yield loads_object(line)
                except SchemaError:
                    continue

    def file(self, name: Any, limit: int) -> bytes | None:
        """The bytes of one file; None when there is none, or it has more than `limit`, or does not inflate."""
        info = self._infos.get(name) if isinstance(name, str) else None
        if info is None:
            return None
        try:
            with self._zip.open(info) as file:
                content = file.read(limit + 1)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError):
            return None
        return content if len(content) <= limit else None


def _checked(infos: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    if len(infos) > MAX_FILES or sum(info.file_size for info in infos) > MAX_INFLATED:
        raise Invalid({FIELD: TOO_LARGE})
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        is_link = (info.external_attr >> 16) & 0o170000 == _SYMLINK
        known = info.filename in (MANIFEST, README) or _NAME.match(info.filename)
        if is_link or not known or info.filename in found or info.flag_bits & 1:
            raise Invalid({FIELD: NOT_OURS})
        found[info.filename] = info
    return found
