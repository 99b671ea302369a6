"""What can go wrong on our side, each in a sentence that a person can act on.

    NodeError
    |-- SettingsError      a setting contradicts itself or its database
    |-- NotSetUp           there is no node in this database yet
    |-- AlreadySetUp       there is one, and it stays
    |-- AlreadyRunning     another server uses the data folder
    |-- Invalid            a form, field by field                             422
    |-- NotSignedIn        sign in first                                      303 to /sign-in
    |-- NotAllowed         signed in, but not for this                        403
    |-- NotFound           there is nothing here, or nothing for this reader  404
    |-- Gone               it was here, and its owner took it away            410
    |-- BadRequest         no browser of ours would have sent this            400, 408, 413
    `-- TooMany            more attempts than anybody needs                   429

`node.web.errors` turns each into a status and a page; the command line prints the sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from node.language import _


class NodeError(Exception):
    """Base of all errors of this package; `str(error)` is a sentence for the person who asked."""

    @property
    def sentence(self) -> str:
        """The same, as it was made: a page may say it in another language."""
        return self.args[0] if self.args and isinstance(self.args[0], str) else str(self)


class SettingsError(NodeError):
    """A setting cannot be read, or contradicts the database."""


class NotSetUp(NodeError):
    """The database holds no node yet."""

    def __init__(self) -> None:
        super().__init__("this server is not set up yet. Run `freehold serve` and open its link, or `freehold setup`.")


class AlreadySetUp(NodeError):
    """A second set-up; the first one stands."""

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"this server is set up already, as {origin}, and that can never change. Nothing was changed. "
            "For another server use another data folder."
        )
        self.origin = origin


class AlreadyRunning(NodeError):
    """Another server holds the data folder's lock."""

    def __init__(self, data: Path, pid: str) -> None:
        super().__init__(
            f"another Freehold server (process {pid}) already uses {data}. Stop it first, or choose another --data."
        )


class Invalid(NodeError):
    """A form that cannot be accepted: `errors` maps a field's name to what is wrong and what to do."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = dict(errors)


class NotSignedIn(NodeError):
    """The page is for somebody who is signed in."""

    def __init__(self) -> None:
        super().__init__(_("Sign in first."))


class NotAllowed(NodeError):
    """Known who asks, and it is not theirs."""

    def __init__(self, message: str = _("This belongs to somebody else.")) -> None:
        super().__init__(message)


class NotFound(NodeError):
    """Nothing here, or nothing for this reader: the two look alike."""

    def __init__(self, message: str = _("There is nothing at this address.")) -> None:
        super().__init__(message)


class Gone(NodeError):
    """It was here, and its owner took it away."""

    def __init__(self, message: str = _("This was here, and its owner took it away.")) -> None:
        super().__init__(message)


class BadRequest(NodeError):
    """A request that cannot be read, is too large, or came too slowly; `status` says which."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class TooMany(NodeError):
    """More attempts than anybody needs; `wait` is in seconds."""

    def __init__(self, message: str, wait: float) -> None:
        super().__init__(message)
        self.wait = wait
