"""Where settings come from, and what is said about wrong ones."""

from __future__ import annotations

import ipaddress

import pytest

from node.errors import SettingsError
from node.settings import Secret, default_data, load


def test_the_defaults_are_a_node_on_sqlite(tmp_path):
    settings = load(tmp_path, {})
    assert settings.database_url == f"sqlite:///{tmp_path / 'freehold.db'}"
    assert settings.media == tmp_path / "media"
    assert settings.node.origin == ""
    assert settings.network.trusted_proxies == ()


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path):
    (tmp_path / "freehold.toml").write_text(
        '[node]\norigin = "https://file.example/"\nhandle_domain = "file.example"\n[log]\nlevel = "DEBUG"\n'
    )
    settings = load(tmp_path, {"FREEHOLD_ORIGIN": "https://environment.example", "FREEHOLD_HANDLE_DOMAIN": ""})
    assert settings.node.origin == "https://environment.example"
    assert settings.node.handle_domain == ""
    assert settings.log.level == "debug"
    assert load(tmp_path, {}).node.origin == "https://file.example"


def test_lists_and_maps(tmp_path):
    settings = load(
        tmp_path,
        {
            "FREEHOLD_ALLOW_NETWORKS": "127.0.0.2/31, 10.1.0.0/16",
            "FREEHOLD_HOSTS": "A.example=127.0.0.2:8420,b.example=[::1]:443",
            "FREEHOLD_TRUSTED_PROXIES": "::1/128",
        },
    )
    assert settings.network.allow_networks == tuple(map(ipaddress.ip_network, ("127.0.0.2/31", "10.1.0.0/16")))
    assert settings.network.hosts == {"a.example": ("127.0.0.2", 8420), "b.example": ("::1", 443)}
    assert settings.network.trusted_proxies == (ipaddress.ip_network("::1/128"),)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FREEHOLD_ORIGIN", "ftp://x.example"),
        ("FREEHOLD_ORIGIN", "https://x.example/path"),
        ("FREEHOLD_ORIGIN", "http://x.example"),
        ("FREEHOLD_HANDLE_DOMAIN", "me@x.example"),
        ("FREEHOLD_ALLOW_NETWORKS", "127.0.0.1/99"),
        ("FREEHOLD_HOSTS", "a.example=b.example:1"),
        ("FREEHOLD_CLOCK_OFFSET", "an hour"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(tmp_path, name, value):
    with pytest.raises(SettingsError, match=f"^{name} cannot be read: ") as error:
        load(tmp_path, {name: value})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[node\n", "not valid TOML"),
        ("[nod]\n", r"unknown section \[nod\]"),
        ('[node]\norigni = "x"\n', "unknown setting node.origni"),
        ("node = 1\n", r"\[node\]"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path, text, says):
    (tmp_path / "freehold.toml").write_text(text)
    with pytest.raises(SettingsError, match=says):
        load(tmp_path, {})


def test_a_secret_hides_its_value(tmp_path):
    url = "postgresql+asyncpg://me:geheim@db/freehold"
    settings = load(tmp_path, {"FREEHOLD_DATABASE_URL": url, "FREEHOLD_MASTER_KEY": "geheim"})
    assert "geheim" not in repr(settings)
    assert settings.database_url == url
    assert not Secret("")


def test_where_the_data_is(tmp_path):
    assert default_data({"FREEHOLD_DATA": str(tmp_path)}) == tmp_path
    assert default_data({"XDG_DATA_HOME": str(tmp_path)}) == tmp_path / "freehold"
