"""Writing a post or an answer, changing it, deleting it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from aiohttp import web

from federation.storage import Tx
from node.accounts.once import once
from node.accounts.rules import safe_path
from node.errors import Invalid
from node.errors import NotFound as NothingHere
from node.media import attachments
from node.media.attachments import Media
from node.media.uploads import FILES, take_in
from node.messages import queries as messages
from node.social import commands, queries, rules
from node.social.finding import find
from node.social.mentions import find_named
from node.social.post_pages import MAX_ID, MAX_UNKNOWN, REACHES, answer_form, conversation, mine, reaches_within
from node.social.views import PostView
from node.web.forms import Form, read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in


@signed_in
async def new_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /posts/new: the whole form. to=HANDLE: for them alone; reply_to=ID: an answer."""
    node = request.app[NODE]
    reply_to = request.query.get("reply_to", "")[:MAX_ID]
    form = {"to": request.query.get("to", "")[:500]}
    if reply_to:
        form = answer_form(await node.db.read(conversation, reply_to, somebody.actor_id))
    return await form_page(request, somebody, form, {})


async def form_page(
    request: web.Request,
    somebody: Viewer,
    form: Mapping[str, str],
    errors: Mapping[str, str],
    pictures: Sequence[Media] = (),
) -> web.Response:
    """The form of a post on a page of its own. pictures: those that are here already."""
    node = request.app[NODE]
    answered = await node.db.read(_answered, form.get("in_reply_to", ""), somebody.actor_id)
    return await page(
        request,
        "social/edit.html",
        status=422 if errors else 200,
        here="home",
        post=None,
        answered=answered,
        form=form,
        errors=errors,
        kept=pictures,
        reaches=reaches_within(answered.visibility) if answered else REACHES,
    )


def _answered(tx: Tx, post_id: str, reader: str) -> PostView | None:
    try:
        return queries.post(tx, post_id, reader) if post_id else None
    except NothingHere:
        return None


@signed_in
async def publish(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /posts/new: a post or an answer; leads to where it stands."""
    came = await read_form(request, files=FILES)
    taken = await take_in(request, came, somebody.actor_id)
    form = taken.form
    try:
        taken.check()
        post_id, unknown = await write(request, somebody, form, came.sent)
    except Invalid as error:
        return await form_page(request, somebody, form, error.errors, taken.media)
    if not form.get("in_reply_to"):
        return see_other(with_unknown(await place_of(request, somebody, post_id), unknown))
    view = await request.app[NODE].db.read(queries.post, post_id, somebody.actor_id)
    back = with_unknown(safe_path(form.get("back", "")), unknown) if form.get("back") else view.path
    return see_other(f"{back.partition('#')[0]}#{view.anchor}")


async def write(request: web.Request, somebody: Viewer, form: Form, sent: str) -> tuple[str, tuple[str, ...]]:
    """What a form says becomes a post: its id, and the names in it behind which nobody was found. Raises Invalid.

    sent: what the form is known by, as it came.
    """
    node = request.app[NODE]
    draft = rules.parse_post(dict(form) | {"media": " ".join(form.many("media"))})
    author = await node.author(somebody.actor_id)
    person = await find(node, draft.to, "to") if draft.to else None
    named = await find_named(node, draft.body_md)
    post_id = await node.db.write(once, author.actor_id, sent, commands.post, author, draft, person, named.people)
    return str(post_id), named.unknown


async def place_of(request: web.Request, somebody: Viewer, post_id: str) -> str:
    """Where its writer finds a new post: at home, or in the conversation that it belongs to."""
    talk = await request.app[NODE].db.read(messages.of_post, somebody.actor_id, post_id)
    return f"/messages/{talk}" if talk else "/home"


def with_unknown(path: str, unknown: tuple[str, ...]) -> str:
    """A path that tells its page whom nobody could find."""
    if not unknown:
        return path
    said = quote(" ".join(f"@{handle}" for handle in unknown[:MAX_UNKNOWN]))
    return f"{path}{'&' if '?' in path else '?'}unknown={said}"


@signed_in
async def edit_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /posts/{name}/edit."""
    post = await mine(request, somebody)
    body = await request.app[NODE].db.read(queries.source, post)
    pictures = await request.app[NODE].db.read(attachments.of_object, post.id)
    return await _edit_page(request, post, {"body": body, "warning": post.warning}, {}, pictures)


async def _edit_page(
    request: web.Request,
    post: PostView,
    form: Mapping[str, str],
    errors: Mapping[str, str],
    pictures: Sequence[Media],
) -> web.Response:
    return await page(
        request,
        "social/edit.html",
        status=422 if errors else 200,
        here="home",
        post=post,
        answered=None,
        form=form,
        errors=errors,
        kept=pictures,
        reaches=(),
    )


@signed_in
async def edit(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /posts/{name}/edit: text, warning and pictures; who sees it stays."""
    node = request.app[NODE]
    form = await read_form(request, files=FILES)
    post = await mine(request, somebody)
    taken = await take_in(request, form, somebody.actor_id, note_id=post.id)
    pictures = [one.id for one in taken.media]
    try:
        taken.check()
        said = {"body": form.get("body", ""), "warning": form.get("warning", ""), "media": " ".join(pictures)}
        draft = rules.parse_post(said)
        named = await find_named(node, draft.body_md)
        author = await node.author(somebody.actor_id)
        await node.db.write(commands.edit_post, author, post.id, draft, named.people, pictures=pictures)
    except Invalid as error:
        return await _edit_page(request, post, taken.form, error.errors, taken.media)
    return see_other(with_unknown(post.path, named.unknown))


@signed_in
async def delete_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /posts/{name}/delete: the question, the consequences, the verb."""
    return await page(request, "social/delete.html", here="home", post=await mine(request, somebody))


@signed_in
async def delete(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /posts/{name}/delete."""
    node = request.app[NODE]
    await read_form(request)
    post = await mine(request, somebody)
    await node.db.write(commands.delete_post, await node.author(somebody.actor_id), post.id)
    return see_other("/home")
