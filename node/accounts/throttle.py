"""How often somebody may guess: each way in has a limit of its own (SECURITY 120).

Never keyed on what a guesser chooses alone: by the network that asks, and beside it by the account that is meant. What
a network asks beyond its own limit counts for nobody else, else one guesser could use up what is everybody's. Who is
signed in, or was in the same browser, is not held up by those who guess from elsewhere (`known`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from aiohttp import web

from federation.rates import Limiter, Rate, address_key
from node.errors import TooMany
from node.language import Sentence, _, _n

PER_ADDRESS = Rate(per_second=1 / 20, burst=10)
# An account's limit is high, and refills fast enough for its owner: nobody may lock somebody else out by guessing.
PER_ACCOUNT = Rate(per_second=1 / 10, burst=100)
# Of a million codes three count at a time, and only who knows the password gets this far.
PER_CODE = Rate(per_second=1 / 120, burst=10)
# Archives are large, so few are taken in, and few are made.
PER_ARCHIVE = Rate(per_second=1 / 1800, burst=5)
# Each is decoded and made anew; ten posts of four, and then two a minute.
PER_PICTURE = Rate(per_second=1 / 30, burst=40)


@dataclass(frozen=True, slots=True)
class Throttle:
    """The limits of passwords (by network, name, account), codes, passkeys, links, archives, pictures, identities."""

    addresses: Limiter = field(default_factory=lambda: Limiter(PER_ADDRESS))
    names: Limiter = field(default_factory=lambda: Limiter(PER_ACCOUNT))
    own: Limiter = field(default_factory=lambda: Limiter(PER_ACCOUNT))
    codes: Limiter = field(default_factory=lambda: Limiter(PER_CODE))
    passkeys: Limiter = field(default_factory=lambda: Limiter(PER_ADDRESS))
    links: Limiter = field(default_factory=lambda: Limiter(PER_ADDRESS))
    archives: Limiter = field(default_factory=lambda: Limiter(PER_ARCHIVE))
    pictures: Limiter = field(default_factory=lambda: Limiter(PER_PICTURE))
    identities: Limiter = field(default_factory=lambda: Limiter(PER_CODE))

    def take(self, peer: str | None, name: str) -> None:
        """A password, for a name. Raises TooMany, as all of these do."""
        now = time.monotonic()
        _refuse(self.addresses.take(address_key(peer), now))
        _refuse(self.names.take(name, now))

    def take_own(self, peer: str | None, account_id: int) -> None:
        """A password, from a browser in which its owner is signed in, or was before."""
        now = time.monotonic()
        _refuse(self.addresses.take(address_key(peer), now))
        _refuse(self.own.take(str(account_id), now))

    def take_code(self, account_id: int) -> None:
        """A second factor, of an account whose password was right."""
        _refuse(self.codes.take(str(account_id), time.monotonic()))

    def take_passkey(self, peer: str | None) -> None:
        """The answer of a passkey."""
        _refuse(self.passkeys.take(address_key(peer), time.monotonic()))

    def take_link(self, peer: str | None) -> None:
        """A link to a new password."""
        _refuse(self.links.take(address_key(peer), time.monotonic()))

    def take_archive(self, account_id: int) -> None:
        """An archive to be made or read."""
        _refuse(self.archives.take(str(account_id), time.monotonic()))

    def take_identity(self, account_id: int) -> None:
        """The code of an identity key: each try costs this machine a tenth of a second."""
        _refuse(self.identities.take(str(account_id), time.monotonic()))

    def take_picture(self, actor_id: str) -> None:
        """A picture that somebody here uploads."""
        wait = self.pictures.take(actor_id, time.monotonic())
        if wait:
            raise TooMany(_("These were many pictures in a short time. {again}", again=_again(wait)), wait)


def _refuse(wait: float) -> None:
    if wait:
        raise TooMany(_("There were too many attempts. {again}", again=_again(wait)), wait)


def _again(wait: float) -> Sentence:
    return _n("Try again in {count} minute.", "Try again in {count} minutes.", max(1, round(wait / 60)))


THROTTLE = web.AppKey("throttle", Throttle)
