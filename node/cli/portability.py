"""`freehold export` and `freehold import`: everything that is somebody's own, in one file."""

from __future__ import annotations

from pathlib import Path
from tarfile import is_tarfile
from tempfile import TemporaryDirectory

import click

from node.cli.common import REFUSED, Options, acting, common_options, fail, run, show


@click.command("export", help="Write everything that is yours into one archive.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@common_options
def export(options: Options, file: Path) -> None:
    """Refuses to write over a file. With the ending .tar it is one as FEP-6fcd describes, with the same in it."""
    run(_export, options, file)


async def _export(options: Options, file: Path) -> None:
    from node.portability.container import pack
    from node.portability.working import write_archive

    if file.exists():  # noqa: ASYNC240 - nobody else waits
        fail(f"{file} is there already. Choose another name, or move it away.", REFUSED)
    whole = file.absolute()  # noqa: ASYNC240
    written = whole.with_name(f"{whole.name}.zip") if whole.suffix == ".tar" else whole
    async with acting(options) as (node, author):
        counts = await write_archive(node, author.actor_id, written)
    if written != whole:
        pack(written, whole)
        written.unlink()
    words = "\n".join(f"{count:>8}  {name}" for name, count in counts.items())
    show(options, {"file": str(file), "contents": counts}, f"{file} holds everything that is yours:\n{words}")


@click.command("import", help="Take an archive in that `freehold export` has written.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@common_options
def bring(options: Options, file: Path) -> None:
    """What is here already stays, so that it may be done again."""
    run(_import, options, file)


async def _import(options: Options, file: Path) -> None:
    from node.portability.container import unpack
    from node.portability.working import read_archive

    async with acting(options) as (node, author):
        with TemporaryDirectory(dir=node.settings.data) as folder:
            if is_tarfile(file):
                unpack(file, whole := Path(folder) / "archive.zip")
                file = whole
            report = await read_archive(node, author.actor_id, file)
    show(options, report, "\n".join(_words(section) for section in report))


def _words(section: dict[str, object]) -> str:
    skipped = section["skipped"]
    assert isinstance(skipped, dict)
    left = "".join(f", {count} left out ({reason})" for reason, count in skipped.items())
    return f"{section['section']:<16} {section['restored']:>6} brought{left}"


globals()["import"] = bring  # the name of the command is a word of Python's
