"""`freehold doctor`: is this node well?"""

from __future__ import annotations

import sys

import click

from node.cli.common import REFUSED, Options, common_options, opened, run, show

SIGNS = {"ok": "ok     ", "attend": "attend ", "broken": "broken "}


@click.command(help="Is this node well? Each line says what is, and how to mend it.")
@common_options
def doctor(options: Options) -> None:
    """Exit code 0 when nothing is broken, 1 when something is."""
    if run(_doctor, options) == "broken":
        sys.exit(REFUSED)


async def _doctor(options: Options) -> str:
    from node.doctor.examining import examine
    from node.doctor.rules import worst

    async with opened(options) as node:
        findings = await examine(node)
    lines = [f"{SIGNS[one.health]}{one.words}" + (f"\n       {one.mend}" if one.mend else "") for one in findings]
    show(options, [one._asdict() for one in findings], "\n".join(lines))
    return worst(findings)
