"""The node's master key: from the setting, else from its file, made at the very first start."""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path

from keys.vault import KEY_BYTES, new_master_key
from node.errors import SettingsError
from node.settings import Settings

FILE = "master.key"


def master_key(settings: Settings, known: str | None) -> bytes:
    """A new one only for a database that has never known any. known: the fingerprint of the one that it knows.

    Raises SettingsError when the setting or the file holds no master key, or the file is missing.
    """
    if settings.node.master_key:
        return decode(settings.node.master_key.value, "FREEHOLD_MASTER_KEY")
    path = settings.data / FILE
    try:
        return decode(path.read_text("ascii").strip(), str(path))
    except FileNotFoundError:
        if known is not None:
            raise SettingsError(
                f"{path} is missing, and this database is sealed with a master key ({known}). Restore the file from "
                "your backup, or set FREEHOLD_MASTER_KEY. Nothing was changed."
            ) from None
        return _make(path)


def encode(key: bytes) -> bytes:
    """As it stands in the file."""
    return base64.b64encode(key)


def decode(text: str, where: str) -> bytes:
    """The way back; SettingsError that says where there is no master key."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingsError(f"{where} is not a master key: it must be 32 bytes in base64. Restore it from your backup.")
    return key


def _make(path: Path) -> bytes:
    """Linked into place, so that of two first starts only one makes the key that both then use."""
    key = new_master_key()
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(encode(key))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return decode(path.read_text("ascii").strip(), str(path))
    finally:
        draft.unlink()
    return key
