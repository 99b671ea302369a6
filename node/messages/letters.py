"""The mails of an enquiry. Pure."""

from __future__ import annotations

from node.language import _
from node.notifications.letters import Letter, letter


def confirm_question(origin: str, name: str, reader: str, secret: str, language: str) -> Letter:
    """Was it you who asked?"""
    return letter(
        language,
        _("Send your question to {reader}", reader=reader),
        _("Hello {name}, you wrote to {reader} at {origin}.", name=name, reader=reader, origin=origin),
        _("Open this link within two days, and your question is sent:"),
        f"{origin}/enquiries/confirm/{secret}",
        _("If it was not you, do nothing: then nobody gets it."),
    )


def answered(origin: str, name: str, reader: str, text: str, secret: str, language: str) -> Letter:
    """Your question has an answer."""
    return letter(
        language,
        _("{reader} has answered you", reader=reader),
        _("Hello {name}, {reader} writes:", name=name, reader=reader),
        text,
        _("To write back, open this link. An answer to this mail reaches nobody."),
        f"{origin}/enquiries/{secret}",
    )
