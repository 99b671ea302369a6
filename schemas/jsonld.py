"""JSON first, JSON-LD when needed.

Nearly all documents use well-known contexts in the same compact form, and go straight to the parsers. A document that
gives another meaning to a term that we read, in its own context or in one of an object inside, or that writes such a
term in another way, is compacted with our bundled contexts first. Contexts are never fetched: one that is not bundled
is left out, so its terms mean nothing, rather than anything. Proofs cover the document as it came, not its rewriting,
and are left out of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import islice
from typing import Any

import msgspec

from schemas import contexts
from schemas.errors import Malformed
from schemas.identities import with_signed
from schemas.terms import (
    ACTOR_CONTEXT,
    AS,
    AS_CONTEXT,
    CARD_TERMS,
    DATA_INTEGRITY_V1,
    FREEHOLD,
    GIG_TERMS,
    MODULE_TERMS,
    MULTIKEY_V1,
    OM2,
    SCHEMA,
    SECURITY,
    SECURITY_V1,
    TOOT,
    VF,
)

MAX_CHARACTERS = 20_000
MAX_MEMBERS = 600
MAX_OBJECTS = 60
"""A document over these is not worth rewriting, which costs 700 times what reading JSON costs: up to 1 ms an object."""
MAX_CONTEXTS = 16
MAX_REMEMBERED = 4_096
MAX_NAMES = 4_000
FORBIDDEN = frozenset({"@graph", "@included", "@reverse"})

_PREFIXES = {"as": AS, "vf": VF, "om2": OM2, "schema": SCHEMA, "fh": FREEHOLD, "sec": SECURITY, "toot": TOOT}
_PREFIX_ENDS = (":", "/", "?", "#", "[", "]", "@")  # JSON-LD 1.1 §4.2: what a simple term must end in to be a prefix
_ALIASES = {("id", "@id"), ("type", "@type")}
_UNSIGNED = ("proof", "signature")
_SECURITY_TERMS = (
    *("publicKey", "publicKeyPem", "owner", "publicKeyMultibase", "controller", "Multikey", "DataIntegrityProof"),
    *("proof", "proofValue", "proofPurpose", "cryptosuite", "verificationMethod", "created", "revoked"),
)
_INLINE: dict[str, Any] = {
    **ACTOR_CONTEXT[-1],
    **GIG_TERMS,
    **MODULE_TERMS,
    **CARD_TERMS,
    "sensitive": "as:sensitive",
    "movedTo": {"@id": "as:movedTo", "@type": "@id"},
    "votersCount": "toot:votersCount",
    "quote": {"@id": "https://w3id.org/fep/044f#quote", "@type": "@id"},
    "quoteUrl": {"@id": "as:quoteUrl", "@type": "@id"},
    "quoteUri": {"@id": "http://fedibird.com/ns#quoteUri", "@type": "@id"},
    "_misskey_quote": {"@id": "https://misskey-hub.net/ns#_misskey_quote", "@type": "@id"},
}
_OFTEN = {  # spellings of others that mean the same
    "PropertyValue": {"http://schema.org/PropertyValue"},
    "value": {"http://schema.org/value"},
    "schema": {"http://schema.org#", "https://schema.org/", "https://schema.org#"},
    "vf": {"https://w3id.org/valueflows/"},
    "hasUnit": {VF + "hasUnit"},
    "hasNumericalValue": {VF + "hasNumericalValue"},
    "inbox": {AS + "inbox"},
    "created": {"http://purl.org/dc/terms/created"},
    "expires": {SECURITY + "expiration", AS + "endTime"},  # of a key, and as Lemmy has it, of a ban
    "_misskey_quote": {"https://misskey-hub.net/ns/#_misskey_quote", "https://misskey.io/ns#_misskey_quote"},
}
NOT_READ = ("subject", "webfinger", "size")  # others define them differently, and no decision depends on them


def normalise(document: dict[str, Any]) -> dict[str, Any]:
    """The document in the form that the parsers read; Malformed for constructs that nobody needs.

    Returns the same object when it says nothing unusual, which costs next to nothing.
    """
    if "@id" not in document and "@type" not in document and _is_plain(document):
        return document
    return with_signed(compact(document), document)


def _is_plain(document: dict[str, Any]) -> bool:
    """Whether no object in it says more than a reader of plain JSON sees; Malformed for what is forbidden anywhere."""
    top = document.get("@context", AS_CONTEXT)
    unread = _unread_under(top)
    if unread is None:
        return False
    waiting: list[Any] = [document]
    while waiting:
        item = waiting.pop()
        if type(item) is list:
            waiting += [inner for inner in item if type(inner) is dict or type(inner) is list]
            continue
        if "@context" in item and item["@context"] != top:
            more = _unread_under(item["@context"])
            if more is None:
                return False
            if not more <= unread:  # they count for all that is still to be looked at, which is more than need be
                unread |= more
            if len(unread) > MAX_NAMES:
                return False
        if not unread.isdisjoint(item):
            _check_allowed(item)
            return False
        if ("@id" in item and "id" in item) or ("@type" in item and "type" in item):
            raise Malformed("", "an object has two ids or types")
        for name, inner in item.items():
            if (type(inner) is dict or type(inner) is list) and name != "@context":
                waiting.append(inner)
    return True


def _check_allowed(item: dict[str, Any]) -> None:
    if not FORBIDDEN.isdisjoint(item):
        raise Malformed("", "@graph, @included and @reverse are not read")


@cache
def _unread() -> frozenset[str]:
    """Names that mean something in JSON-LD and nothing to a reader of plain JSON."""
    spelt_out = {name for term in _meanings() for name in (f"as:{term}", AS + term)}
    return frozenset(spelt_out | FORBIDDEN | {"@value", "@list", "@set", "@nest", "@index"})


def _unread_under(context: Any) -> frozenset[str] | None:
    """The names that mean something under a context and nothing to us; None where it changes what we read."""
    if isinstance(context, str):
        return _unread()
    written = msgspec.json.encode(context)
    return _known(written) if len(written) <= MAX_REMEMBERED else _look(context)


@lru_cache(256)
def _known(context: bytes) -> frozenset[str] | None:
    """The same few contexts come again and again."""
    return _look(msgspec.json.decode(context))


def _look(context: Any) -> frozenset[str] | None:
    if not _usual(context):
        return None
    names = _other_names(context)
    return None if len(names) > MAX_NAMES else _unread() | names


def _usual(context: Any) -> bool:
    if isinstance(context, str):
        return True
    if isinstance(context, list):
        if len(context) > MAX_CONTEXTS:
            raise Malformed("@context", f"more than {MAX_CONTEXTS} contexts")
        return all(not isinstance(item, list) and _usual(item) for item in context)
    return isinstance(context, dict) and _leaves_terms(context)


def _leaves_terms(context: dict[str, Any]) -> bool:
    return all(_harmless(term, value, context) for term, value in context.items())


def _harmless(term: str, value: Any, context: dict[str, Any]) -> bool:
    """Whether a definition leaves the terms that we read as they are."""
    if term.startswith("@"):
        return term in ("@language", "@version")
    iri = value.get("@id", term) if isinstance(value, dict) else value
    if not isinstance(iri, str):
        return False
    if iri.startswith("@"):
        return isinstance(value, str) and (term, value) in _ALIASES
    if isinstance(value, dict) and ("@context" in value or "@reverse" in value):
        return False
    allowed = _meanings().get(term)
    if ":" in term:  # `schema:name`: what is spelt as an IRI means that one (JSON-LD 1.1 API §4.2.2, 14.2.5)
        allowed = frozenset([_expand(term, context)])
    if allowed is None:
        return True
    return _expand(iri, context) in allowed and (isinstance(value, str) or _same_form(term, value))


def _other_names(context: Any) -> frozenset[str]:
    """By which names of its own a usual context says what ActivityStreams has names for, and we read under those."""
    if isinstance(context, list):
        return frozenset[str]().union(*map(_other_names, context))
    return _names_in(context) if isinstance(context, dict) else frozenset()


def _names_in(context: dict[str, Any]) -> frozenset[str]:
    """Of `{"boss": "as:actor"}` that is `boss`; of a prefix `q` for ActivityStreams, `q:actor` and all such.

    Not many more than `MAX_NAMES`: a document with so many is not read for plain anyway.
    """
    read = _meanings()
    found: set[str] = set()
    for term, value in context.items():
        iri = value.get("@id", term) if isinstance(value, dict) else value
        if term in read or not isinstance(iri, str):
            continue
        full = _expand(iri, context)
        if full.startswith(AS):
            found |= {term} if full.removeprefix(AS) in read else set()
        if full and AS.startswith(full):
            found |= {f"{term}:{AS.removeprefix(full)}{name}" for name in read}
        if len(found) > MAX_NAMES:
            break
    return frozenset(found)


def _same_form(term: str, definition: dict[str, Any]) -> bool:
    """Whether the values of a term that we read are still written as we read them."""
    kind, container = definition.get("@type"), definition.get("@container")
    written = ("@language", None) if term.endswith("Map") else ("@set", "@list", None)
    return (
        definition.keys() <= {"@id", "@type", "@container"}
        and (kind is None or kind == "@id" or (isinstance(kind, str) and not kind.startswith("@")))
        and (container is None or (isinstance(container, str) and container in written))
    )


@cache
def _meanings() -> dict[str, frozenset[str]]:
    """The IRIs that each term that we read may stand for."""
    normative = contexts.load(AS_CONTEXT)["@context"]
    found: dict[str, set[str]] = {name: {iri} for name, iri in _PREFIXES.items()}
    found |= {term: {SECURITY + term} for term in _SECURITY_TERMS}
    for known in (normative, _INLINE):
        for term, value in known.items():
            if not term.startswith("@") and term not in _PREFIXES:
                iri = _expand(value["@id"] if isinstance(value, dict) else value, known)
                found.setdefault(term, set()).add(iri)
    for term, others in _OFTEN.items():
        found.setdefault(term, set()).update(others)
    for term in NOT_READ:
        found.pop(term, None)
    return {term: frozenset(iris) for term, iris in found.items()}


def _expand(iri: str, context: dict[str, Any]) -> str:
    """A compact IRI in full, by a prefix of the same context or one of ours; others stay as they are."""
    prefix, colon, rest = iri.partition(":")
    if not colon or rest.startswith("//"):
        return iri
    base = context.get(prefix, _PREFIXES.get(prefix))
    return base + rest if isinstance(base, str) and base.endswith(_PREFIX_ENDS) else iri


def compact(document: dict[str, Any]) -> dict[str, Any]:
    """Expand with bundled contexts and compact into ours; Malformed where that cannot be done within bounds."""
    _check_bounds(document)
    from pyld import FrozenDocumentLoader, jsonld  # costs 60 ms to import, and hardly a document needs it

    loader = FrozenDocumentLoader({url: contexts.load(url) for url in contexts.INDEX})
    ours = [AS_CONTEXT, SECURITY_V1, DATA_INTEGRITY_V1, MULTIKEY_V1, _INLINE]
    try:
        result = jsonld.compact(_bundled_only(_with_context(document)), ours, {"documentLoader": loader})
    except (jsonld.JsonLdError, RecursionError, TypeError, KeyError, AttributeError, ValueError) as error:
        raise Malformed("@context", "the document cannot be read as JSON-LD") from error
    if not isinstance(result, dict):
        raise Malformed("@context", "the document is not one object")
    _check_everywhere(result)
    return result


def _with_context(document: dict[str, Any]) -> dict[str, Any]:
    """The document, with the ActivityStreams context in front where it names contexts and not that one (AS2 §2.1.3).

    Before all of them stand the usual prefixes: Fedify 1.5.9 writes `sec:assertionMethod` under a context that is not
    bundled. What the document itself says about a prefix comes later, and counts.
    """
    context = document.get("@context", [])
    if context is None:
        return document
    listed = context if isinstance(context, list) else [context]
    normative = [] if AS_CONTEXT in listed else [AS_CONTEXT]
    return document | {"@context": [_PREFIXES, *normative, *listed]}


def _bundled_only(value: Any) -> Any:
    """The value without proofs and without contexts that are not bundled; Malformed for what is forbidden anywhere."""
    if isinstance(value, list):
        return [_bundled_only(item) for item in value]
    if not isinstance(value, dict):
        return value
    _check_allowed(value)
    return {
        name: _known_contexts(inner) if name == "@context" else _bundled_only(inner)
        for name, inner in value.items()
        if name not in _UNSIGNED
    }


def _known_contexts(context: Any) -> Any:
    if isinstance(context, list):
        return [_known_contexts(item) for item in context if not isinstance(item, str) or item in contexts.INDEX]
    if isinstance(context, str):
        return context if context in contexts.INDEX else []
    return context


def _check_bounds(document: dict[str, Any]) -> None:
    """Refuse what would take long: much of anything, or contexts inside of contexts, which are processed once a use."""
    members = list(islice(_members(document), MAX_MEMBERS + 1))
    characters = sum(len(name) + (len(value) if isinstance(value, str) else 8) for name, value in members)
    objects = sum(isinstance(value, dict) for _, value in members)
    if len(members) > MAX_MEMBERS or characters > MAX_CHARACTERS or objects > MAX_OBJECTS:
        raise Malformed("@context", "an unusual context on a document as large as this is not read")
    listed = [value if isinstance(value, list) else [value] for name, value in members if name == "@context"]
    if sum(map(len, listed)) > MAX_CONTEXTS:
        raise Malformed("@context", f"more than {MAX_CONTEXTS} contexts")
    if any(isinstance(context, list) for contexts_here in listed for context in contexts_here):
        raise Malformed("@context", "a list of contexts inside of a list")
    if any(name == "@context" for name, _ in _members(listed)):
        raise Malformed("@context", "a context inside of a context is not read")


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Everything inside a value with its name, or with none for an item of a list; without recursion."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        inside = item.items() if isinstance(item, dict) else (("", inner) for inner in item)
        for name, inner in inside:
            yield name, inner
            if isinstance(inner, dict | list):
                waiting.append(inner)


def _check_everywhere(value: Any) -> None:
    if isinstance(value, dict):
        _check_allowed(value)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_everywhere(inner)
