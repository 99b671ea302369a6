"""Passwords, by argon2id; a hash takes 64 MiB and tens of milliseconds, so never more than two are made at once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_THREADS = ThreadPoolExecutor(2, "passwords")


async def hash_password(password: str) -> str:
    """The digest to keep, in the PHC string format."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _hasher().hash, password)


async def fits(digest: str | None, password: str) -> bool:
    """Whether a password is the one behind a digest; with no digest (nobody has that name) the same work, and no."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _fits, digest, password)


def _fits(digest: str | None, password: str) -> bool:
    from argon2.exceptions import VerificationError

    nobody = _nobody()
    try:
        return _hasher().verify(digest or nobody, password) and digest is not None
    except VerificationError:
        return False


@lru_cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # only who signs in needs it

    return PasswordHasher()


@lru_cache
def _nobody() -> str:
    """A digest that no password of anybody is behind."""
    return _hasher().hash("nobody has this password")
