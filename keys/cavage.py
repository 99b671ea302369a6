"""HTTP signatures as in draft-cavage-http-signatures-12, the older generation, which most peers speak.

Sent: `(request-target) host date digest content-type` with `rsa-sha256`, a GET without the last two. Accepted:
rsa-sha256, hs2019 or nothing named; `(request-target)`, `host`, a time (`date` or `(created)`) and, where there is a
body, `digest` with SHA-256 must be covered. Some peers sign the path without its query, so both are tried.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import datetime

from keys.errors import BadHeader, UnsupportedScheme
from keys.fields import MAX_FIELD
from keys.material import Algorithm, PrivateKey
from keys.message import (
    ALSO_SIGNED,
    Message,
    RequestClaim,
    check_created,
    check_digests,
    check_expires,
    check_key_id,
    digest,
    parse_date,
    read_signature,
    write_date,
)

ALGORITHMS: dict[str, Algorithm | None] = {"rsa-sha256": "rsa", "hs2019": None}
_NAMES: dict[Algorithm, str] = {"rsa": "rsa-sha256", "ed25519": "hs2019"}
MAX_COVERED = 32

_PARAMETER = re.compile(r'\s*([A-Za-z]+)=(?:"([^"\\]*+)"|([0-9]{1,15}))\s*(?:,(?=.)|\Z)', re.DOTALL)
_SECONDS = re.compile(r"[0-9]{1,12}\Z")


def sign(message: Message, key_id: str, key: PrivateKey, now: datetime) -> dict[str, str]:
    """The headers to add: Host, Date, Signature and, where there is a body, Digest."""
    added = {"Host": message.authority, "Date": write_date(now)}
    if message.has_content:
        added["Digest"] = digest(message.body)
    complete = message._replace(fields=message.fields | {name.lower(): value for name, value in added.items()})
    covered = ["(request-target)", *(name.lower() for name in added)]
    if message.has_content and "content-type" in complete.fields:
        covered.append("content-type")
    covered += [name for name in ALSO_SIGNED if name in message.fields]
    base = _base(complete, covered, {}, complete.target)
    signature = base64.b64encode(key.sign(base)).decode("ascii")
    value = (
        f'keyId="{key_id}",algorithm="{_NAMES[key.algorithm]}",headers="{" ".join(covered)}",signature="{signature}"'
    )
    return added | {"Signature": value}


def read(message: Message, now: datetime) -> RequestClaim:
    """The claim of a request that has a Signature but no Signature-Input; raises as `keys.requests.read`."""
    parameters = _parameters(message.fields["signature"])
    name = parameters.get("algorithm", "hs2019")
    if name not in ALGORITHMS:
        raise UnsupportedScheme(f"the algorithm {name[:40]!r} is not used here")
    covered = _covered(parameters.get("headers", ""))
    _check_covered(message, covered, name)
    targets = dict.fromkeys((message.target, message.path))
    return RequestClaim(
        key_id=check_key_id(parameters.get("keyid")),
        scheme="cavage",
        created=_check_times(message, covered, parameters, now),
        algorithm=ALGORITHMS[name],
        signature=read_signature(parameters.get("signature", "")),
        bases=tuple(_base(message, covered, parameters, target) for target in targets),
        covered=frozenset(covered),
    )


def _parameters(text: str) -> dict[str, str]:
    """`name="value"` or `name=123`, separated by commas; names in lower case; BadHeader for anything else."""
    if len(text) > MAX_FIELD:
        raise BadHeader(f"a field of more than {MAX_FIELD} characters")
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _PARAMETER.match(text, at)
        if match is None:
            raise BadHeader(f"the Signature header cannot be read, at character {at}")
        name = match[1].lower()
        if name in found:
            raise BadHeader(f"{name[:40]!r} stands twice in the Signature header")
        found[name] = match[2] if match[2] is not None else match[3]
        at = match.end()
    return found


def _covered(text: str) -> list[str]:
    names = text.lower().split(" ")
    if len(names) > MAX_COVERED or len(set(names)) != len(names):
        raise BadHeader("a covered header stands twice, or too many are covered")
    return names


def _check_covered(message: Message, covered: list[str], algorithm: str) -> None:
    for name in ("(request-target)", "host"):
        if name not in covered:
            raise BadHeader(f"the signature does not cover {name}")
    if "date" not in covered and "(created)" not in covered:
        raise BadHeader("the signature covers no time")
    if algorithm == "rsa-sha256" and not {"(created)", "(expires)"}.isdisjoint(covered):
        raise BadHeader("(created) and (expires) do not go with rsa-sha256")
    matching = check_digests(message)
    if message.has_content and not ("digest" in covered and "digest" in matching):
        raise BadHeader("the signature does not cover a Digest with SHA-256")


def _check_times(message: Message, covered: list[str], parameters: dict[str, str], now: datetime) -> datetime:
    """When it was signed. Both times are looked at where both are there, and `expires` even where it is not signed."""
    times = []
    if "(created)" in covered:
        times.append(check_created(_seconds(parameters, "created"), now))
    if "date" in covered:
        times.append(check_created(parse_date(_header(message, "date")), now))
    if "(expires)" in covered or "expires" in parameters:
        check_expires(_seconds(parameters, "expires"), now)
    return times[0]


def _seconds(parameters: dict[str, str], name: str) -> int:
    text = parameters.get(name, "")
    if not _SECONDS.match(text):
        raise BadHeader(f"the signature's {name!r} is no time")
    return int(text)


def _base(message: Message, covered: list[str], parameters: dict[str, str], target: str) -> bytes:
    """The signing string (§2.3)."""
    special: dict[str, Callable[[], str]] = {
        "(request-target)": lambda: f"{message.method.lower()} {target}",
        "(created)": lambda: str(_seconds(parameters, "created")),
        "(expires)": lambda: str(_seconds(parameters, "expires")),
        "host": lambda: message.authority,  # what the sender saw, whatever a proxy made of the header
    }
    lines = [f"{name}: {special[name]() if name in special else _header(message, name)}" for name in covered]
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def _header(message: Message, name: str) -> str:
    value = message.fields.get(name)
    if value is None:
        raise BadHeader(f"the signature covers {name[:40]!r}, which the request has not")
    return value
