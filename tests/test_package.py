"""What is installed is everything: the image has no other way to its templates, contexts and migrations."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("schemas", "keys", "federation", "node")


def test_the_wheel_holds_every_file_of_the_packages(tmp_path):
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    build = "from setuptools import build_meta; build_meta.build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=tmp_path, check=True, capture_output=True, env=os.environ)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        packed = set(wheel.namelist())
    files = {str(path.relative_to(tmp_path)) for name in PACKAGES for path in (tmp_path / name).rglob("*")}
    assert {file for file in files if (tmp_path / file).is_file()} <= packed
