"""The packages keep to one direction, and the rules that nothing else can hold."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("schemas", "keys", "federation", "node")
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    names = set()
    for item in ast.walk(ast.parse(path.read_text())):
        if isinstance(item, ast.Import):
            names |= {alias.name for alias in item.names}
        elif isinstance(item, ast.ImportFrom) and item.module:
            names.add(item.module)
    return names


def where(pattern: str) -> set[str]:
    """The source files whose code says something."""
    return {str(path.relative_to(ROOT)) for path in SOURCES if pattern in path.read_text()}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_package_imports_only_what_is_below_it(path):
    mine = PACKAGES.index(path.relative_to(ROOT).parts[0])
    above = {name for name in imports(path) if name.split(".")[0] in PACKAGES[mine + 1 :]}
    assert not above


def test_only_authenticate_makes_a_signer():
    """A Signer is the proof that somebody was authenticated; whoever could make one could skip that."""
    makers = where("Signer(") - {"federation/types.py"}
    assert makers <= {"federation/authenticate.py"}


def test_only_settings_reads_the_environment():
    assert where("os.environ") | where("os.getenv") <= {"node/settings.py"}


def test_the_network_is_reached_in_one_place():
    """Every outgoing request passes the address guard of `federation.client`."""
    assert where("ClientSession(") <= {"federation/client.py"}
    for module in ("requests", "httpx", "urllib.request", "http.client"):
        assert not [path for path in SOURCES if module in imports(path)], module


def test_each_package_says_what_it_is_for():
    for package in PACKAGES:
        assert ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text())), package


def test_keys_and_schemas_load_without_what_is_above_them():
    """Someone may take the two lower packages alone."""
    program = (
        "import sys, pkgutil, importlib\n"
        "for name in ('schemas', 'keys'):\n"
        "    for module in pkgutil.iter_modules(importlib.import_module(name).__path__):\n"
        "        importlib.import_module(f'{name}.{module.name}')\n"
        "print(sorted({n.split('.')[0] for n in sys.modules} & {'federation', 'node', 'aiohttp', 'sqlalchemy'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


RULES = sorted((ROOT / "node").glob("*/rules.py"))


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.parent.name)
def test_rules_ask_neither_a_database_nor_a_clock(path):
    """What may be done is data and pure functions: `now` is an argument."""
    text = path.read_text()
    assert not {name.split(".")[0] for name in imports(path)} & {"sqlalchemy", "aiohttp", "asyncio", "os", "time"}
    assert not {name for name in imports(path) if name.startswith("federation.")} - {"federation.ids"}
    assert ".now(" not in text
    assert ".today(" not in text


def test_a_fault_of_ours_is_caught_only_where_nothing_is_above():
    """Anywhere else it goes up, to the worker's loop or to the pages' table of errors, and is logged once."""
    messages = {"federation/inbox.py", "federation/effects.py"}
    loops = messages | {"federation/delivery.py", "federation/sqlite.py", "node/worker.py"}
    assert where("except Exception") == loops | {"node/web/errors.py", "node/media/encoder.py"}


def test_no_function_opens_a_scope_of_its_own():
    """Queries and commands take `tx`: only who holds a node or a worker decides what one transaction is."""
    for path in sorted((ROOT / "node").glob("*/*.py")):
        if path.name in ("queries.py", "commands.py", "inbox.py", "wire.py", "rules.py", "tables.py"):
            assert "async def" not in path.read_text(), path
