"""`freehold identity`: the key by which others know you on any server. Its code is printed once, and kept nowhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from node.cli.common import COULD_NOT, REFUSED, Options, acting, common_options, fail, read_text, run, show

_code_option = click.option("--code-stdin", is_flag=True, help="Read the code from standard input.")


@click.group(help="The key by which others know you on any server: make it, try its code, change it, bring it along.")
def identity() -> None:
    """A node never has an open key: whatever is said with one asks for the code."""


def _code(source: str) -> str:
    from node.identity.rules import parse_code

    if source == "stdin":
        return parse_code(sys.stdin.readline())
    if not sys.stdin.isatty():
        fail("there is no terminal to ask for the code. Use --code-stdin.", COULD_NOT)
    return parse_code(str(click.prompt("Code", hide_input=True)))


def _source(code_stdin: bool) -> str:
    return "stdin" if code_stdin else "terminal"


@identity.command("show")
@common_options
def identity_show(options: Options) -> None:
    """Which key counts, which waits for its code, and which other accounts it says are you."""
    run(_show, options)


async def _show(options: Options) -> None:
    from node.identity.queries import actors_of, identities_here
    from node.identity.rules import text_of

    async with acting(options) as (node, author):
        found = await node.db.read(identities_here, author.actor_id)
        claimed = found.claimed
        accounts = await node.db.read(actors_of, claimed.did) if claimed is not None else []
    keys = found.all
    lines = [f"{one.state:<8} {one.did}  since {one.made_at:%Y-%m-%d}" for one in keys]
    value: dict[str, Any] = {
        "actor": author.actor_id,
        "did": claimed.did if claimed is not None else None,
        "accounts": accounts,
        "sealed": text_of(claimed.sealed) if claimed is not None else None,
        "keys": [{"did": one.did, "state": one.state, "made_at": one.made_at} for one in keys],
    }
    nothing = "There is no identity key yet. Make one: freehold identity make."
    show(
        options,
        value,
        "\n".join([*lines, *(f"also you: {one}" for one in accounts if one != author.actor_id)]) or nothing,
    )


@identity.command("make")
@click.option("--anew", is_flag=True, help="Also where a key counts already: what names that one stays with it.")
@common_options
def identity_make(options: Options, anew: bool) -> None:
    """A new key and its code, which is printed now and never again; then try it."""
    run(_make, options, "anew" if anew else "first")


async def _make(options: Options, which: str) -> None:
    from keys.phrases import new_phrase
    from node.identity.opening import make
    from node.identity.queries import identities_here

    code = new_phrase()
    async with acting(options) as (node, author):
        held = await node.db.read(identities_here, author.actor_id)
        if held.claimed is not None and which == "first":
            fail(f"{held.claimed.did} counts already. Change it with `freehold identity succeed`.", REFUSED)
        did = await make(node, author, code)
    words = "Nobody hears of it until you have tried the code: freehold identity try."
    show(options, {"did": did, "code": code}, f"{did}\n\n{_code_words(code)}\n{words}")


def _code_words(code: str) -> str:
    return f"Your identity code, on paper and nowhere else; it is shown this once:\n\n    {code}\n"


@identity.command("try")
@_code_option
@common_options
def identity_try(options: Options, code_stdin: bool) -> None:
    """Open the key with its code; the first time, other servers hear of it."""
    run(_try, options, _source(code_stdin))


async def _try(options: Options, source: str) -> None:
    from node.identity.opening import try_code

    async with acting(options) as (node, author):
        opened = await try_code(node, author, _code(source))
    show(options, {"did": opened.did, "state": opened.state}, f"The code opens {opened.did}.")


@identity.command("succeed")
@_code_option
@common_options
def identity_succeed(options: Options, code_stdin: bool) -> None:
    """Another key in the place of yours, which names it; asks for the code of now, prints the new one once."""
    run(_succeed, options, _source(code_stdin))


async def _succeed(options: Options, source: str) -> None:
    from keys.phrases import new_phrase
    from node.identity.opening import succeed

    new_code = new_phrase()
    async with acting(options) as (node, author):
        did = await succeed(node, author, _code(source), new_code)
    show(
        options, {"did": did, "code": new_code}, f"{did}\n\n{_code_words(new_code)}\nThe old code is worth nothing now."
    )


@identity.command("claim")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@_code_option
@common_options
def identity_claim(options: Options, file: Path, code_stdin: bool) -> None:
    """Be who you are on another server too: FILE holds the sealed key as text, as `identity show --json` prints it."""
    run(_claim, options, file, _source(code_stdin))


async def _claim(options: Options, file: Path, source: str) -> None:
    from node.identity.opening import claim
    from node.identity.rules import parse_sealed

    sealed = parse_sealed(read_text(file))
    async with acting(options) as (node, author):
        did = await claim(node, author, sealed, _code(source))
    show(options, {"did": did}, f"{author.actor_id} is {did} too.")
