"""The process in which credentials of strangers are turned into canonical RDF (`rdf_process` starts it, and ends it).

In, on standard input, again and again: four bytes of length (big-endian) and a JSON list of documents. Out: a byte that
says how it went, four bytes of length, and either a JSON list of N-Quads or a sentence. It reads no file and opens no
connection once it is ready, and has little memory.
"""

from __future__ import annotations

import resource
import struct
import sys

from schemas.errors import SchemaError
from schemas.rdf import canonical_quads
from schemas.strict_json import dumps
from schemas.terms import CREDENTIALS_V2, OPEN_BADGES_V3

READY, DONE, REFUSED = b"r", b"d", b"x"
MEMORY = 512 << 20
LENGTH = struct.Struct(">I")


def main() -> None:
    """Answer until standard input ends."""
    canonical_quads({"@context": [CREDENTIALS_V2, OPEN_BADGES_V3], "id": "urn:a:1", "type": "VerifiableCredential"})
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    _say(READY, b"")
    while head := sys.stdin.buffer.read(LENGTH.size):
        _say(*answer(sys.stdin.buffer.read(*LENGTH.unpack(head))))


def answer(job: bytes) -> tuple[bytes, bytes]:
    """How it went, and what came of it."""
    import json

    try:
        return DONE, dumps([canonical_quads(document).decode() for document in json.loads(job)])
    except SchemaError as error:
        return REFUSED, str(error).encode()
    except (RecursionError, MemoryError):
        return REFUSED, b"it takes more than a credential should"


def _say(how: bytes, what: bytes) -> None:
    sys.stdout.buffer.write(how + LENGTH.pack(len(what)) + what)
    sys.stdout.buffer.flush()
