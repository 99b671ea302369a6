"""Collections in pages (ActivityStreams 2.0 §5)."""

from __future__ import annotations

from typing import Any

from schemas.terms import AS_CONTEXT


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
