"""What can go wrong with keys, signatures and sealed secrets.

KeysError
|-- BadHeader            signature headers or a proof that cannot be read
|-- BadKey               a key that is weak, ambiguous or unreadable
|-- BadSignature         what was signed is not what is here, or another key signed it
|   `-- Expired          outside the time in which it counts
|-- UnsupportedScheme    an algorithm or a form that is not used here
|-- NotCanonical         a value that has no canonical form (RFC 8785)
`-- WrongMasterKey       sealed under another master key

That something carries no signature at all is not an error: the readers return None.
"""

from __future__ import annotations


class KeysError(Exception):
    """Base of all errors of this package."""


class BadHeader(KeysError):
    """Signature headers or a proof that cannot be read, or that leave out what must be signed."""


class BadKey(KeysError):
    """A key that is weak, ambiguous or unreadable."""


class BadSignature(KeysError):
    """The signature does not hold for what came, under this key."""


class Expired(BadSignature):
    """Signed too long ago, too far in the future, or only for a time that is over."""


class UnsupportedScheme(KeysError):
    """An algorithm, or a form of signing, that is not used here."""


class NotCanonical(KeysError):
    """A value that has no canonical form: a number that a double cannot hold, half a character, a foreign type."""


class WrongMasterKey(KeysError):
    """Sealed under another master key, for another purpose, or damaged since."""
