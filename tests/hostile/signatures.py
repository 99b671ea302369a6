"""Signatures put together by hand, so that they can be wrong in one way at a time."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from federation.clock import iso
from keys import multibase
from keys.canonical import jcs, sha256
from keys.material import PrivateKey
from schemas.terms import ACTIVITY_JSON
from tests.federation.world import RemoteActor

CAVAGE = ("(request-target)", "host", "date", "digest", "content-type")
RFC9421 = ("@method", "@target-uri", "content-digest")


def digest(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def cavage(
    actor: RemoteActor,
    url: str,
    body: bytes,
    *,
    covered: Sequence[str] = CAVAGE,
    at: datetime | None = None,
    target: str | None = None,
    parameters: dict[str, str] | None = None,
    values: dict[str, str] | None = None,
    key: PrivateKey | None = None,
) -> dict[str, str]:
    """draft-cavage headers for a POST. parameters: replace those of the Signature header ("" leaves one out).

    values: what the signature is made over, where that is not what is sent.
    """
    parts = urlsplit(url)
    when = at or actor.peer.clock.now()
    sent = {
        "host": parts.netloc,
        "date": format_datetime(when.replace(microsecond=0), usegmt=True),
        "digest": f"SHA-256={digest(body)}",
        "content-type": ACTIVITY_JSON,
    }
    signed = sent | {
        "(request-target)": target or f"post {parts.path}",
        "(created)": str(int(when.timestamp())),
        **(values or {}),
    }
    base = "\n".join(f"{name}: {signed[name]}" for name in covered)
    stated = {
        "keyId": actor.key_id,
        "algorithm": "rsa-sha256",
        "headers": " ".join(covered),
        "signature": base64.b64encode((key or actor.rsa).sign(base.encode())).decode(),
    } | (parameters or {})
    stated = {name: value for name, value in stated.items() if value}
    return sent | {"signature": ",".join(f'{name}="{value}"' for name, value in stated.items())}


def rfc9421(
    actor: RemoteActor,
    url: str,
    body: bytes,
    *,
    covered: Sequence[str] = RFC9421,
    at: datetime | None = None,
    values: dict[str, str] | None = None,
    parameters: dict[str, Any] | None = None,
    key: PrivateKey | None = None,
) -> dict[str, str]:
    """RFC 9421 headers for a POST; arguments as `cavage` has them (None leaves a parameter out)."""
    parts = urlsplit(url)
    when = at or actor.peer.clock.now()
    sent = {"content-type": ACTIVITY_JSON, "content-digest": f"sha-256=:{digest(body)}:"}
    signed = sent | {
        "@method": "POST",
        "@target-uri": url,
        "@authority": parts.netloc,
        "@path": parts.path,
        **(values or {}),
    }
    stated: dict[str, Any] = {
        "created": int(when.timestamp()),
        "keyid": f'"{actor.key_id}"',
        "alg": '"rsa-v1_5-sha256"',
    } | (parameters or {})
    names = " ".join(f'"{name}"' for name in covered)
    line = f"({names})" + "".join(f";{name}={value}" for name, value in stated.items() if value is not None)
    base = "\n".join([*(f'"{name}": {signed[name]}' for name in covered), f'"@signature-params": {line}'])
    signature = base64.b64encode((key or actor.rsa).sign(base.encode())).decode()
    return sent | {"signature-input": f"sig1={line}", "signature": f"sig1=:{signature}:"}


def prove(actor: RemoteActor, document: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A proof whose signature holds, over whatever options are given (None leaves one out)."""
    stated = {
        "@context": document["@context"],
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": iso(actor.peer.clock.now()),
        "verificationMethod": actor.proof_key_id,
        "proofPurpose": "assertionMethod",
    } | options
    stated = {name: value for name, value in stated.items() if value is not None}
    value = multibase.encode(actor.ed25519.sign(sha256(jcs(stated)) + sha256(jcs(document))))
    return document | {"proof": stated | {"proofValue": value}}
