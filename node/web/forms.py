"""Reading a form: bounded in bytes, fields and time, refused without the page's own token."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from node.errors import BadRequest
from node.language import _
from node.web.csrf import FIELD, check_source, check_token
from node.web.session import viewer

MAX_TEXT = 1_000_000  # bytes, all fields together
MAX_FIELDS = 200
SECONDS = 20.0
FILE_RATE = 500_000  # bytes a second: how much longer a form with files may take
MAX_ONE_CLICK = 1_000  # bytes
ONE_CLICK = b"One-Click"
ONCE = "once"
"""The field of a form's mark, another in each form that is shown (`parts.once` in the templates)."""
NO_FILES: Mapping[str, int] = MappingProxyType({})

_DISPOSITION = re.compile(rb"^content-disposition:\s*form-data;(.*)$", re.IGNORECASE | re.MULTILINE)
_PARAMETER = re.compile(rb'\s(name|filename)="([^"\r\n]*)"')


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a form: the name that its owner gave it is never used as a path."""

    filename: str
    body: bytes


@dataclass(frozen=True)
class Form(Mapping[str, str]):
    """The fields by name, each with its first value, white space at the ends gone."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.fields[name][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    @property
    def sent(self) -> str:
        """What this very form is known by when it comes again: its mark and what stands in it. Empty without one."""
        mark = self.get(ONCE, "")
        if not mark:
            return ""
        digest = hashlib.sha256()
        for name in sorted(self.fields.keys() - {FIELD}):
            digest.update(msgspec.json.encode([name, self.fields[name]]))
        for name in sorted(self.files):
            digest.update(msgspec.json.encode([name, hashlib.sha256(self.files[name].body).hexdigest()]))
        return digest.hexdigest()

    def many(self, name: str) -> list[str]:
        """Every value of a field that may come several times."""
        return self.fields.get(name, [])

    def file(self, name: str) -> Upload | None:
        """The chosen file, None when none was."""
        return self.files.get(name)


async def read_form(request: web.Request, *, files: Mapping[str, int] = NO_FILES) -> Form:
    """The form that was posted. files: the fields that may hold a file, with the most bytes of each.

    Raises BadRequest for what no browser sends, for more than the limits and for what comes too slowly; NotAllowed
    when it was not sent from a page of ours.
    """
    check_source(request)
    body = await _body(request, MAX_TEXT, sum(files.values()))
    if request.content_type == "multipart/form-data":
        form = _multipart(body, _boundary(request), files)
    elif request.content_type in ("application/x-www-form-urlencoded", "application/octet-stream"):
        form = _urlencoded(body)
    else:
        raise BadRequest(_("This is not a form that this page could have sent."), status=415)
    await viewer(request)
    check_token(request, form.get(FIELD, ""))
    return form


async def is_one_click(request: web.Request) -> bool:
    """Whether a mail program posted this for its reader (RFC 8058 §3.1): without cookies, and from no page at all."""
    if "Cookie" in request.headers or "Origin" in request.headers or not request.content_length:
        return False
    return request.content_length <= MAX_ONE_CLICK and ONE_CLICK in await _body(request, MAX_ONE_CLICK, 0)


async def _body(request: web.Request, text: int, files: int) -> bytes:
    limit = text + files
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(SECONDS + files / FILE_RATE):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limit:
                    raise _too_large(limit)
    except (HttpProcessingError, web.RequestPayloadError) as error:
        raise BadRequest(_("This form cannot be read.")) from error
    except TimeoutError:
        raise BadRequest(_("Your form did not arrive in time. Nothing was done; send it again."), status=408) from None
    return bytes(body)


def _too_large(limit: int) -> BadRequest:
    return BadRequest(
        _("This is larger than {size} MB. Make it smaller and send it again.", size=limit // 1_000_000), status=413
    )


def _urlencoded(body: bytes) -> Form:
    form = Form()
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError as error:
        raise BadRequest(_("This form cannot be read, or has too many fields.")) from error
    for name, value in pairs:
        _add(form, name, value)
    return form


def _add(form: Form, name: str, value: str) -> None:
    if "\x00" in value:
        raise BadRequest(_("A field holds a character that no text has."))
    form.fields.setdefault(name, []).append(value.replace("\r\n", "\n").strip())


def _boundary(request: web.Request) -> bytes:
    match = re.search(r'boundary="?([0-9A-Za-z\'()+_,./:=? -]{1,70})"?', request.headers.get("Content-Type", ""))
    if match is None:
        raise BadRequest(_("This form cannot be read: it does not say where its fields end."))
    return b"\r\n--" + match[1].encode()


def _multipart(body: bytes, boundary: bytes, files: Mapping[str, int]) -> Form:
    """RFC 7578, as browsers write it: no nesting, no transfer encoding."""
    form = Form()
    parts = (b"\r\n" + body).split(boundary, MAX_FIELDS + 2)
    if len(parts) > MAX_FIELDS + 2 or not parts[-1].startswith(b"--"):
        raise BadRequest(_("This form is incomplete, or has too many fields. Send it again."))
    for part in parts[1:-1]:
        head, found, content = part.partition(b"\r\n\r\n")
        disposition = _DISPOSITION.search(head[:4096].replace(b"\r\n", b"\n"))
        if not found or disposition is None:
            raise BadRequest(_("This form cannot be read."))
        names = dict(_PARAMETER.findall(disposition[1]))
        _add_part(form, names, content, files)
    return form


def _add_part(form: Form, names: dict[bytes, bytes], content: bytes, files: Mapping[str, int]) -> None:
    try:
        name = names[b"name"].decode()
        filename = names[b"filename"].decode() if b"filename" in names else None
        text = "" if filename is not None else content.decode()
    except (KeyError, UnicodeDecodeError) as error:
        raise BadRequest(_("This form cannot be read.")) from error
    if filename is None:
        _add(form, name, text)
    elif filename or content:
        if len(content) > files.get(name, 0):
            raise _too_large(files.get(name, 0)) if name in files else BadRequest(_("No file is expected here."))
        form.files[name] = Upload(filename, content)
