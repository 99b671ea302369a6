"""`freehold setup`: what the set-up page does, without a browser."""

from __future__ import annotations

import sys

import click

from node.cli.common import COULD_NOT, Options, common_options, fail, run, show


@click.command(help="Set the node up without a browser. The origin can never change afterwards.")
@click.option("--origin", required=True, metavar="URL", help="https://name, for ever.")
@click.option("--handle", "username", required=True, metavar="NAME", help="Small letters, digits and _.")
@click.option("--name", default="", help="As you want to be called. Any script.")
@click.option("--kind", type=click.Choice(["person", "collective"]), default="person", show_default=True)
@click.option("--handle-domain", default="", metavar="NAME", help="When handles live on another domain than the node.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@common_options
def setup(options: Options, **given: str | bool) -> None:
    """Refuses a second set-up, and whatever the form would refuse."""
    form = {name: value for name, value in given.items() if isinstance(value, str)}
    form["handle"] = form.pop("username")  # `handle` is already --as of every command
    run(_setup, options, form | {"password": _password("stdin" if given["password_stdin"] else "terminal")})


def _password(source: str) -> str:
    if source == "stdin":
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        fail("there is no terminal to ask for a password. Use --password-stdin.", COULD_NOT)
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


async def _setup(options: Options, form: dict[str, str]) -> None:
    from keys.phrases import new_phrase
    from keys.sealing import make_lock
    from node.accounts import rules
    from node.accounts import setup as setting_up
    from node.app import lay_ground
    from node.backup.commands import keep_lock
    from node.cli.backup import phrase_words

    settings = options.settings
    draft = rules.parse_setup(form)
    setting_up.agree(settings.node, draft)
    ground = await lay_ground(settings)
    try:
        account = await setting_up.set_up(ground.db, ground.vault, draft)
        phrase = new_phrase()
        await ground.db.write(keep_lock, make_lock(phrase))
    finally:
        await ground.db.close()
    words = f"{draft.origin} is set up for @{account.username}@{draft.handle_domain}. Start it with `freehold serve`."
    if draft.origin.startswith("http://"):
        words += " It is for trying things out: only this machine can reach it, and that can never change."
    said = {"actor": account.actor_id, "handle": account.username, "origin": draft.origin, "phrase": phrase}
    show(options, said, f"{words}\n\n{phrase_words(phrase)}")
