"""The loop that hands mails to the mail server of the settings.

The operator names that server, so it may be on a private address; nobody else can make the node connect anywhere by
mail. A mail that a crash interrupts is sent again under the same Message-ID.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from secrets import token_hex
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import structlog
from sqlalchemy.engine import Row

from federation.clock import Clock
from federation.errors import FederationError
from federation.storage import Database
from node.mail import commands
from node.mail.rules import is_final, one_line

if TYPE_CHECKING:
    from aiosmtplib import SMTP, SMTPException

POLL_SECONDS = 30.0
TIMEOUT_SECONDS = 30.0

_log = structlog.get_logger()


class Mail(NamedTuple):
    """A mail that stands in no row."""

    recipient: str
    subject: str
    text: str
    unsubscribe: str | None
    message_id: str
    created_at: datetime


class MailWorker:
    """See the module's docstring. url: smtp://user:password@host:587 (STARTTLS), smtps://... or smtp://...?tls=no.

    ca_file: a PEM file of extra certificate authorities, or empty.
    """

    def __init__(self, db: Database, clock: Clock, url: str, sender: str, host: str, *, ca_file: str = "") -> None:
        self._db = db
        self._clock = clock
        self._server = urlsplit(url)
        self._sender = sender
        self._host = host
        self._ca_file = ca_file
        self._wake = asyncio.Event()
        db.subscribe(commands.TOPIC, lambda payload: self._wake.set())

    async def run(self) -> None:
        """Work until cancelled. Without a mail server there is nothing to do, and what waits, waits."""
        while True:
            self._wake.clear()
            try:
                busy = bool(self._server.hostname) and await self.step()
            except FederationError as error:  # a locked or full database: the next round will do
                _log.warning("mail.step_failed", error=str(error)[:500])
                busy = 0
            if not busy:
                await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def step(self) -> int:
        """Send what is due, over one connection; returns how many mails were taken."""
        rows = await self._db.write(commands.take)
        if rows:
            await self._send(rows)
        return len(rows)

    async def drain(self) -> int:
        """Steps until nothing is due; returns how many mails were taken."""
        total = 0
        while taken := await self.step():
            total += taken
        return total

    async def try_out(self, to: str, subject: str, text: str) -> str:
        """Send one mail here and now, outside of the queue; returns why not, empty once the mail server has it."""
        from aiosmtplib import SMTPException

        mail = Mail(to, one_line(subject), text, None, token_hex(16), self._clock.now())
        try:
            async with self._connection() as client:
                await client.send_message(self._message(mail))
        except (SMTPException, OSError) as error:
            return one_line(_answer_of(error)[1])
        return ""

    async def check(self) -> str:
        """Connect and sign in, and send nothing; returns why not, empty when the mail server lets us in."""
        from aiosmtplib import SMTPException

        try:
            async with self._connection():
                return ""
        except (SMTPException, OSError) as error:
            return one_line(_answer_of(error)[1])

    def _connection(self) -> SMTP:
        from aiosmtplib import SMTP

        return SMTP(timeout=TIMEOUT_SECONDS, cert_bundle=self._ca_file or None, **_options(self._server))

    async def _send(self, rows: Sequence[Row[Any]]) -> None:
        from aiosmtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException

        left = list(rows)
        try:
            async with self._connection() as client:
                while left:
                    try:
                        await client.send_message(self._message(left[0]))
                    except (SMTPResponseException, SMTPRecipientsRefused) as error:
                        await self._refused(left.pop(0), error)
                    else:
                        await self._db.write(commands.sent, left.pop(0).id)
        except (SMTPException, OSError) as error:  # the connection itself: nothing is said about any mail
            for row in left:
                await self._failed(row, f"{type(error).__name__}: {error}", final=False)

    async def _refused(self, row: Row[Any], error: SMTPException) -> None:
        """About this mail alone."""
        code, words = _answer_of(error)
        await self._failed(row, words, final=is_final(code))

    async def _failed(self, row: Row[Any], reason: str, *, final: bool) -> None:
        _log.warning("mail.failed", mail=row.id, reason=reason, final=final)
        await self._db.write(commands.failed, row.id, row.attempts + 1, one_line(reason), final=final)

    def _message(self, row: Row[Any] | Mail) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = row.recipient
        message["Subject"] = row.subject
        message["Date"] = format_datetime(row.created_at)
        message["Message-ID"] = f"<{row.message_id}@{self._host.partition(':')[0]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note answers it
        if row.unsubscribe:
            message["List-Unsubscribe"] = f"<{row.unsubscribe}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
        message.set_content(row.text or "")
        return message


def _answer_of(error: Exception) -> tuple[int | None, str]:
    """What the mail server said, with its code; a mail has one recipient, so their refusal is the mail's."""
    answer = getattr(error, "recipients", [error])[0]
    code = getattr(answer, "code", None)
    return code, f"{type(error).__name__}: {error}" if code is None else f"{code} {getattr(answer, 'message', '')}"


def _options(server: SplitResult) -> dict[str, Any]:
    """What aiosmtplib wants to know."""
    encrypted = server.scheme == "smtps"
    wants_tls = parse_qs(server.query).get("tls", ["yes"])[0] != "no"
    options: dict[str, Any] = {
        "hostname": server.hostname,
        "port": server.port or (465 if encrypted else 587),
        "use_tls": encrypted,
        "start_tls": wants_tls and not encrypted,
    }
    if server.username:
        options |= {"username": unquote(server.username), "password": unquote(server.password or "")}
    return options
