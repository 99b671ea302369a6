"""What a JSON-LD document says as RDF, in canonical form (RDFC-1.0), for proofs that sign that and not the JSON.

Two dangers, and what is done about them:

* Canonicalisation has no bound by itself: a few blank nodes that point at each other cost hours. So a document is
  bounded before it is looked at, and the work while it is done. It still belongs into a process with a deadline when
  the document is somebody else's (`federation.rdf_process`).
* The proof covers RDF, and everybody reads the JSON. A term that no context defines is not signed at all, and one that
  an inline context calls by another name is not found by who reads. So a document is taken only if it is what JSON-LD
  itself would write for its RDF under its contexts (VC Data Integrity 1.0 §2.4.1), and inline contexts may only add
  terms, never give what a published one has words for another name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from math import factorial
from typing import TYPE_CHECKING, Any

from schemas import contexts
from schemas.errors import Malformed, UnknownContext

if TYPE_CHECKING:
    from pyld.canon import URDNA2015

MAX_CHARACTERS = 300_000
MAX_MEMBERS = 1_000
MAX_OBJECTS = 300
MAX_DEPTH = 16
MAX_CONTEXTS = 8
MAX_TERMS = 50
MAX_TYPES = 20
MAX_BLANK_NODES = 100
MAX_PATHS = 2_000
"""Ways of numbering blank nodes that may be tried: a credential whose parts differ needs none at all."""

Contexts = Mapping[str, dict[str, Any]]

_KEYWORDS = frozenset({"@context", "@value", "@language", "@direction", "@type"})
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|^`\\]*\Z")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*\Z")
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Control characters that RDFC-1.0 escapes, and the library does not."""
_DEFINING = frozenset({"@id", "@type", "@container", "@protected"})


def canonical_quads(document: dict[str, Any], known: Contexts | None = None) -> bytes:
    """The canonical N-Quads of a document without its proof; Malformed where there are none within bounds.

    known: contexts by their URL; by default those that are bundled. None is ever fetched.
    """
    bundled = _bundled() if known is None else known
    _check_bounds(document)
    _check_context(document.get("@context"), bundled)
    from pyld import jsonld  # costs 60 ms to import

    options = {"documentLoader": _loader(bundled), "base": "", "processingMode": "json-ld-1.1"}
    try:
        expanded = jsonld.expand(document, options)
        written = jsonld.compact(expanded, document["@context"], {**options, "skipExpansion": True})
        dataset = jsonld.to_rdf(expanded, options)
    except (jsonld.JsonLdError, RecursionError, TypeError, KeyError, AttributeError, ValueError) as error:
        raise Malformed("@context", "the document cannot be read as JSON-LD") from error
    if _simplified(written) != _simplified(document):
        raise Malformed("@context", "the document says something that its contexts do not, or in other words than they")
    _check_expanded(expanded)
    _check_blank_nodes(dataset)
    return _canonical(dataset)


@cache
def _bundled() -> Contexts:
    return {url: contexts.load(url) for url in contexts.INDEX}


def _loader(bundled: Contexts) -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    """What the library asks for contexts. They never change, which spares it to look at each of them every time."""
    from pyld import FrozenDocumentLoader

    frozen = FrozenDocumentLoader(dict(bundled))
    return lambda url, options: {**frozen(url, options), "tag": "static"}


# Bounds.


def _check_bounds(document: dict[str, Any]) -> None:
    characters = objects = 0
    for members, (name, value, depth) in enumerate(_walk(document), 1):
        characters += len(name) + (len(value) if isinstance(value, str) else 8)
        objects += isinstance(value, dict)
        if members > MAX_MEMBERS or characters > MAX_CHARACTERS or objects > MAX_OBJECTS or depth > MAX_DEPTH:
            raise Malformed("", "too large a document to be read as RDF")
        _check_member(name, value, depth)


def _check_member(name: str, value: Any, depth: int) -> None:
    if name.startswith("@") and (name not in _KEYWORDS or (name == "@context" and depth > 1)):
        raise Malformed("", f"{name[:40]} is not read here")
    if name in ("type", "@type") and isinstance(value, list) and len(value) > MAX_TYPES:
        raise Malformed("type", f"more than {MAX_TYPES} types")
    if isinstance(value, str) and UNWRITABLE.search(value):
        raise Malformed("", "a text holds control characters")


def _walk(document: dict[str, Any]) -> Iterator[tuple[str, Any, int]]:
    """Everything in a document but in its context, with its name and depth, 1 for its own members."""
    waiting: list[tuple[Any, int]] = [(document, 0)]
    while waiting:
        item, depth = waiting.pop()
        inside = item.items() if isinstance(item, dict) else (("", inner) for inner in item)
        for name, inner in inside:
            yield name, inner, depth + 1
            if isinstance(inner, list) and isinstance(item, list):
                raise Malformed("", "a list inside of a list")
            if isinstance(inner, dict | list) and name != "@context":
                waiting.append((inner, depth + 1))


def _check_context(context: Any, bundled: Contexts) -> None:
    listed = context if isinstance(context, list) else [context]
    if not 0 < len(listed) <= MAX_CONTEXTS:
        raise Malformed("@context", f"no context, or more than {MAX_CONTEXTS}")
    urls = [item for item in listed if isinstance(item, str)]
    for url in urls:
        if url not in bundled:
            raise UnknownContext(url)
    if len(set(urls)) != len(urls) or (urls and not isinstance(listed[0], str)):
        raise Malformed("@context", "a context stands twice, or after one that is written out")
    taken = frozenset[str]().union(*(_meanings(bundled[url]) for url in urls))
    for item in listed:
        if not isinstance(item, str):
            _check_inline(item, taken)


def _check_inline(context: Any, taken: frozenset[str]) -> None:
    """A context that is written out may add terms of its own, and nothing else."""
    if not isinstance(context, dict) or len(context) > MAX_TERMS:
        raise Malformed("@context", "a context that is no map of terms, or too large a one")
    for term, definition in context.items():
        parts = definition if isinstance(definition, dict) else {"@id": definition}
        iri = parts.get("@id")
        simple = parts.keys() <= _DEFINING and all(isinstance(part, str | bool) for part in parts.values())
        if term.startswith("@") or not simple or not isinstance(iri, str) or not _IRI.match(iri):
            raise Malformed("@context", f"the term {term[:40]!r} is not defined in a way that is read here")
        if iri in taken:
            raise Malformed("@context", f"the term {term[:40]!r} is another name for a published one")


def _meanings(context: dict[str, Any]) -> frozenset[str]:
    """Every IRI that a published context has a term for, however deep."""
    found = set()
    waiting: list[Any] = [context]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            found |= {inner for inner in item.values() if isinstance(inner, str)}
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return frozenset(found)


# What is signed is what is read.


def _simplified(value: Any, *, top: bool = True) -> Any:
    """A document with one spelling for what JSON-LD takes for the same: one thing, and a list of it; nothing at all."""
    if isinstance(value, list):
        items = [_simplified(item, top=False) for item in value]
        return items[0] if len(items) == 1 else items
    if not isinstance(value, dict):
        return (type(value).__name__, value) if isinstance(value, bool) else value
    members = {
        name: _simplified(inner, top=False)
        for name, inner in value.items()
        if inner is not None and inner != [] and not (top and name == "@context")
    }
    return members["id"] if members.keys() == {"id"} and not top else members


def _check_expanded(expanded: Any) -> None:
    """Refuse what the way to RDF leaves out in silence, and names for blank nodes, which no proof covers."""
    waiting = [expanded]
    own_id = expanded[0].get("@id") if expanded else None
    described = 0
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            described += len(item) > 1 and item.get("@id", "") == own_id
            for name, value in item.items():
                _check_expanded_member(name, value)
            waiting += item.values()
    if described > 1:
        raise Malformed("id", "a part of it says more of the whole, where nobody looks for that")


def _check_expanded_member(name: str, value: Any) -> None:
    if name in ("@id", "@type"):
        iris = value if isinstance(value, list) else [value]
        if not all(isinstance(iri, str) and _IRI.match(iri) for iri in iris):
            raise Malformed("", "an id or a type that is no absolute IRI")
    elif name == "@language":
        if not isinstance(value, str) or not _LANGUAGE.match(value):
            raise Malformed("", "a language that is none")
    elif name not in ("@value", "@direction", "@list") and not _IRI.match(name):
        raise Malformed("", f"{name[:40]} is not read here")


def _check_blank_nodes(dataset: dict[str, Any]) -> None:
    parts = [part for triple in dataset.get("@default", ()) for part in triple.values()]
    if len({part["value"] for part in parts if part["type"] == "blank node"}) > MAX_BLANK_NODES:
        raise Malformed("", f"more than {MAX_BLANK_NODES} things without an id")


def _canonical(dataset: dict[str, Any]) -> bytes:
    quads: str = _bounded()().main(dataset, {"format": "application/n-quads"})
    return quads.encode()


@cache
def _bounded() -> type[URDNA2015]:
    """The algorithm, made to give up after `MAX_PATHS` orders of blank nodes that look alike."""
    from pyld.canon import URDNA2015

    class Bounded(URDNA2015):  # type: ignore[misc]  # pyld has no types
        paths = 0

        def create_hash_to_related(self, id_: str, issuer: Any) -> dict[str, list[str]]:
            related: dict[str, list[str]] = super().create_hash_to_related(id_, issuer)
            self.paths += sum(factorial(min(len(alike), 20)) for alike in related.values())
            if self.paths > MAX_PATHS:
                raise Malformed("", "too many things without an id that point at each other")
            return related

    return Bounded
