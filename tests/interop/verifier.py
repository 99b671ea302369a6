"""`@digitalbazaar/vc` in a process of its own: what it says of a credential, and what it issues."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from schemas import contexts

FOLDER = Path(__file__).parent / "credentials"


class Verifier:
    """Answers one question after the other. documents: what can be read, by URL; nothing else is ever asked for."""

    def __init__(self) -> None:
        if not (FOLDER / "node_modules" / "@digitalbazaar").is_dir():
            pytest.fail("the other verifier is not installed: run `make peers`")
        program = [shutil.which("node") or "node", str(FOLDER / "tell.mjs")]
        self._process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.documents: dict[str, Any] = {url: contexts.load(url) for url in contexts.INDEX}

    def tell(self, verb: str, **question: Any) -> dict[str, Any]:
        """Its answer."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"verb": verb, "documents": self.documents, **question}) + "\n")
        stdin.flush()
        answer: dict[str, Any] = json.loads(stdout.readline())
        return answer

    def verify(self, credential: dict[str, Any]) -> tuple[bool, str]:
        """Whether it holds, and what is said of it."""
        answer = self.tell("verify", credential=credential)
        return answer.get("verified", False), " | ".join([*answer.get("why", []), answer.get("error", "")])

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
