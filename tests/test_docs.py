"""What the documents and the docker files say is so."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import click
import pytest

from node import settings
from node.cli import COMMANDS, main

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(ROOT.glob("*.md"))
DOCKER = sorted(path for path in (ROOT / "docker").iterdir() if path.is_file())
README = ROOT / "README.md"
SETTINGS = {env for env, _, _ in settings.manual()} | {"FREEHOLD_DATA"}


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", DOCUMENTS + DOCKER + [ROOT / "Makefile"], ids=name)
def test_every_setting_that_is_named_exists(path):
    assert set(re.findall(r"FREEHOLD_[A-Z0-9_]*[A-Z0-9]", path.read_text())) <= SETTINGS


def test_the_readme_tells_every_setting():
    text = README.read_text()
    assert {env for env in SETTINGS if f"`{env}`" not in text} == set()


def test_the_readme_tells_every_command():
    text = README.read_text()
    assert {command for command in COMMANDS if f"freehold {command}" not in text} == set()


@pytest.mark.parametrize("path", DOCUMENTS + DOCKER, ids=name)
def test_every_command_and_option_that_is_shown_exists(path):
    for line in re.findall(
        r"^[ $#]*freehold ([a-z][^\n`#]*)|`freehold ([a-z][^`\n]*)`", path.read_text(), re.MULTILINE
    ):
        words = "".join(line).split()
        command = main.get_command(click.Context(main), words[0])
        assert command is not None, " ".join(words)
        if isinstance(command, click.Group) and len(words) > 1 and re.fullmatch("[a-z]+", words[1]):
            command = command.commands[words[1]]
        known = {option for parameter in command.params for option in parameter.opts + parameter.secondary_opts}
        known |= {"--help", "-h"}
        if isinstance(command, click.Group):
            known |= {option for sub in command.commands.values() for p in sub.params for option in p.opts}
        assert {re.match("--[a-z-]+", word)[0] for word in words if re.match("--[a-z]", word)} <= known, " ".join(words)


def test_every_command_can_be_loaded_and_explains_itself():
    for command, (module, summary) in COMMANDS.items():
        assert isinstance(getattr(importlib.import_module(module), command), click.Command)
        assert summary.endswith((".", "?"))


def test_every_setting_has_a_sentence():
    for env, key, meaning in settings.manual():
        assert env.startswith("FREEHOLD_")
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", key)
        assert meaning.strip().endswith("."), env


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_link_inside_the_project_leads_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text()):
        if "://" not in target and not target.startswith("mailto:"):
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_make_target_that_is_named_exists(path):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", path.read_text(), re.MULTILINE)) <= targets


def test_the_image_copies_the_packages_and_the_lock_that_exist():
    text = (ROOT / "docker" / "Dockerfile").read_text()
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for one in source.split():
            assert (ROOT / one).exists(), one
    assert re.search(r"^USER (?!root)", text, re.MULTILINE)


def test_the_lock_and_the_image_are_for_the_same_python():
    made_with = re.search(r"with Python (\S+)", (ROOT / "requirements.lock").read_text())[1]
    assert set(re.findall(r"^FROM python:(\d+\.\d+)", (ROOT / "docker" / "Dockerfile").read_text(), re.M)) == {
        made_with
    }


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock", "requirements-inputs.lock"])
def test_a_lock_holds_hashes_and_no_address(lock):
    text = (ROOT / lock).read_text()
    assert not re.search(r"://|^-|@ ", text, re.MULTILINE)
    pins = re.findall(r"^([a-z0-9._-]+)==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE))


@pytest.mark.parametrize("package", ["schemas", "keys", "federation"])
def test_the_architecture_names_every_module(package):
    text = (ROOT / "ARCHITECTURE.md").read_text()
    modules = {path.stem for path in (ROOT / package).glob("*.py")} - {"__init__"}
    assert {module for module in modules if not re.search(rf"`{module}(\.py)?`", text)} == set()


def test_every_event_that_the_readme_names_is_logged():
    """An operator's alarms hang on these names."""
    logs = README.read_text().partition("**Logs**")[2].partition("##")[0]
    named = set(re.findall(r"`([a-z]+(?:\.[a-z_]+)?)`", logs)) - {"timestamp", "level", "event"}
    sources = "".join(path.read_text() for package in ("federation", "node") for path in (ROOT / package).rglob("*.py"))
    logged = set(re.findall(r'log\.(?:info|warning|error)\(\s*"([a-z_.]+)"', sources))
    assert len(named) > 5
    assert named <= logged
