"""The recovery phrase, shown once, and where backups go: after set-up, and whenever its owner makes a new one."""

from __future__ import annotations

from aiohttp import web

from federation import operate
from keys.errors import BadPhrase
from keys.phrases import PHRASE_WORDS, new_phrase, parse_phrase
from keys.sealing import make_lock
from node.accounts.proving import has_proved
from node.accounts.queries import Viewer
from node.backup import commands, queries
from node.errors import BadRequest, Invalid
from node.language import _, _n
from node.web.forms import Form, read_form
from node.web.keys import NODE
from node.web.owner import owners_only
from node.web.render import page, see_other

WHERE = ("folder", "own")
ORDINALS = (
    _("The first word, to be sure"),
    _("The second word, to be sure"),
    _("The third word, to be sure"),
    _("The fourth word, to be sure"),
    _("The fifth word, to be sure"),
    _("The sixth word, to be sure"),
    _("The seventh word, to be sure"),
    _("The eighth word, to be sure"),
    _("The ninth word, to be sure"),
)
NO_PHRASE = _("This page has lost its phrase. Nothing was changed; open it again.")
ANOTHER = _("It is another word. Look at your paper, and type it in small letters.")
CHOOSE = _("Choose where backups go.")


@owners_only
async def show(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /setup/keys: a phrase that nobody has seen yet, unless there is one in force already."""
    known = await request.app[NODE].db.read(queries.phrase)
    if known is None:
        return await _page(request, viewer, new_phrase(), {"where": "folder"}, {})
    if "new" in request.query:
        if not has_proved(request, viewer):
            return see_other("/settings/proof?next=/setup/keys?new=1")
        return await _page(request, viewer, new_phrase(), {"where": _where(known)}, {})
    return await _page(request, viewer, "", {"where": _where(known)}, {})


def _where(known: queries.Recovery) -> str:
    return "folder" if known.nightly else "own"


async def _page(
    request: web.Request, viewer: Viewer, phrase: str, form: Form | dict[str, str], errors: dict[str, str]
) -> web.Response:
    node = request.app[NODE]
    keys = await node.db.read(operate.local_keys)
    response = await page(
        request,
        "setup/keys.html",
        status=422 if errors else 200,
        phrase=phrase,
        asked=ORDINALS[place_of(phrase) - 1] if phrase else "",
        known=await node.db.read(queries.phrase),
        form=form,
        errors=errors,
        own=[
            key.public
            for key in keys
            if key.algorithm == "ed25519" and key.state == "signs" and key.actor_id == viewer.actor_id
        ],
        sealed_by="setting" if node.settings.node.master_key else "file",
        folder=str(node.settings.backups),
        fixed=bool(node.settings.storage.backup_dir),
        kept=_n("The last one is kept.", "The last {count} are kept.", node.settings.storage.backup_keep),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def place_of(phrase: str) -> int:
    """Which word is asked for, from 1: always the same of one phrase, so that a mistake changes nothing."""
    return sum(phrase.encode()) % PHRASE_WORDS + 1


@owners_only
async def submit(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /setup/keys: the phrase that was shown comes back with the form, since nobody here has kept it."""
    node = request.app[NODE]
    form = await read_form(request)
    known = await node.db.read(queries.phrase)
    try:
        phrase = parse_phrase(form["phrase"]) if form.get("phrase") or known is None else ""
    except (BadPhrase, KeyError) as error:
        raise BadRequest(NO_PHRASE) from error
    if phrase and known is not None and not has_proved(request, viewer):
        return see_other("/settings/proof?next=/setup/keys?new=1")
    try:
        where = _chosen(form, phrase)
    except Invalid as error:
        return await _page(request, viewer, phrase, form, error.errors)
    if phrase:
        await node.db.write(commands.keep_lock, make_lock(phrase))
    await node.db.write(commands.choose_nightly, where)
    return see_other("/admin" if known is not None else "/setup/identity")


def _chosen(form: Form, phrase: str) -> str:
    errors: dict[str, str] = {}
    if phrase and form.get("word", "").lower() != phrase.split()[place_of(phrase) - 1]:
        errors["word"] = ANOTHER
    where = form.get("where", "")
    if where not in WHERE:
        errors["where"] = CHOOSE
    if errors:
        raise Invalid(errors)
    return where
