"""Secrets that stand in a cookie or a link, and what is kept of them: a digest, which opens nothing.

SHA-256 alone is enough: what is digested has at least 80 random bits, so there is nothing to guess.
"""

from __future__ import annotations

import hashlib


def digest_of(secret: str) -> str:
    """64 hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()
