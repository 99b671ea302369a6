"""`freehold user`: who lives here, and a way in for somebody who has lost theirs."""

from __future__ import annotations

import click

from node.cli.common import REFUSED, Options, common_options, fail, opened, run, show


@click.group(help="Who lives here, and a way in for somebody who has lost theirs.")
def user() -> None:
    """People are never made here: set-up makes the first."""


@user.command("list")
@common_options
def user_list(options: Options) -> None:
    """Everybody who can sign in."""
    run(_list, options)


async def _list(options: Options) -> None:
    from node.accounts import queries

    async with opened(options) as node:
        accounts = await node.db.read(queries.accounts)
    words = "\n".join(f"@{account.username}  {account.actor_id}" for account in accounts)
    shown = [{"handle": account.username, "actor": account.actor_id} for account in accounts]
    show(options, shown, words or "Nobody lives here.")


@user.command()
@click.argument("name")
@common_options
def reset(options: Options, name: str) -> None:
    """Print a link, good once and for 30 minutes, that sets a new password."""
    run(_reset, options, name)


async def _reset(options: Options, name: str) -> None:
    from node.accounts import queries, tickets

    async with opened(options) as node:
        username = name.removeprefix("@").partition("@")[0].lower()
        account = await node.db.read(queries.login, username)
        if account is None:
            fail(f"nobody here has the handle {name}. `freehold user list` shows who does.", REFUSED)
        secret = await node.db.write(tickets.issue, "link", account.account_id)
        link = f"{node.ids.origin}/reset?token={secret}"
    words = f"Open this within 30 minutes. It works once, and whoever has it can sign in as @{username}.\n\n  {link}"
    show(options, {"handle": username, "link": link, "minutes": 30}, words)
