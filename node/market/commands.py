"""Writes: a gig is published, changed and closed; each time its Note is signed and sent to whoever should know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from federation import outbox
from federation.authors import Author
from federation.clock import iso
from federation.errors import Unacceptable
from federation.storage import Tx
from federation.tables import objects
from node.errors import Invalid, NotAllowed
from node.language import _
from node.market import queries, wire
from node.market.queries import GigView
from node.market.rules import GigDraft, end_of
from node.market.tables import gigs
from node.search import commands as search
from node.skills import named
from node.social import commands as social
from node.text import markdown, one_line
from schemas.base import Audience
from schemas.market import Gig, write_gig
from schemas.money import text_number
from schemas.strict_json import dumps
from schemas.terms import PUBLIC

CLOSED = _("This gig is closed, and stays as it is. Publish a new one instead.")


def publish_gig(tx: Tx, author: Author, draft: GigDraft) -> str:
    """Sign a gig and send it to the followers; returns its id. Invalid when it is too long to be sent."""
    _check_end(tx, draft)
    gig_id = author.ids.object(author.actor_id, "gigs", tx.now)
    gig = wire.to_gig(author.ids, gig_id, author.actor_id, draft)
    audience = _audience(author)
    document = write_gig(gig, audience=audience, published=iso(tx.now), updated=None, end_time=_time(gig))
    try:
        outbox.create(tx, author, document, kind="gig", audience=audience, published=tx.now)
    except Unacceptable as error:
        raise Invalid({"body": error.safe}) from error
    _keep_own(tx, gig, draft, published=tx.now, updated=tx.now)
    social.into_timelines(tx, author.ids, gig_id, author.actor_id, tx.now, document=document)
    search.changed(tx, gig_id, first=True, news=True)
    return gig_id


def edit_gig(tx: Tx, author: Author, gig_id: str, draft: GigDraft) -> int:
    """Change a gig everywhere; returns how many inboxes hear of it, 0 when nothing changes.

    What is offered stays an offer. Raises NotAllowed for a closed gig, NotFound, Invalid.
    """
    held = queries.own_gig(tx, author.actor_id, gig_id)
    if held.state(tx.now) == "closed":
        raise NotAllowed(CLOSED)
    draft = replace(draft, purpose=held.purpose)
    if draft == draft_of(held):
        return 0
    _check_end(tx, draft)
    return _update(tx, author, wire.to_gig(author.ids, held.id, author.actor_id, draft), held, draft)


def close_gig(tx: Tx, author: Author, gig_id: str) -> int:
    """Say on every copy that a gig takes no more answers, for ever; returns how many inboxes hear of it."""
    held = queries.own_gig(tx, author.actor_id, gig_id)
    if held.state(tx.now) == "closed":
        return 0
    draft = draft_of(held)
    closed_at = tx.now.replace(microsecond=0)
    gig = wire.to_gig(author.ids, held.id, author.actor_id, draft, closed_at=closed_at)
    return _update(tx, author, gig, held, draft)


def draft_of(view: GigView) -> GigDraft:
    """What a gig of our own was made from."""
    return GigDraft(
        purpose=view.purpose,
        title=view.title,
        body_md=view.body_md or "",
        skills=view.skills,
        unit=view.unit,
        price=view.price,
        currency=view.currency,
        available=view.available,
        minimum=view.minimum,
        until=view.end_time.date() if view.end_time else None,
    )


def _update(tx: Tx, author: Author, gig: Gig, held: GigView, draft: GigDraft) -> int:
    audience = _audience(author)
    updated = gig.updated or tx.now
    document = write_gig(
        gig, audience=audience, published=iso(held.published), updated=iso(updated), end_time=_time(gig)
    )
    try:
        reached = outbox.update(tx, author, document, audience=audience)
    except Unacceptable as error:
        raise Invalid({"body": error.safe}) from error
    _keep_own(tx, gig, draft, published=held.published, updated=max(tx.now, held.updated))
    search.changed(tx, gig.id, first=False)
    return reached


def _check_end(tx: Tx, draft: GigDraft) -> None:
    """Midnight may have passed since the form was read."""
    end = end_of(draft.until)
    if end is not None and end <= tx.now:
        raise Invalid({"until": _("That day has passed. Choose today or later.")})


def _audience(author: Author) -> Audience:
    return Audience((PUBLIC,), (author.followers,))


def _time(gig: Gig) -> str | None:
    return iso(gig.end_time) if gig.end_time else None


def _keep_own(tx: Tx, gig: Gig, draft: GigDraft, *, published: datetime, updated: datetime) -> None:
    times = {"published": published, "updated": updated}
    known = {"local": True, "visibility": "public", "verification": "signed", "body_md": draft.body_md}
    _keep(tx, gig, markdown(draft.body_md), known | times)


def keep_restored(tx: Tx, gig: Gig, body_md: str, *, published: datetime, updated: datetime) -> None:
    """Keep the view of a gig of our own that came back from an archive."""
    known = {"local": True, "visibility": "public", "verification": "signed", "body_md": body_md}
    _keep(tx, gig, markdown(body_md), known | {"published": published, "updated": updated})


def keep_known(tx: Tx, gig: Gig) -> None:
    """Keep the view of somebody else's gig, which `federation.objects` has stored already."""
    row = tx.row(sa.select(objects).where(objects.c.id == gig.id))
    assert row is not None
    names = ("local", "visibility", "verification", "published", "updated")
    _keep(tx, gig, wire.body_of(gig), {name: row._mapping[name] for name in names} | {"body_md": None})


def _keep(tx: Tx, gig: Gig, body_html: str, known: dict[str, Any]) -> None:
    skills = named(gig.skills)
    title = one_line(gig.title, 200) or "Untitled"
    values = known | {
        "owner": gig.owner,
        "purpose": gig.purpose,
        "title": title,
        "body_html": body_html,
        "unit": gig.unit,
        "price": None if gig.price is None else text_number(gig.price),
        "currency": gig.currency,
        "available": None if gig.available is None else text_number(gig.available),
        "minimum": None if gig.minimum is None else text_number(gig.minimum),
        "skills": dumps(skills).decode(),
        "words": wire.search_words(title, body_html, skills),
        "page": gig.url,
        "end_time": gig.end_time,
    }
    insert = tx.insert(gigs).values(id=gig.id, **values)
    tx.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values))


def forget(tx: Tx, object_ids: Sequence[str]) -> None:
    """Their owners took these away."""
    tx.execute(sa.delete(gigs).where(gigs.c.id.in_(object_ids)))


def doubt(tx: Tx, object_ids: Sequence[str]) -> None:
    """These were signed with a key that was in other hands by then."""
    tx.execute(sa.update(gigs).where(gigs.c.id.in_(object_ids)).values(verification="revoked"))
