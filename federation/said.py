"""Sentences of this package for people: English, with what they were made of, so that they can be translated."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from federation.clock import iso

Value = str | int | datetime


class Said(str):
    """A sentence as text, that remembers its form (`{name}` stands for a value) and the values."""

    __slots__ = ("form", "values")

    form: str
    values: Mapping[str, Value]

    def __new__(cls, form: str, /, **values: Value) -> Said:
        """A time is written as ISO 8601; a value may be a sentence itself."""
        plain = {name: iso(value) if isinstance(value, datetime) else value for name, value in values.items()}
        made = super().__new__(cls, form.format_map(plain))
        made.form, made.values = form, values
        return made

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """A copy is the plain text."""
        return str, (str(self),)
