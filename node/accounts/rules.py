"""What an address, a handle and a password must be. Pure."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, cast

from federation.ids import HANDLE
from node.errors import Invalid
from node.language import _, languages
from schemas.errors import SchemaError
from schemas.urls import Url, parse_url

Kind = Literal["person", "collective"]
KINDS = ("person", "collective")

MIN_PASSWORD = 10
MAX_PASSWORD = 200  # characters: hashing must not cost what a stranger chooses
MAX_NAME = 100
MAX_HANDLE = 30
THEMES = ("light", "dark")
RESERVED = frozenset(
    {"abuse", "admin", "administrator", "all", "everyone", "freehold", "help", "hostmaster", "instance"}
    | {"instance.actor", "mod", "moderator", "nobody", "postmaster", "root", "security", "server", "support", "system"}
    | {"webmaster"}
)

TOO_SHORT = _(
    "A password has at least {least} characters. Four words that belong to no saying are good.", least=MIN_PASSWORD
)
NOT_A_DOMAIN = _("Write a domain alone, such as amara.example, or leave this empty.")
_SAFE_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*\Z")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class SetupDraft:
    """What set-up needs, checked. origin has no slash at its end; handle_domain is `host[:port]`."""

    origin: str
    handle_domain: str
    username: str
    name: str
    kind: Kind
    password: str = field(repr=False)


def parse_setup(form: Mapping[str, str]) -> SetupDraft:
    """The set-up form (origin, handle_domain, handle, name, kind, password) -> draft; raises Invalid."""
    errors: dict[str, str] = {}
    kind = form.get("kind") or "person"
    if kind not in KINDS:
        errors["kind"] = _("Choose one person or a collective.")
    origin = _checked(errors, "origin", parse_origin, form.get("origin", ""))
    domain = _checked(errors, "handle_domain", parse_domain, form.get("handle_domain", ""))
    username = _checked(errors, "handle", parse_handle, form.get("handle", ""))
    name = _checked(errors, "name", parse_name, form.get("name", ""))
    password = _checked(errors, "password", parse_password, form.get("password", ""))
    if errors:
        raise Invalid(errors)
    return SetupDraft(
        origin, domain or parse_url(origin).authority, username, name or username, cast(Kind, kind), password
    )


def _checked(errors: dict[str, str], name: str, parse: Callable[[str], str], value: str) -> str:
    try:
        return parse(value)
    except ValueError as error:
        errors[name] = error.args[0]
        return ""


def parse_origin(text: str) -> str:
    """`https://name[:port]`; http only on this machine. ValueError with the sentence."""
    text = text.strip()
    if not text:
        raise ValueError(_("Write the address under which people will find you, such as https://amara.example."))
    if "://" not in text:
        text = f"https://{text}"
    try:
        url = parse_url(text)
    except SchemaError:
        raise ValueError(
            _("This is not an address. Write it as https:// and a name, such as https://amara.example.")
        ) from None
    if url.path != "/" or url.query is not None or url.fragment is not None:
        raise ValueError(_("An address is a name alone, without anything after it. Write {origin}.", origin=url.origin))
    if url.scheme == "http" and not is_local(url):
        raise ValueError(_("Other servers only talk over https. Write {origin}.", origin=f"https://{url.authority}"))
    if _is_address(url.host) and not is_local(url):
        raise ValueError(_("Write a name that you own, and not an IP address: it must last."))
    return url.origin


def is_local(url: Url) -> bool:
    """Whether an address is only good for trying things out on this machine."""
    return url.host == "localhost" or (_is_address(url.host) and ipaddress.ip_address(url.host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def parse_domain(text: str) -> str:
    """`host[:port]` of handles, or empty. ValueError with the sentence."""
    text = text.strip().removeprefix("https://").rstrip("/")
    if not text:
        return ""
    try:
        url = parse_url(f"https://{text}/")
    except SchemaError:
        raise ValueError(NOT_A_DOMAIN) from None
    if url.path != "/" or url.query is not None or url.fragment is not None:
        raise ValueError(NOT_A_DOMAIN)
    return url.authority


def parse_handle(text: str) -> str:
    """Small letters, digits and `_`. ValueError with the sentence."""
    handle = text.strip().removeprefix("@").lower()
    if not handle:
        raise ValueError(_("Choose a handle, such as amara."))
    if len(handle) > MAX_HANDLE:
        raise ValueError(_("A handle has at most {most} characters. Choose a shorter one.", most=MAX_HANDLE))
    if not HANDLE.match(handle):
        raise ValueError(_("A handle has only small letters, digits and _, such as amara_okafor."))
    if handle in RESERVED:
        raise ValueError(_("{handle} would be taken for the server itself. Choose another handle.", handle=handle))
    return handle


def parse_name(text: str) -> str:
    """A name in any script, on one line, without what turns the text around it. ValueError with the sentence."""
    name = " ".join(_BIDI.sub("", unicodedata.normalize("NFC", text[: 4 * MAX_NAME])).split())
    if len(name) > MAX_NAME or len(text) > 4 * MAX_NAME:
        raise ValueError(_("A name has at most {most} characters. Shorten it.", most=MAX_NAME))
    if any(unicodedata.category(character) == "Cc" for character in name):
        raise ValueError(_("This name holds a character that cannot be shown. Write it anew."))
    return name


def parse_password(text: str) -> str:
    """Long enough to guess nothing, short enough to hash. ValueError with the sentence."""
    if len(text) < MIN_PASSWORD:
        raise ValueError(
            _(
                "A password has at least {least} characters. Four words that belong to no saying are good.",
                least=MIN_PASSWORD,
            )
        )
    if len(text) > MAX_PASSWORD:
        raise ValueError(_("A password has at most {most} characters.", most=MAX_PASSWORD))
    return text


def parse_label(text: str) -> str:
    """What its owner calls a passkey, written like a name; raises Invalid for `label`."""
    try:
        label = parse_name(text)
    except ValueError as error:
        raise Invalid({"label": error.args[0]}) from error
    if not label:
        raise Invalid({"label": _("Give it a name by which you will know it again, such as the device.")})
    return label


class Preferences(NamedTuple):
    """How somebody reads. language: a code of ours, theme: light or dark; None: as browser and system say."""

    language: str | None
    theme: str | None


def parse_preferences(form: Mapping[str, str]) -> Preferences:
    """The form of language and theme; raises Invalid."""
    language, theme = form.get("language") or None, form.get("theme") or None
    errors = {}
    if language not in (None, *languages()):
        errors["language"] = _("Choose one of these languages.")
    if theme not in (None, *THEMES):
        errors["theme"] = _("Choose light, dark, or what your system says.")
    if errors:
        raise Invalid(errors)
    return Preferences(language, theme)


def safe_path(text: str) -> str:
    """Where to go after signing in: a path on this site, else /home (SECURITY 122)."""
    path = text.partition("?")[0]
    return text if len(text) <= 2000 and _SAFE_PATH.match(text) and "//" not in path else "/home"
