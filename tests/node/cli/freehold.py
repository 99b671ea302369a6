"""The command line as a person has it, in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from federation.clock import Clock
from federation.storage import Database, Tx
from node.cli import main
from node.settings import load

PASSWORD = "seven quiet herons"


@dataclass(frozen=True)
class Freehold:
    """`freehold` with a data folder of its own. environ: settings of its database."""

    data: Path
    environ: dict[str, str]

    def run(self, *arguments: str, code: int = 0, input: str | None = None) -> str:
        """What it prints; it must end with `code`, and never with a traceback."""
        result = CliRunner(env=self.environ).invoke(main, [*arguments, "--data", str(self.data)], input=input)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result.output

    def json(self, *arguments: str) -> Any:
        """The same with `--json`."""
        return json.loads(self.run(*arguments, "--json"))

    async def write(self, fn: Callable[[Tx], Any]) -> Any:
        """Do something to the node's database that no command does."""
        db = await Database.open(load(self.data, self.environ).database_url, Clock())
        try:
            return await db.write(fn)
        finally:
            await db.close()

    def set_up(self) -> None:
        """For Amara, at amara.example."""
        origin = ("--origin", "https://amara.example", "--handle", "amara", "--name", "Amara Okafor")
        self.run("setup", *origin, "--password-stdin", input=f"{PASSWORD}\n")
