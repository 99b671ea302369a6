"""What can go wrong with keys, signatures and sealed secrets.

KeysError
|-- BadHeader            signature headers or a proof that cannot be read
|-- BadKey               a key that is weak, ambiguous or unreadable
|-- BadPhrase            words that are no recovery phrase
|-- BadSignature         what was signed is not what is here, or another key signed it
|   `-- Expired          outside the time in which it counts
|-- Damaged              a sealed stream that was changed, or cut off
|-- UnsupportedScheme    an algorithm or a form that is not used here
|-- NotCanonical         a value that has no canonical form (RFC 8785)
|-- WrongMasterKey       sealed under another master key
`-- WrongPhrase          sealed to another recovery phrase

That something carries no signature at all is not an error: the readers return None.
"""

from __future__ import annotations


class KeysError(Exception):
    """Base of all errors of this package."""


class BadHeader(KeysError):
    """Signature headers or a proof that cannot be read, or that leave out what must be signed."""


class BadKey(KeysError):
    """A key that is weak, ambiguous or unreadable."""


class BadPhrase(KeysError):
    """Words that are no recovery phrase. place: which of them (from 1) is in none; 0: not one alone is wrong."""

    def __init__(self, message: str, place: int) -> None:
        super().__init__(message)
        self.place = place


class BadSignature(KeysError):
    """The signature does not hold for what came, under this key."""


class Expired(BadSignature):
    """Signed too long ago, too far in the future, or only for a time that is over."""


class Damaged(KeysError):
    """A sealed stream that is not as it was sealed: changed, cut off, or none at all."""


class UnsupportedScheme(KeysError):
    """An algorithm, or a form of signing, that is not used here."""


class NotCanonical(KeysError):
    """A value that has no canonical form: a number that a double cannot hold, half a character, a foreign type."""


class WrongMasterKey(KeysError):
    """Sealed under another master key, for another purpose, or damaged since."""


class WrongPhrase(KeysError):
    """Sealed to another recovery phrase."""
