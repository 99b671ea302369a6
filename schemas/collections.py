"""Collections in pages (ActivityStreams 2.0 §5)."""

from __future__ import annotations

from typing import Any

from schemas.terms import AS_CONTEXT

MAX_ITEMS = 1_000


def ordered_collection(collection_id: str, total: int, first: str | None) -> dict[str, Any]:
    """The collection itself: how many, and where the first page is."""
    document: dict[str, Any] = {
        "@context": AS_CONTEXT,
        "id": collection_id,
        "type": "OrderedCollection",
        "totalItems": total,
    }
    if first:
        document["first"] = first
    else:
        document["orderedItems"] = []
    return document


def ordered_page(page_id: str, part_of: str, items: list[Any], following: str | None, total: int) -> dict[str, Any]:
    """One page, and where the next one is."""
    document = {
        "@context": AS_CONTEXT,
        "id": page_id,
        "type": "OrderedCollectionPage",
        "partOf": part_of,
        "totalItems": total,
        "orderedItems": items,
    }
    return document | ({"next": following} if following else {})


def items_of(document: dict[str, Any]) -> list[Any]:
    """What stands in a collection or a page of it, in its order; at most 1,000."""
    for name in ("orderedItems", "items"):
        value = document.get(name)
        if value is not None:
            return (value if isinstance(value, list) else [value])[:MAX_ITEMS]
    return []


def counted(collection_id: str, number: int) -> dict[str, Any]:
    """A collection of which only the number of its items is told."""
    return {"@context": AS_CONTEXT, "id": collection_id, "type": "OrderedCollection", "totalItems": number}


def whole(collection_id: str, items: list[Any]) -> dict[str, Any]:
    """A collection so small that it needs no pages."""
    return counted(collection_id, len(items)) | {"orderedItems": items}
