"""What can go wrong between servers.

    FederationError
    |-- Refused            the other side's message may not have an effect; final
    |   |-- Unauthenticated    no signature, or none that holds            401
    |   |-- Forbidden          signed, but not entitled, or blocked        403
    |   `-- Unacceptable       malformed or against a limit                400
    |-- Unreachable        somebody could not be asked for now; try again  503
    |   |-- Busy               our own budget or database is exhausted     503
    |   `-- Disconnected       the connection ended without an answer     503
    |-- Gone               the origin says that it existed and is gone     410
    |-- NotFound           the origin, or we, know nothing of it           404
    `-- Unsafe             an address or document that we must not touch

`safe` is the text for strangers; `str(error)` is for the operator's log. `retry` says whether the same attempt may
succeed later.
"""

from __future__ import annotations


class FederationError(Exception):
    """Base of all errors of this package."""

    retry = False
    status = 500
    default_safe = "Something went wrong here."

    def __init__(self, message: str, *, safe: str | None = None) -> None:
        super().__init__(message)
        self.safe = safe or self.default_safe


class Refused(FederationError):
    """The message may not have an effect."""

    status = 400
    default_safe = "This was refused."


class Unauthenticated(Refused):
    """There is no signature, or it does not hold."""

    status = 401
    default_safe = "The signature is missing or does not hold."


class Forbidden(Refused):
    """Whoever signed is not entitled to this."""

    status = 403
    default_safe = "Not allowed."


class Unacceptable(Refused):
    """The message is malformed or exceeds a published limit."""

    status = 400
    default_safe = "The message is malformed."


class Unreachable(FederationError):
    """Somebody whom we need could not be asked for now."""

    retry = True
    status = 503
    default_safe = "Could not be checked for now. Try again later."


class Busy(Unreachable):
    """Our own budget is exhausted for now."""

    default_safe = "Too busy for now. Try again later."


class Disconnected(Unreachable):
    """There was a connection, but no answer: the host is there, and perhaps chokes on this."""


class Gone(FederationError):
    """The origin says that it existed and is gone."""

    status = 410
    default_safe = "Gone."


class NotFound(FederationError):
    """Nobody knows anything of it."""

    status = 404
    default_safe = "Not found."


class Unsafe(FederationError):
    """An address or a document that must not be touched (private network, bad URL, foreign origin)."""

    status = 400
    default_safe = "That address cannot be used."
