"""`freehold mail`: what waits to be mailed, and whether the mail server of the settings takes anything."""

from __future__ import annotations

import click

from node.cli.common import COULD_NOT, REFUSED, Options, common_options, fail, opened, printable, run, show

WORDS = (
    "This is what you asked for with `freehold mail test`. Your node can send mail.\n\n"
    "Did it come among the unwanted mail? Then the domain of FREEHOLD_MAIL_FROM lacks an SPF or DKIM record.\n"
)


@click.group(help="What waits to be mailed, and whether the mail server takes it.")
def mail() -> None:
    """A running server sends what waits."""


@mail.command("list")
@common_options
def mail_list(options: Options) -> None:
    """What is not sent yet, or was given up within 30 days, and why."""
    run(_list, options)


async def _list(options: Options) -> None:
    from node.mail import queries

    async with opened(options) as node:
        rows = await node.db.read(queries.unsent)
    words = "\n".join(
        f"{row.state:<9} {row.attempts:>3} tries  {row.created_at:%Y-%m-%d %H:%M}  {printable(row.recipient)}  "
        f"{printable(row.last_error or '')}".rstrip()
        for row in rows
    )
    show(options, [row._asdict() for row in rows], words or "Nothing waits: every mail was sent.")


@mail.command()
@click.argument("address")
@common_options
def test(options: Options, address: str) -> None:
    """Send one mail to an address, now, and say what the mail server answers."""
    run(_test, options, address)


async def _test(options: Options, address: str) -> None:
    from node.notifications.rules import parse_address
    from node.worker import mail_worker

    async with opened(options) as node:
        if not node.settings.mail.smtp_url:
            fail("no mail server is named. Set FREEHOLD_SMTP_URL, such as smtp://user:password@host:587.", REFUSED)
        try:
            to = parse_address(address)
        except ValueError as error:
            fail(str(error), REFUSED)
        wrong = await mail_worker(node).try_out(to, f"A test from {node.ids.host}", WORDS)
    if wrong:
        fail(f"the mail server did not take it: {wrong}. Look at FREEHOLD_SMTP_URL and FREEHOLD_MAIL_FROM.", COULD_NOT)
    show(options, {"to": to, "sent": True}, f"Sent to {to}. Look whether it comes.")
