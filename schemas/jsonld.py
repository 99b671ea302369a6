"""JSON first, JSON-LD when needed.

Nearly all documents use well-known contexts in the same compact form, and go straight to the parsers. A document
whose own context gives another meaning to a term that we read is compacted with our bundled contexts first. Contexts
are never fetched: one that is not bundled is left out, so its terms mean nothing, rather than anything.
"""

from __future__ import annotations

from typing import Any

from schemas import contexts
from schemas.errors import Malformed
from schemas.terms import (
    ACTOR_CONTEXT,
    AS,
    AS_CONTEXT,
    FREEHOLD,
    GIG_TERMS,
    MODULE_TERMS,
    OM2,
    SCHEMA,
    SECURITY,
    TOOT,
    VF,
)

MAX_SLOW_BYTES_HINT = 20_000
MAX_CONTEXTS = 16
FORBIDDEN = frozenset({"@graph", "@included", "@reverse"})

_PREFIXES = {"as": AS, "vf": VF, "om2": OM2, "schema": SCHEMA, "fh": FREEHOLD, "sec": SECURITY, "toot": TOOT}
_AS_TERMS = frozenset(
    [
        "id",
        "type",
        "actor",
        "object",
        "target",
        "result",
        "to",
        "cc",
        "bto",
        "bcc",
        "audience",
        "content",
        "contentMap",
        "name",
        "nameMap",
        "summary",
        "summaryMap",
        "url",
        "href",
        "mediaType",
        "published",
        "updated",
        "deleted",
        "endTime",
        "startTime",
        "attributedTo",
        "inReplyTo",
        "tag",
        "attachment",
        "icon",
        "image",
        "inbox",
        "outbox",
        "followers",
        "following",
        "endpoints",
        "sharedInbox",
        "preferredUsername",
        "items",
        "orderedItems",
        "first",
        "next",
        "partOf",
        "totalItems",
        "formerType",
        "context",
        "Note",
        "Article",
        "Person",
        "Organization",
        "Service",
        "Application",
        "Group",
        "Create",
        "Update",
        "Delete",
        "Follow",
        "Accept",
        "Reject",
        "Undo",
        "Announce",
        "Like",
        "Block",
        "Tombstone",
        "Mention",
        "Link",
        "Image",
        "Document",
    ]
)
_SECURITY_TERMS = frozenset(
    [
        "publicKey",
        "publicKeyPem",
        "owner",
        "proof",
        "proofValue",
        "proofPurpose",
        "cryptosuite",
        "verificationMethod",
        "created",
        "publicKeyMultibase",
        "controller",
        "DataIntegrityProof",
        "Multikey",
    ]
)
_INLINE: dict[str, Any] = {**ACTOR_CONTEXT[-1], **GIG_TERMS, **MODULE_TERMS}
_OFTEN = {  # spellings of others that mean the same
    "PropertyValue": {"http://schema.org#PropertyValue", "http://schema.org/PropertyValue"},
    "value": {"http://schema.org#value", "http://schema.org/value"},
    "schema": {"http://schema.org/", "http://schema.org#", "https://schema.org/", "https://schema.org#"},
    "vf": {VF, "https://w3id.org/valueflows/", "https://w3id.org/valueflows/ont/vf#"},
    "hasUnit": {OM2 + "hasUnit", VF + "hasUnit"},
    "hasNumericalValue": {OM2 + "hasNumericalValue", VF + "hasNumericalValue"},
}


def normalise(document: dict[str, Any]) -> dict[str, Any]:
    """The document in the form that the parsers read; Malformed for constructs that nobody needs.

    Returns the same object when its contexts say nothing unusual, which costs next to nothing.
    """
    if not FORBIDDEN.isdisjoint(document):
        raise Malformed("", "@graph, @included and @reverse are not read")
    context = document.get("@context")
    if context is None or _usual(context):
        return document
    return compact(document)


def _usual(context: Any) -> bool:
    if isinstance(context, str):
        return True
    if isinstance(context, list):
        if len(context) > MAX_CONTEXTS:
            raise Malformed("@context", f"more than {MAX_CONTEXTS} contexts")
        return all(_usual(item) for item in context)
    if not isinstance(context, dict):
        return False
    return all(_harmless(term, value, context) for term, value in context.items())


def _harmless(term: str, value: Any, context: dict[str, Any]) -> bool:
    """Whether a definition leaves the terms that we read as they are."""
    if term.startswith("@"):
        return term == "@language"
    iri = value.get("@id", term) if isinstance(value, dict) else value
    if isinstance(value, dict) and ("@context" in value or "@reverse" in value):
        return False
    if not isinstance(iri, str):
        return False
    if iri.startswith("@"):
        return (term, iri) in {("id", "@id"), ("type", "@type")}
    allowed = _meanings(term)
    return allowed is None or _expand(iri, context) in allowed


def _meanings(term: str) -> set[str] | None:
    """The IRIs that a term may have, or None for a term that we do not read."""
    if term in _OFTEN:
        return _OFTEN[term]
    if term in _PREFIXES:
        return {_PREFIXES[term]}
    if term in _AS_TERMS:
        return {AS + term, f"as:{term}"} | ({"http://www.w3.org/ns/ldp#inbox"} if term == "inbox" else set())
    if term in _SECURITY_TERMS:
        return {SECURITY + term, "http://purl.org/dc/terms/created"}
    if term in _INLINE:
        value = _INLINE[term]
        return {_expand(value["@id"] if isinstance(value, dict) else value, {})}
    return None


def _expand(iri: str, context: dict[str, Any]) -> str:
    prefix, colon, rest = iri.partition(":")
    if not colon or rest.startswith("//"):
        return iri
    base = context.get(prefix, _PREFIXES.get(prefix))
    if isinstance(base, dict):
        base = base.get("@id")
    return base + rest if isinstance(base, str) else iri


def compact(document: dict[str, Any]) -> dict[str, Any]:
    """Expand with bundled contexts and compact into ours; Malformed where that cannot be done within bounds."""
    if _size(document) > MAX_SLOW_BYTES_HINT:
        raise Malformed("@context", "an unusual context on a document as large as this is not read")
    from pyld import FrozenDocumentLoader, jsonld  # costs 60 ms to import, and hardly a document needs it

    loader = FrozenDocumentLoader({url: contexts.load(url) for url in contexts.INDEX})
    known = {**document, "@context": _bundled_only(document["@context"])}
    ours = [AS_CONTEXT, "https://w3id.org/security/v1", "https://w3id.org/security/data-integrity/v1", _INLINE]
    try:
        result = jsonld.compact(known, ours, {"documentLoader": loader})
    except (jsonld.JsonLdError, RecursionError, TypeError, KeyError, AttributeError, ValueError) as error:
        raise Malformed("@context", "the document cannot be read as JSON-LD") from error
    if not isinstance(result, dict) or not FORBIDDEN.isdisjoint(result):
        raise Malformed("@context", "the document is not one object")
    return {("id" if name == "@id" else "type" if name == "@type" else name): value for name, value in result.items()}


def _bundled_only(context: Any) -> Any:
    if isinstance(context, list):
        return [_bundled_only(item) for item in context if not isinstance(item, str) or item in contexts.INDEX]
    return context if not isinstance(context, str) or context in contexts.INDEX else AS_CONTEXT


def _size(value: Any) -> int:
    if isinstance(value, dict):
        return sum(len(key) + _size(item) for key, item in value.items())
    if isinstance(value, list):
        return 1 + sum(_size(item) for item in value)
    return len(value) if isinstance(value, str) else 8
