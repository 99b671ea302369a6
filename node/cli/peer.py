"""`freehold peer`: what this node thinks of whole servers."""

from __future__ import annotations

import click

from federation import host_rules
from federation.host_rules import Rule
from node.cli.common import REFUSED, Options, common_options, fail, opened, run, show

ENDED = "{count} follows ended."


@click.group(help="Which servers may speak with yours: block, limit, allow.")
def peer() -> None:
    """A rule holds for a server and all names below it, unless those have one of their own."""


@peer.command("list")
@common_options
def peer_list(options: Options) -> None:
    """Every rule, with its reason."""
    run(_list, options)


async def _list(options: Options) -> None:
    async with opened(options) as node:
        found = await node.db.read(host_rules.rules)
    words = "\n".join(f"{one.rule:<6} {one.host:<40} {one.reason}".rstrip() for one in found)
    show(options, [one._asdict() for one in found], words or "There are no rules: every server may speak.")


@peer.command()
@click.argument("host")
@click.option("--reason", default="", help="For yourself, and for who runs this node after you.")
@common_options
def block(options: Options, host: str, reason: str) -> None:
    """Take nothing from a server, ask nothing of it and send nothing to it; follows end."""
    run(_set, options, host, "block", reason)


@peer.command()
@click.argument("host")
@click.option("--reason", default="")
@common_options
def limit(options: Options, host: str, reason: str) -> None:
    """What comes from a server is only for those who follow its author."""
    run(_set, options, host, "limit", reason)


@peer.command()
@click.argument("host")
@click.option("--reason", default="")
@common_options
def allow(options: Options, host: str, reason: str) -> None:
    """Take one name out of the rule for those above it."""
    run(_set, options, host, "allow", reason)


async def _set(options: Options, host: str, rule: Rule, reason: str) -> None:
    async with opened(options) as node:
        name = host_rules.parse_host(host, node.ids.host)
        count = await node.db.write(host_rules.set_rule, name, rule, reason)
    done = {"block": "blocked", "limit": "limited", "allow": "allowed"}[rule]
    ended = f" {ENDED.format(count=count)}" if rule == "block" else ""
    show(options, {"host": name, "rule": rule, "severed": count}, f"{name} is {done}.{ended}")


@peer.command()
@click.argument("host")
@common_options
def forget(options: Options, host: str) -> None:
    """Take a rule back. What it ended does not begin again by itself."""
    run(_forget, options, host)


async def _forget(options: Options, host: str) -> None:
    async with opened(options) as node:
        name = host_rules.parse_host(host, node.ids.host)
        if not await node.db.write(host_rules.forget_rule, name):
            fail(f"{name} has no rule. `freehold peer list` shows which have.", REFUSED)
    show(options, {"host": name, "rule": None}, f"{name} has no rule any more.")
