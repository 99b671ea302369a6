"""What can be wrong with a document.

SchemaError
|-- Malformed(path, reason)     it breaks a rule of its format or a limit of ours
`-- UnknownContext(url)         it needs a JSON-LD context that is not bundled; none is ever fetched
"""

from __future__ import annotations


class SchemaError(Exception):
    """Base of all errors of this package."""


class Malformed(SchemaError):
    """A document breaks a rule of its format or a limit of ours; `path` says where, `reason` what."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


class UnknownContext(SchemaError):
    """A JSON-LD context that is not bundled."""

    def __init__(self, url: str) -> None:
        super().__init__(f"the context {url[:200]} is not bundled, and contexts are never fetched")
        self.url = url
