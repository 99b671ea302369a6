"""`freehold`: the commands of owners, scripts and tests. Pages are for people.

Each command lives in the module named here and is imported only when it is called: `freehold --help` stays quick.
"""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "serve": ("node.cli.serve", "Run the node; not yet set up, print one link that sets it up."),
    "setup": ("node.cli.setup", "Set the node up without a browser."),
    "demo": ("node.cli.demo", "Three nodes on this machine that follow each other, with real content."),
    "profile": ("node.cli.profile", "Show or change your profile: skills, rate, are you free yet?"),
    "gig": ("node.cli.gig", "Publish, edit, close, list and show gigs."),
    "module": ("node.cli.module", "Publish, list and show learning modules."),
    "post": ("node.cli.social", "Write a post."),
    "follow": ("node.cli.social", "Follow somebody: @name@host or an address."),
    "unfollow": ("node.cli.social", "Stop following somebody."),
    "followers": ("node.cli.social", "Who follows you."),
    "following": ("node.cli.social", "Whom you follow."),
    "block": ("node.cli.relations", "Want nothing of somebody."),
    "unblock": ("node.cli.relations", "Take a block or a mute back."),
    "mute": ("node.cli.relations", "See nothing of somebody; nobody is told."),
    "follows": ("node.cli.relations", "Whom you follow, block or mute, as a file: export, import."),
    "relay": ("node.cli.relations", "Relays that tell this node of public things."),
    "move": ("node.cli.relations", "Move to another account, or from one to this."),
    "timeline": ("node.cli.social", "What the people you follow published."),
    "pack": ("node.cli.pack", "Starter packs: show, publish or import a signed list of people."),
    "credential": ("node.cli.credential", "Credentials: give, list, show, keep or take back."),
    "endorse": ("node.cli.endorse", "Speak for a skill of somebody, signed."),
    "endorsement": ("node.cli.endorse", "Who speaks for your skills: list, accept, hide."),
    "search": ("node.cli.search", "Find what this node knows, or write its index anew."),
    "verify": ("node.cli.verify", "Check a signed document: the signature, whose key, still in force?"),
    "state": ("node.cli.operate", "Counts and a digest per table."),
    "queue": ("node.cli.operate", "What waits to be delivered, per host."),
    "key": ("node.cli.key", "The keys that your node signs with: list, rotate; and those of others: expire."),
    "identity": ("node.cli.identity", "The key by which others know you on any server: make, try, succeed, claim."),
    "mail": ("node.cli.mail", "What waits to be mailed, and whether the mail server takes it."),
    "user": ("node.cli.user", "Who lives here, and a way in for somebody who has lost theirs."),
    "export": ("node.cli.portability", "Write everything that is yours into one archive."),
    "import": ("node.cli.portability", "Take such an archive in."),
    "peer": ("node.cli.peer", "Which servers may speak with yours: block, limit, allow."),
    "doctor": ("node.cli.doctor", "Is this node well? Each line says what is, and how to mend it."),
    "backup": ("node.cli.backup", "Write the whole node into one file, sealed to your recovery phrase."),
    "restore": ("node.cli.backup", "Bring a node back from a backup, where there is none yet."),
    "migrate": ("node.cli.operate", "Bring the database to this version."),
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="freehold", prog_name="freehold")
def main() -> None:
    """Freelancing as a career, on ground that is yours."""
