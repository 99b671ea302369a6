"""The one door to HTTP signatures: sign a request, or read what a signed one claims, in either generation.

`read` checks everything that can be known without the key: the form, what is covered, the digest of the body, the
times. What is left is `RequestClaim.verify`, once the key of `RequestClaim.key_id` has been had from its origin.
"""

from __future__ import annotations

from datetime import datetime

from keys import cavage, rfc9421
from keys.errors import BadHeader
from keys.material import PrivateKey
from keys.message import Request, RequestClaim, Scheme, take_apart

__all__ = ["Request", "RequestClaim", "Scheme", "accept_signature", "read", "sign"]


def sign(request: Request, key_id: str, key: PrivateKey, scheme: Scheme, now: datetime) -> dict[str, str]:
    """The headers to add to a request so that it is signed; those it has already are left as they are.

    A fragment of the URL is never part of a request, and is left out.
    """
    message = take_apart(request._replace(url=request.url.partition("#")[0]))
    if scheme == "rfc9421":
        return rfc9421.sign(message, key_id, key, now)
    return cavage.sign(message, key_id, key, now)


def read(request: Request, now: datetime) -> RequestClaim | None:
    """What the request's signature claims; None when it carries none.

    Raises BadHeader (unreadable, or it leaves out what must be signed), BadSignature (the body is not the one whose
    digest it gives), Expired (outside of its time), UnsupportedScheme (an algorithm that is not used here).
    """
    message = take_apart(request)
    if "signature-input" in message.fields:
        return rfc9421.read(message, now)
    if "signature" in message.fields:
        return cavage.read(message, now)
    return None


def accept_signature(value: str) -> Scheme | None:
    """The scheme that a peer's Accept-Signature header asks for; None when it is for nothing that we can make."""
    try:
        return "rfc9421" if rfc9421.is_acceptable(value) else None
    except BadHeader:
        return None
