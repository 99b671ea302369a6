"""Files of a backup as they stand on a disk: compressed, then sealed to the recovery phrase, in bounded memory."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from types import TracebackType
from typing import Self

from keys.errors import Damaged, UnsupportedScheme, WrongPhrase
from keys.sealing import HEADER_BYTES, Lock, Opener, Sealer, parse_header
from node.backup.rules import BackupError
from node.language import _

GZIP = 31  # zlib's number for the format of RFC 1952
STEP = 65_536
MAX_AT_ONCE = 1_048_576  # bytes that one read may inflate

WRONG_PHRASE = _("This backup was sealed to another recovery phrase. Look at your paper. Nothing was changed.")
NO_BACKUP = _("This file is no backup of Freehold's, or its beginning is damaged. Nothing was changed.")
DAMAGED = _("This backup is damaged or was cut off. Take another copy of it, or an older backup. Nothing was changed.")
NEWER = _("This backup was sealed by a newer Freehold. Install that version, then restore. Nothing was changed.")


class SealedWriter:
    """A file that only its owner may read, and that holds something only once `finish` has been called."""

    def __init__(self, path: Path, lock: Lock) -> None:
        path.unlink(missing_ok=True)  # of a backup that was killed
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._sealer = Sealer(lock)
        self._packer = zlib.compressobj(1, wbits=GZIP)
        self._file.write(self._sealer.header)

    def write(self, plain: bytes) -> int:
        """Take more."""
        self._file.write(self._sealer.update(self._packer.compress(plain)))
        return len(plain)

    def finish(self) -> int:
        """On the disk, whole; returns its size in bytes."""
        self._file.write(self._sealer.update(self._packer.flush()))
        self._file.write(self._sealer.finish())
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


class SealedReader:
    """The way back. Raises BackupError when the phrase is another one, or anything is not as it was sealed."""

    def __init__(self, path: Path, phrase: str) -> None:
        self._file = path.open("rb")
        try:
            self._opener = Opener(parse_header(self._file.read(HEADER_BYTES)), phrase)
        except WrongPhrase as error:
            self._file.close()
            raise BackupError(WRONG_PHRASE) from error
        except (Damaged, UnsupportedScheme) as error:
            self._file.close()
            raise BackupError(NO_BACKUP if isinstance(error, Damaged) else NEWER) from error
        self._unpacker = zlib.decompressobj(wbits=GZIP)
        self._ready = bytearray()
        self._packed = b""
        self._at_end = False

    def read(self, size: int) -> bytes:
        """Up to so many bytes; none only at the end, which was then the end that was sealed."""
        try:
            while len(self._ready) < size and self._more():
                pass
        except (Damaged, zlib.error) as error:
            raise BackupError(DAMAGED) from error
        given = bytes(self._ready[:size])
        del self._ready[:size]
        return given

    def _more(self) -> bool:
        """Inflate some more; False at the end."""
        if not self._packed:
            if self._at_end:
                if not self._unpacker.eof:
                    raise Damaged("the end is missing")
                return False
            self._packed = self._next()
        if self._unpacker.eof and self._packed:
            raise Damaged("there is more than was packed")
        self._ready += self._unpacker.decompress(self._packed, MAX_AT_ONCE)
        self._packed = self._unpacker.unconsumed_tail
        return True

    def _next(self) -> bytes:
        sealed = self._file.read(STEP)
        self._at_end = not sealed
        return self._opener.update(sealed) if sealed else self._opener.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
