"""A backup brought to the set-up page: sent or named, looked at, shown, and put in place on its owner's word.

Only whoever holds the link that the server printed gets here. What is sent goes to the disk as it comes, and is bounded
by the room there.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from datetime import datetime
from pathlib import Path

from aiohttp import BodyPartReader, web

from keys.errors import BadPhrase
from keys.phrases import MAX_TEXT, PHRASE_WORDS, parse_phrase
from node.accounts.setup_pages import SETTING, check_link
from node.backup import placing, reading
from node.backup.databases import MIN_FREE
from node.backup.making import SENT
from node.backup.reading import Unpacked
from node.backup.rules import BackupError
from node.errors import BadRequest, Invalid
from node.language import Sentence, _
from node.web.csrf import FIELD, check_token
from node.web.forms import read_form
from node.web.keys import GROUND, PROXIES
from node.web.render import page, see_other

MAX_FIELD = 4_096  # bytes of a text field
MAX_PARTS = 10
LOOK_EVERY = 64  # pieces of a file: whether there is room for more

NO_FILE = _("Name a file on this machine, or choose one on yours.")
NO_SUCH_FILE = _("There is no such file here that this server may read. Write its whole path.")
NO_ROOM = _("There is not enough room on this machine for that. Make room first.")
NOT_READABLE = _("This form cannot be read. Load the page anew.")
NOTHING_WAITS = _("No backup waits to be put in place. Choose it again.")
LABELS = {
    "accounts": _("People who sign in"),
    "actors": _("People known"),
    "objects": _("Posts, gigs and modules, yours and others’"),
    "follows": _("Follows"),
    "deliveries": _("Deliveries, waiting and done"),
    "inbox_messages": _("Messages received"),
}


async def show(request: web.Request) -> web.StreamResponse:
    """GET /setup/restore?token=..."""
    check_link(request, request.query.get("token", ""))
    return await _form(request, {}, {})


async def _form(request: web.Request, form: dict[str, str], errors: dict[str, str]) -> web.Response:
    status = 422 if errors else 200
    token = request.app[SETTING].token
    return await page(request, "setup/restore.html", status=status, form=form, errors=errors, token=token)


async def submit(request: web.Request) -> web.StreamResponse:
    """POST /setup/restore?token=...: look at all of it, and say what is in it."""
    check_link(request, request.query.get("token", ""))
    setting, ground = request.app[SETTING], request.app[GROUND]
    folder = _folder(ground.settings.data)
    setting.unpacked = None
    await asyncio.to_thread(_make_empty, folder)
    form: dict[str, str] = {}
    try:
        path = await _read(request, folder, form)
        phrase = _phrase(form.get("phrase", ""))
        unpacked = await reading.unpack(path, phrase, folder / "unpacked", ground.settings.database_url)
        await placing.check_target(ground.settings, unpacked)
    except Invalid as error:
        await asyncio.to_thread(placing.clear, folder)
        return await _form(request, form | {"phrase": ""}, error.errors)
    except BackupError as error:
        await asyncio.to_thread(placing.clear, folder)
        return await _form(request, form | {"phrase": ""}, {"archive": error.sentence})
    setting.unpacked = unpacked
    return await _check_page(request, unpacked)


def _folder(data: Path) -> Path:
    return data / f"{SENT}{os.getpid()}"


def _make_empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "unpacked").mkdir(mode=0o700, parents=True)
    folder.chmod(0o700)


def _phrase(text: str) -> str:
    try:
        return parse_phrase(text)
    except BadPhrase as error:
        raise Invalid({"phrase": _phrase_error(error)}) from error


def _phrase_error(error: BadPhrase) -> Sentence:
    if error.place:
        return _("Word {place} is in no recovery phrase. Look at your paper.", place=error.place)
    return _(
        "These words are no recovery phrase. It has {count} words, and their order counts. Look at your paper.",
        count=PHRASE_WORDS,
    )


async def _read(request: web.Request, folder: Path, form: dict[str, str]) -> Path:
    """The fields into `form`, and the file to the disk. Returns the backup's path; Invalid when there is none."""
    if request.content_type != "multipart/form-data":
        raise BadRequest(NOT_READABLE, status=415)
    sent = folder / "sent.backup"
    reader = await request.multipart()
    for _number in range(MAX_PARTS):
        part = await reader.next()
        if part is None:
            break
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise BadRequest(NOT_READABLE)
        if part.filename is None:
            form[part.name] = await _text(part)
        elif part.filename:
            check_token(request, form.get(FIELD, ""))
            await _keep(part, sent)
    check_token(request, form.get(FIELD, ""))
    if await asyncio.to_thread(sent.exists):
        return sent
    return await asyncio.to_thread(_named, form.get("path", ""))


async def _text(part: BodyPartReader) -> str:
    raw = b""
    while chunk := await part.read_chunk(MAX_FIELD):
        raw += chunk
        if len(raw) > max(MAX_FIELD, MAX_TEXT):
            raise BadRequest(NOT_READABLE, status=413)
    return raw.decode("utf-8", "replace").replace("\x00", "").strip()


async def _keep(part: BodyPartReader, target: Path) -> None:
    target.touch(0o600)  # noqa: ASYNC240 - the name alone
    with target.open("wb") as file:
        pieces = 0
        while chunk := await part.read_chunk(65_536):
            if pieces % LOOK_EVERY == 0 and shutil.disk_usage(target.parent).free < MIN_FREE:
                raise Invalid({"archive": NO_ROOM})
            pieces += 1
            await asyncio.to_thread(file.write, chunk)


def _named(text: str) -> Path:
    if not text:
        raise Invalid({"archive": NO_FILE})
    path = Path(text)
    if not path.is_absolute() or not path.is_file() or not os.access(path, os.R_OK):
        raise Invalid({"path": NO_SUCH_FILE})
    return path


async def _check_page(request: web.Request, unpacked: Unpacked) -> web.Response:
    manifest = unpacked.manifest
    contents = [(label, manifest.rows[name]) for name, label in LABELS.items() if name in manifest.rows]
    return await page(
        request,
        "setup/restore-check.html",
        manifest=manifest,
        made_at=datetime.fromisoformat(manifest.made_at),
        contents=[*contents, (_("Pictures"), manifest.pictures)],
        token=request.app[SETTING].token,
    )


async def confirm(request: web.Request) -> web.StreamResponse:
    """POST /setup/restore/confirm?token=...: the server puts it in place as soon as this is answered."""
    check_link(request, request.query.get("token", ""))
    await read_form(request)
    setting = request.app[SETTING]
    if setting.unpacked is None:
        return await _form(request, {}, {"archive": NOTHING_WAITS})
    setting.restore = setting.over = True
    origin = setting.unpacked.manifest.origin
    if request.app[PROXIES].origin_of(request) == origin:
        response: web.StreamResponse = see_other("/sign-in")
    else:
        response = await page(request, "setup/restored.html", origin=origin)
    response.force_close()  # the next request is for the node, which takes this application's place
    setting.done()
    return response
