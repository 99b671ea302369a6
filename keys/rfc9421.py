"""HTTP Message Signatures (RFC 9421), the newer generation.

Sent: `("@method" "@target-uri" "@authority" "content-digest");created=...;keyid="...";alg="..."`, a GET without the
digest. Accepted: exactly one signature that covers the method, the target (or authority and path) and, where there is
a body, a Content-Digest with SHA-256; with `created` and `keyid`. Parameters of components are not used by anybody in
the fediverse, and are refused.
"""

from __future__ import annotations

from datetime import datetime

from keys.errors import BadHeader, UnsupportedScheme
from keys.fields import InnerList, Item, Parameters, parse_dictionary, write
from keys.material import Algorithm, PrivateKey
from keys.message import (
    ALSO_SIGNED,
    Message,
    RequestClaim,
    check_created,
    check_digests,
    check_expires,
    check_key_id,
    check_signature,
    content_digest,
)

LABEL = "sig1"
ALGORITHMS: dict[str, Algorithm] = {"rsa-v1_5-sha256": "rsa", "ed25519": "ed25519"}  # §3.3.2, §3.3.6
_NAMES = {kind: name for name, kind in ALGORITHMS.items()}


def sign(message: Message, key_id: str, key: PrivateKey, now: datetime) -> dict[str, str]:
    """The headers to add: Signature-Input, Signature and, where there is a body, Content-Digest."""
    added = {"Content-Digest": content_digest(message.body)} if message.has_content else {}
    also = [name for name in ALSO_SIGNED if name in message.fields]
    covered = ["@method", "@target-uri", "@authority", *(name.lower() for name in added), *also]
    parameters: Parameters = {"created": int(now.timestamp()), "keyid": key_id, "alg": _NAMES[key.algorithm]}
    signed = InnerList(tuple(Item(name, {}) for name in covered), parameters)
    complete = message._replace(fields=message.fields | {name.lower(): value for name, value in added.items()})
    signature = Item(key.sign(base_of(complete, signed)), {})
    return added | {"Signature-Input": f"{LABEL}={write(signed)}", "Signature": f"{LABEL}={write(signature)}"}


def read(message: Message, now: datetime) -> RequestClaim:
    """The claim of a request that has a Signature-Input; raises as `keys.requests.read`."""
    label, signed = _only(message.fields["signature-input"])
    if not isinstance(signed, InnerList):
        raise BadHeader("Signature-Input names no covered components")
    other_label, value = _only(message.fields.get("signature", ""))
    if other_label != label or not isinstance(value, Item) or not isinstance(value.value, bytes):
        raise BadHeader(f"Signature holds no signature {label[:40]!r}")
    algorithm = _algorithm(signed.parameters)
    base = base_of(message, signed)
    covered = frozenset(str(item.value) for item in signed.items)
    _check_covered(message, covered)
    return RequestClaim(
        key_id=check_key_id(signed.parameters.get("keyid")),
        scheme="rfc9421",
        created=_check_times(signed.parameters, now),
        algorithm=algorithm,
        signature=check_signature(value.value),
        bases=(base,),
        covered=covered,
    )


def _only(text: str) -> tuple[str, InnerList | Item]:
    found = parse_dictionary(text)
    if len(found) != 1:
        raise BadHeader("a request carries exactly one signature")
    return next(iter(found.items()))


def _algorithm(parameters: Parameters) -> Algorithm | None:
    name = parameters.get("alg")
    if name is None:
        return None
    if not isinstance(name, str) or name not in ALGORITHMS:
        raise UnsupportedScheme(f"the algorithm {str(name)[:40]!r} is not used here")
    return ALGORITHMS[name]


def _check_times(parameters: Parameters, now: datetime) -> datetime:
    created, expires = parameters.get("created"), parameters.get("expires")
    if type(created) is not int:
        raise BadHeader("the signature does not say when it was created")
    if expires is not None:
        if type(expires) is not int:
            raise BadHeader("the signature expires at no time")
        check_expires(expires, now)
    return check_created(created, now)


def _check_covered(message: Message, covered: frozenset[str]) -> None:
    if "@method" not in covered:
        raise BadHeader("the signature does not cover @method")
    if "@target-uri" not in covered and not {"@authority", "@path"} <= covered:
        raise BadHeader("the signature covers neither @target-uri nor @authority and @path")
    matching = check_digests(message)
    if message.has_content and not ("content-digest" in covered and "content-digest" in matching):
        raise BadHeader("the signature does not cover a Content-Digest with sha-256")


def base_of(message: Message, signed: InnerList) -> bytes:
    """The signature base (§2.5); BadHeader when a component is missing, stands twice or is not known."""
    lines, seen = [], set()
    for item in signed.items:
        name = item.value
        if item.parameters:
            raise UnsupportedScheme("components with parameters are not read")
        if not isinstance(name, str) or name in seen:
            raise BadHeader("a covered component stands twice, or is no name")
        seen.add(name)
        lines.append(f'"{name}": {_component(message, name)}\n')
    lines.append(f'"@signature-params": {write(signed)}')
    return "".join(lines).encode("utf-8", "surrogateescape")


def _component(message: Message, name: str) -> str:
    if name.startswith("@"):
        return _derived(message, name)
    if name == "host":  # what the sender saw is our authority, whatever a proxy made of the header
        return message.authority
    value = message.fields.get(name)
    if value is None:
        raise BadHeader(f"the signature covers {name[:40]!r}, which the request has not")
    return value


def _derived(message: Message, name: str) -> str:
    """The derived components of §2.2."""
    match name:
        case "@method":
            return message.method
        case "@target-uri":
            return f"{message.scheme}://{message.authority}{message.target}"
        case "@authority":
            return message.authority
        case "@scheme":
            return message.scheme
        case "@request-target":
            return message.target
        case "@path":
            return message.path
        case "@query":
            return f"?{message.query or ''}"
        case _:
            raise UnsupportedScheme(f"the component {name[:40]!r} is not read")


def is_acceptable(value: str) -> bool:
    """Whether an Accept-Signature header (§5.1) asks for something that `sign` makes."""
    wanted = [item for item in parse_dictionary(value).values() if isinstance(item, InnerList)]
    return any(item.parameters.get("alg", "rsa-v1_5-sha256") == "rsa-v1_5-sha256" for item in wanted)
