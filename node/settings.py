"""Every setting, once: where it is read, what it means, what it is when nobody says anything.

A setting comes from the environment (`FREEHOLD_*`), else from `freehold.toml` in the data folder, else from its
default. Nothing else in the project reads the environment. The sentence behind each setting is its manual.
"""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from node.accounts.rules import parse_domain, parse_origin
from node.errors import SettingsError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must not be seen in a log or a traceback."""

    value: str

    def __repr__(self) -> str:
        return "Secret(...)" if self.value else "Secret()"

    def __bool__(self) -> bool:
        return bool(self.value)


def _setting(env: str, meaning: str, default: Any, read: Callable[[str], Any] = str) -> Any:
    metadata = {"env": env, "meaning": meaning, "read": read}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def _hosts(text: str) -> dict[str, tuple[str, int]]:
    hosts = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, target = part.partition("=")
        address, _, port = target.rpartition(":")
        ipaddress.ip_address(address.strip("[]"))
        hosts[name.strip().lower()] = (address.strip("[]"), int(port))
    return hosts


def _count(text: str) -> int:
    return _at_least(1, text)


def _days(text: str) -> int:
    return _at_least(7, text)


def _at_least(least: int, text: str) -> int:
    number = int(text)
    if not least <= number <= 100_000:
        raise ValueError(f"it must be a number of at least {least}")
    return number


def _smtp_url(text: str) -> Secret:
    parsed = urlsplit(text)
    if parsed.scheme not in ("smtp", "smtps") or not parsed.hostname or (parsed.port is not None and not parsed.port):
        raise ValueError("it must begin with smtp:// or smtps:// and name a host")
    return Secret(text)


def _mail_sender(text: str) -> str:
    address = parseaddr(text)[1]
    if not text.isprintable() or address.count("@") != 1 or not all(address.split("@")):
        raise ValueError("it must hold a mail address")
    return text


def _yes(text: str) -> bool:
    """Yes or no, in the forms that people write."""
    words = {"yes": True, "true": True, "1": True, "on": True, "no": False, "false": False, "0": False, "off": False}
    if text.strip().lower() not in words:
        raise ValueError("write yes or no")
    return words[text.strip().lower()]


def _megabytes(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 10 <= int(text[:9]) <= 10_000_000:
        raise ValueError("write a whole number of megabytes, from 10 on")
    return int(text)


@dataclass(frozen=True)
class NodeSettings:
    """Where the node lives, and for whom it speaks."""

    origin: str = _setting(
        "FREEHOLD_ORIGIN",
        "The node's address, `https://name`, for ever. Set-up asks for it; when set here it must agree with the "
        "database. `http://127.0.0.x:port` and `http://localhost:port` are for trying things out.",
        "",
        parse_origin,
    )
    handle_domain: str = _setting(
        "FREEHOLD_HANDLE_DOMAIN",
        "The domain of handles when they live on another name than the node (`@me@mysite.eu` served by "
        "`node.mysite.eu`), as permanent as the origin. Empty: the origin's own name.",
        "",
        parse_domain,
    )
    master_key: Secret = _setting(
        "FREEHOLD_MASTER_KEY",
        "Seals the private keys (base64, 32 bytes). Empty: the file `master.key` in the data folder, mode 0600, made "
        "at the first start. Without it no sealed key can be opened again.",
        Secret(""),
        Secret,
    )
    clock_offset: float = _setting(
        "FREEHOLD_CLOCK_OFFSET", "Seconds by which the node's clock is moved; for tests.", 0.0, float
    )


@dataclass(frozen=True)
class StorageSettings:
    """Where the node keeps what it knows."""

    database_url: Secret = _setting(
        "FREEHOLD_DATABASE_URL",
        "Empty: SQLite in the data folder. `postgresql+asyncpg://user:password@host/name`: PostgreSQL, for a shared "
        "server (install the `postgres` extra).",
        Secret(""),
        Secret,
    )

    media_cache_mb: int = _setting(
        "FREEHOLD_MEDIA_CACHE_MB",
        "How many megabytes of pictures of other servers are kept; those that nobody looked at longest make room.",
        1_000,
        _megabytes,
    )
    backup_dir: str = _setting(
        "FREEHOLD_BACKUP_DIR",
        "A folder for a backup every night at 3:00 UTC, sealed to the recovery phrase. Empty: the page `/setup/keys` "
        "decides whether there are any, in the folder `backups` of the data folder. Better another disk.",
        "",
    )
    backup_keep: int = _setting(
        "FREEHOLD_BACKUP_KEEP", "How many of those backups are kept, the newest ones.", 14, _count
    )
    keep_remote_days: int = _setting(
        "FREEHOLD_KEEP_REMOTE_DAYS",
        "For how many days things of other servers are kept that nobody here wrote, answered, liked, passed on or was "
        "addressed by. At least 7.",
        60,
        _days,
    )
    keep_messages_days: int = _setting(
        "FREEHOLD_KEEP_MESSAGES_DAYS",
        "For how many days it is kept who sent which message, and what became of it. At least 7.",
        30,
        _days,
    )
    keep_deliveries_days: int = _setting(
        "FREEHOLD_KEEP_DELIVERIES_DAYS",
        "For how many days it is kept when each delivery was made; who ever got a thing is kept for as long as the "
        "thing. At least 7.",
        30,
        _days,
    )


@dataclass(frozen=True)
class NetworkSettings:
    """How the node reaches others, and who stands in front of it."""

    ca_file: str = _setting(
        "FREEHOLD_CA_FILE", "A PEM file of extra certificate authorities for outgoing requests.", ""
    )
    allow_networks: tuple[Network, ...] = _setting(
        "FREEHOLD_ALLOW_NETWORKS",
        "Private networks that outgoing requests may reach all the same, such as `127.0.0.2/31,10.1.0.0/16`. Empty: "
        "none.",
        (),
        _networks,
    )
    hosts: dict[str, tuple[str, int]] = _setting(
        "FREEHOLD_HOSTS",
        "Where to dial for a name, instead of asking the DNS: `name=address:port,...`.",
        {},
        _hosts,
    )
    trusted_proxies: tuple[Network, ...] = _setting(
        "FREEHOLD_TRUSTED_PROXIES",
        "The networks of reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. Empty: none.",
        (),
        _networks,
    )
    authorised_fetch: bool = _setting(
        "FREEHOLD_AUTHORISED_FETCH",
        "`yes`: whoever asks for a document of yours must sign the request, so that those whom you block get nothing. "
        "Some servers can then not show your posts. `no`: what is public can be asked for by anybody.",
        False,
        _yes,
    )


@dataclass(frozen=True)
class MailSettings:
    """How the node sends mail; without a server it sends none, and says so where it would."""

    smtp_url: Secret = _setting(
        "FREEHOLD_SMTP_URL",
        "The mail server that takes our mails: `smtp://user:password@host:587` (with STARTTLS; `?tls=no` for one on "
        "this machine) or `smtps://user:password@host`. Empty: no mail is sent.",
        Secret(""),
        _smtp_url,
    )
    sender: str = _setting(
        "FREEHOLD_MAIL_FROM",
        "From whom mails come, such as `Freehold <freehold@mysite.eu>`. Empty: `freehold@` and the node's name.",
        "",
        _mail_sender,
    )


@dataclass(frozen=True)
class LogSettings:
    """What is said to the operator."""

    level: str = _setting(
        "FREEHOLD_LOG", "How much is logged: `debug`, `info`, `warning` or `error`.", "info", str.lower
    )
    metrics_token: Secret = _setting(
        "FREEHOLD_METRICS_TOKEN",
        "Who shows it as a bearer token may read `/metrics`. Empty: only requests straight from this machine may.",
        Secret(""),
        Secret,
    )


@dataclass(frozen=True)
class Settings:
    """All settings of one node. `data` is its folder: database, master key, media, `freehold.toml`."""

    data: Path
    node: NodeSettings
    storage: StorageSettings
    network: NetworkSettings
    mail: MailSettings
    log: LogSettings

    @property
    def media(self) -> Path:
        """Where pictures are kept."""
        return self.data / "media"

    @property
    def media_cache(self) -> Path:
        """Where pictures of other servers are kept; all of it can be fetched again."""
        return self.data / "media-cache"

    @property
    def media_cache_bytes(self) -> int:
        """How large that may become."""
        return self.storage.media_cache_mb * 1_000_000

    @property
    def backups(self) -> Path:
        """Where nightly backups go."""
        return Path(self.storage.backup_dir) if self.storage.backup_dir else self.data / "backups"

    @property
    def database_url(self) -> str:
        """The URL that `federation.storage.Database.open` takes."""
        return self.storage.database_url.value or f"sqlite:///{self.data.absolute() / 'freehold.db'}"


SECTIONS: dict[str, type] = {
    "node": NodeSettings,
    "storage": StorageSettings,
    "network": NetworkSettings,
    "mail": MailSettings,
    "log": LogSettings,
}


def default_data(environ: Mapping[str, str] = os.environ) -> Path:
    """`$FREEHOLD_DATA`, else the user's data folder."""
    if environ.get("FREEHOLD_DATA"):
        return Path(environ["FREEHOLD_DATA"])
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "freehold"


def without_settings(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for a process whose settings stand in its data folder alone."""
    return {name: value for name, value in environ.items() if not name.startswith("FREEHOLD_")}


def load(data: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read `data/freehold.toml` and the environment; raises SettingsError that names the setting and the mend."""
    tables = _toml(data / "freehold.toml")
    sections = {name: _section(name, kind, tables.get(name, {}), environ) for name, kind in SECTIONS.items()}
    return Settings(data=data, **sections)


def manual() -> list[tuple[str, str, str]]:
    """Every setting as (environment name, key in freehold.toml, meaning)."""
    return [
        (item.metadata["env"], f"{section}.{item.name}", item.metadata["meaning"])
        for section, kind in SECTIONS.items()
        for item in fields(kind)
    ]


def _toml(path: Path) -> dict[str, Any]:
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}. Mend that line.") from error
    for name, table in tables.items():
        if name not in SECTIONS:
            raise SettingsError(f"{path} has an unknown section [{name}]. Known are {', '.join(SECTIONS)}.")
        if not isinstance(table, dict):
            raise SettingsError(f"{path}: {name} is not a section. Write [{name}] on a line of its own.")
    return tables


def _section(name: str, kind: type, table: dict[str, Any], environ: Mapping[str, str]) -> Any:
    known = {item.name for item in fields(kind)}
    for key in table:
        if key not in known:
            raise SettingsError(f"freehold.toml: unknown setting {name}.{key}. Known are {', '.join(sorted(known))}.")
    values = {}
    for item in fields(kind):
        env = item.metadata["env"]
        raw = environ.get(env, table.get(item.name))
        if raw is None or raw == "":
            continue
        try:
            values[item.name] = item.metadata["read"](str(raw))
        except ValueError as error:
            raise SettingsError(f"{env} cannot be read: {error}. {item.metadata['meaning']}") from error
    return kind(**values)
