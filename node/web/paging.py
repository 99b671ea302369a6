"""The number of a page in a query: a small whole number, whatever a stranger writes."""

from __future__ import annotations


def page_number(text: str | None, most: int) -> int:
    """1 for what is no number, never above `most`."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 6:
        return 1
    return min(max(1, int(text)), most)
