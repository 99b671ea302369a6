"""The pictures of a post's form: taken in as soon as they arrive, so that none is lost when the form is refused.

Fields: `picture1` to `picture4` (files) with `alt1` to `alt4`; of pictures that are here already `media` (their ids,
several), `alt-ID` (what each shows) and `drop` (the ids of those that are taken out again).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from aiohttp import web

from federation.storage import Database
from node.accounts.throttle import THROTTLE
from node.errors import Invalid, TooMany
from node.language import _n
from node.media import attachments
from node.media.attachments import MAX_ALT, MOST, Media
from node.media.pages import PICTURES
from node.media.pictures import FIELD, MAX_ATTACHED, Pictures
from node.web.forms import Form
from node.web.keys import NODE

READ = MAX_ATTACHED + 4_000_000  # what is read at all; a file that is larger than it may be is refused at its field
FILES = {f"{FIELD}{number}": READ for number in range(1, MOST + 1)}


class _Refused(NamedTuple):
    """A file that was not taken: why, and what was said about it."""

    sentence: str
    alt: str


@dataclass
class Taken:
    """A form whose pictures are here now. media: all of them, in their order."""

    form: Form
    media: list[Media] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Raise Invalid for what was wrong with the pictures."""
        if self.errors:
            raise Invalid(self.errors)


async def store(db: Database, pictures: Pictures, owner: str, body: bytes, alt: str) -> Media:
    """Take in one picture of somebody here; Invalid for `picture` or `alt`, and then nothing is kept."""
    words = attachments.described(alt)
    made = await pictures.prepare(body)
    kept = await db.write(attachments.add, owner, made, words)
    await pictures.keep(made.files)
    return kept


def count_upload(request: web.Request, owner: str) -> None:
    """One more picture by somebody here; Invalid for `picture` when these were too many (SECURITY 120).

    A mistake at its field, so that nothing else of the form is lost.
    """
    try:
        request.app[THROTTLE].take_picture(owner)
    except TooMany as error:
        raise Invalid({FIELD: error.sentence}) from error


async def take_in(request: web.Request, form: Form, owner: str, *, note_id: str | None = None) -> Taken:
    """Read a post's form to its end. note_id: the post that is changed, whose pictures may stay.

    Raises NotFound for nothing: ids of pictures that are not the owner's are passed over here, and refused when a
    form without pages names them (`node.media.attachments`).
    """
    fields = {name: values for name, values in form.fields.items() if name not in ("drop", "media")}
    taken = Taken(Form(fields, {}))
    await _keep(request, form, owner, note_id, taken)
    refused = await _add(request, form, owner, taken)
    if taken.media:  # a field without a value is none
        fields["media"] = [one.id for one in taken.media]
    for number in range(1, MOST + 1):
        fields.pop(f"alt{number}", None)
    for number, one in enumerate(refused, len(taken.media) + 1):
        taken.errors[f"{FIELD}{min(number, MOST)}"] = one.sentence
        fields[f"alt{min(number, MOST)}"] = [one.alt]
    return taken


async def _keep(request: web.Request, form: Form, owner: str, note_id: str | None, taken: Taken) -> None:
    """The pictures that are here already: described anew, or taken out."""
    db = request.app[NODE].db
    ids = [word for value in form.many("media") for word in value.split()][: attachments.MAX_WAITING]
    for one in await db.read(attachments.usable, owner, ids, note_id):
        if one.id in form.many("drop"):
            if one.object_id is None:
                await db.write(attachments.discard, owner, one.id)
            continue
        taken.media.append(await _described(db, one, form.get(f"alt-{one.id}", one.alt), taken))


async def _described(db: Database, one: Media, alt: str, taken: Taken) -> Media:
    if alt == one.alt:
        return one
    try:
        words = attachments.described(alt)
    except Invalid as error:
        taken.errors[f"alt-{one.id}"] = error.errors["alt"]
        return one
    await db.write(attachments.describe, one.owner, one.id, words)
    return one._replace(alt=words)


async def _add(request: web.Request, form: Form, owner: str, taken: Taken) -> list[_Refused]:
    """The files that were chosen; returns those that were not taken."""
    refused = []
    for number in range(1, MOST + 1):
        upload, alt = form.file(f"{FIELD}{number}"), form.get(f"alt{number}", "")
        if upload is None:
            continue
        if len(taken.media) >= MOST:
            refused.append(_Refused(_n("Give at most {count} picture.", "Give at most {count} pictures.", MOST), alt))
            continue
        try:
            count_upload(request, owner)
            kept = await store(request.app[NODE].db, request.app[PICTURES], owner, upload.body, alt[:MAX_ALT])
        except Invalid as error:
            refused.append(_Refused(next(iter(error.errors.values())), alt))
            continue
        taken.media.append(await _described(request.app[NODE].db, kept, alt, taken))
        if kept.alt != alt:
            taken.form.fields[f"alt-{kept.id}"] = [alt]
    return refused
