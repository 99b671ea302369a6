"""The same archive as other programs look for it: FEP-6fcd (draft), a tar file with `manifest.yml` on top.

Beside our own lines stands what that names: the actor's document and its outbox, as ActivityStreams. What comes in as a
tar file is put into a zip file first, and read as any archive: it is believed no more than that.
"""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from node.errors import Invalid
from node.portability.archive import FIELD, MAX_FILES, MAX_INFLATED, NOT_OURS, TOO_LARGE
from schemas.strict_json import dumps

OUTLINE = "manifest.yml"
ACTOR = "activitypub/actor.json"
OUTBOX = "activitypub/outbox.json"
UBC_VERSION = 0.1
CHUNK = 65_536
_FEP = "https://codeberg.org/fediverse/fep/src/branch/main/fep/6fcd/fep-6fcd.md#manifest-file"
_ACTIVITYPUB = {
    "actor.json": {"url": "https://www.w3.org/TR/activitypub/#actor-objects"},
    "outbox.json": {"url": "https://www.w3.org/TR/activitystreams-core/#collections"},
}


def outline(names: Iterable[str], actor_id: str, created: str) -> bytes:
    """`manifest.yml` (FEP-6fcd, "Manifest File"): what lies on top. JSON, which is YAML (1.2) too."""
    contents: dict[str, Any] = {name.partition("/")[0]: {} for name in sorted(names)}
    contents |= {OUTLINE: {"url": _FEP}, "activitypub": {"contents": _ACTIVITYPUB}}
    client = {"name": "Freehold", "url": "https://w3id.org/freehold/ns"}
    meta = {"created": created, "createdBy": {"controller": actor_id, "client": client}}
    return dumps({"ubc-version": UBC_VERSION, "meta": meta, "contents": contents})


def outbox(actor_id: str, bodies: Iterable[bytes]) -> Iterable[bytes]:
    """An OrderedCollection of activities, piece by piece."""
    head = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{actor_id}/outbox",
        "type": "OrderedCollection",
    }
    yield dumps(head)[:-1] + b',"orderedItems":['
    count = 0
    for body in bodies:
        yield (b"," if count else b"") + body
        count += 1
    yield b'],"totalItems":%d}' % count


def pack(source: Path, target: Path) -> None:
    """A zip file of ours as a tar file, which only its owner may read; the outline comes first."""
    with zipfile.ZipFile(source) as archive:
        target.touch(0o600)
        with tarfile.open(target, "w") as made:
            for info in sorted(archive.infolist(), key=lambda info: info.filename != OUTLINE):
                member = tarfile.TarInfo(info.filename)
                member.size, member.mode = info.file_size, 0o600
                with archive.open(info) as content:
                    made.addfile(member, content)


def unpack(source: Path, target: Path) -> None:
    """The way back. Only files, and no more than an archive may hold; Invalid for `archive` otherwise."""
    try:
        with tarfile.open(source, "r:") as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
            _take_over(archive, made)
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        raise Invalid({FIELD: NOT_OURS}) from error


def _take_over(archive: tarfile.TarFile, made: zipfile.ZipFile) -> None:
    count, size = 0, 0
    while (member := archive.next()) is not None:
        if member.isdir():
            continue
        content = archive.extractfile(member) if member.isreg() else None
        if content is None:
            raise Invalid({FIELD: NOT_OURS})
        count, size = count + 1, size + member.size
        if count > MAX_FILES or size > MAX_INFLATED:
            raise Invalid({FIELD: TOO_LARGE})
        with made.open(member.name, "w", force_zip64=True) as file:
            while piece := content.read(CHUNK):
                file.write(piece)
