"""One server for one data folder."""

from __future__ import annotations

import os

import pytest

from node.errors import AlreadyRunning
from node.lock import only_server


def test_a_second_server_is_told_who_the_first_is(tmp_path):  # SECURITY 177
    with only_server(tmp_path), pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"), only_server(tmp_path):
        pass


def test_the_folder_is_free_again_afterwards(tmp_path):
    with only_server(tmp_path):
        pass
    with only_server(tmp_path):
        pass
