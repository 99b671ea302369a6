"""A mail server that keeps what it gets, on a real socket."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller

from node.settings import Secret

if TYPE_CHECKING:
    from tests.nodes import Home


class Mailbox:
    """A mail server that keeps what it gets. refuse: how it answers every recipient instead; refused: some of them."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.refuse = ""
        self.refused: dict[str, str] = {}

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        no = self.refused.get(address) or self.refuse
        if no:
            return no
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.recipients += envelope.rcpt_tos
        self.letters.append(BytesParser(policy=default).parsebytes(envelope.content))
        return "250 OK"

    def link(self, path: str) -> str:
        """The address below `path` in the newest letter."""
        text = self.letters[-1].get_content()
        found = re.search(rf"https?://\S+({re.escape(path)}\S+)", text)
        assert found, text
        return found[1]


@asynccontextmanager
async def mail_for(*homes: Home) -> AsyncIterator[Mailbox]:
    """A real mail server, which these nodes use from now on."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    await asyncio.to_thread(controller.start)
    try:
        for home in homes:
            url = Secret(f"smtp://127.0.0.1:{controller.port}?tls=no")
            object.__setattr__(home.settings.mail, "smtp_url", url)
        yield mailbox
    finally:
        await asyncio.to_thread(controller.stop)


def free_port() -> int:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
