"""`freehold backup` and `freehold restore`: a node in one file, sealed to the recovery phrase, and back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.common import COULD_NOT, REFUSED, Options, common_options, fail, opened, read_text, run, show

if TYPE_CHECKING:
    from node.backup.rules import Manifest

SHOWN = {
    "accounts": "people who sign in",
    "actors": "people known",
    "objects": "posts, gigs and modules, yours and others'",
    "follows": "follows",
    "deliveries": "deliveries, waiting and done",
    "inbox_messages": "messages received",
}
"""Of a backup's tables, those that say something to a person."""


@click.command(help="Write the whole node into one file, sealed to your recovery phrase.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--new-phrase", is_flag=True, help="Make a recovery phrase first, and show it once.")
@common_options
def backup(options: Options, file: Path | None, new_phrase: bool) -> None:
    """Works while the node runs. Refuses to write over a file."""
    if file is None and not new_phrase:
        raise click.UsageError("Name the file, such as freehold.backup.")
    run(_backup, options, file, "new" if new_phrase else "kept")


async def _backup(options: Options, file: Path | None, phrase: str) -> None:
    from node.backup.making import back_up

    said: dict[str, Any] = {}
    words = []
    async with opened(options) as node:
        if phrase == "new":
            said["phrase"] = await _new_phrase(node)
            words.append(phrase_words(said["phrase"]))
        if file is not None:
            progress = _Progress("backing up")
            manifest = await back_up(node, file.absolute(), "command", progress)  # noqa: ASYNC240 - no look at the disk
            progress.end()
            said |= {"file": str(file), "contents": contents(manifest)}
            words.append(f"{file} holds the whole node:\n{_lines(manifest)}\nOnly your recovery phrase opens it.")
    show(options, said, "\n\n".join(words))


async def _new_phrase(node: Any) -> str:
    from keys.phrases import new_phrase
    from keys.sealing import make_lock
    from node.backup.commands import keep_lock

    phrase = new_phrase()
    await node.db.write(keep_lock, make_lock(phrase))
    return phrase


def phrase_words(phrase: str) -> str:
    """A phrase, shown once."""
    return (
        f"Your recovery phrase. Write it on paper: it is shown once, and it is not on this server.\n\n    {phrase}\n\n"
        "Backups are sealed to it. Whoever has a backup and the phrase has your node; without it no backup opens."
    )


@click.command(help="Bring a node back from a backup, where there is none yet.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--phrase-file", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="A file that holds the recovery phrase; else it is asked for.")  # fmt: skip
@common_options
def restore(options: Options, file: Path, phrase_file: Path | None) -> None:
    """Looks at all of it before anything is put in place."""
    run(_restore, options, file, read_text(phrase_file) if phrase_file else _ask())


def _ask() -> str:
    if not sys.stdin.isatty():
        fail("there is no terminal to ask for the recovery phrase. Use --phrase-file.", COULD_NOT)
    return str(click.prompt("Recovery phrase", err=True))


async def _restore(options: Options, file: Path, text: str) -> None:
    from keys.phrases import parse_phrase
    from node.backup import placing, reading
    from node.backup.making import working_folder
    from node.lock import only_server

    settings, phrase = options.settings, parse_phrase(text)
    await placing.check_target(settings)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with only_server(settings.data), working_folder(settings.data) as folder:
        if shortage := reading.shortage(file, folder):
            fail(shortage, REFUSED)
        unpacked = await reading.unpack(file, phrase, folder, settings.database_url)
        notes = await placing.place(settings, unpacked)
    manifest = unpacked.manifest
    words = [
        f"{manifest.origin} is here again, as it was on {manifest.made_at}:",
        _lines(manifest),
        *notes,
        "Everybody signs in anew. Start it with `freehold serve`, and stop the old one for ever if it still runs.",
    ]
    said = {"origin": manifest.origin, "made_at": manifest.made_at, "contents": contents(manifest), "notes": notes}
    show(options, said, "\n".join(words))


def contents(manifest: Manifest) -> dict[str, int]:
    """What a backup holds, in numbers."""
    numbers = {name: manifest.rows[name] for name in SHOWN if name in manifest.rows}
    return numbers | {"pictures": manifest.pictures, "bytes": manifest.size}


def _lines(manifest: Manifest) -> str:
    rows = [(manifest.rows[name], words) for name, words in SHOWN.items() if name in manifest.rows]
    return "\n".join(f"{count:>10}  {words}" for count, words in [*rows, (manifest.pictures, "pictures")])


class _Progress:
    """How much is done, on a terminal that somebody looks at."""

    def __init__(self, words: str) -> None:
        self._words = words
        self._shown = sys.stderr.isatty()
        self._last = -1

    def __call__(self, done: int, whole: int) -> None:
        percent = done * 100 // max(whole, 1)
        if self._shown and percent != self._last:
            self._last = percent
            click.echo(f"\r{self._words}: {percent:>3} %", nl=False, err=True)

    def end(self) -> None:
        """Off the line."""
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)
