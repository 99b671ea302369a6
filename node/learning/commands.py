"""Writes: a module is published, changed and taken away; each time it is signed, announced and sent.

A module is often longer than what other servers take in one message. Then its Create carries only its id, and whoever
wants it whole asks for it there; the Note that announces it is short and reaches everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from federation import outbox
from federation.authors import Author
from federation.clock import iso
from federation.storage import Tx
from federation.tables import objects
from node.learning import queries, wire
from node.learning.queries import ModuleView
from node.learning.rules import ModuleDraft
from node.learning.tables import modules
from node.search import commands as search
from node.skills import named
from node.social import commands as social
from node.text import one_line
from schemas.base import Audience
from schemas.learning import Module, write_announcement, write_module
from schemas.strict_json import dumps
from schemas.terms import PUBLIC


def publish_module(tx: Tx, author: Author, draft: ModuleDraft) -> str:
    """Sign a module, announce it and send both to the followers; returns its id."""
    module_id = author.ids.object(author.actor_id, "learn", tx.now)
    note_id = author.ids.object(author.actor_id, "posts", tx.now)
    module = wire.to_module(author.ids, module_id, author.actor_id, draft)
    audience, published = _audience(author), iso(tx.now)
    document = write_module(module, audience=audience, published=published, updated=None)
    outbox.create(tx, author, document, kind="module", audience=audience, published=tx.now, long=True)
    note = write_announcement(
        module, note_id=note_id, content=wire.announcement(module), audience=audience, published=published
    )
    outbox.create(tx, author, note, kind="post", audience=audience, published=tx.now)
    _keep_own(tx, module, draft, published=tx.now, updated=tx.now, announcement=note_id)
    social.into_timelines(tx, author.ids, module_id, author.actor_id, tx.now, document=document)
    search.changed(tx, module_id, first=True, news=True)
    return module_id


def edit_module(tx: Tx, author: Author, module_id: str, draft: ModuleDraft) -> int:
    """Change a module everywhere; returns how many inboxes hear of it, 0 when nothing changes. NotFound."""
    held = queries.own_module(tx, author.actor_id, module_id)
    if draft == draft_of(held):
        return 0
    module = wire.to_module(author.ids, held.id, author.actor_id, draft)
    audience, published, updated = _audience(author), iso(held.published), max(tx.now, held.updated)
    document = write_module(module, audience=audience, published=published, updated=iso(updated))
    reached = outbox.update(tx, author, document, audience=audience, long=True)
    if held.announcement is not None:
        content = wire.announcement(module)
        note = write_announcement(
            module, note_id=held.announcement, content=content, audience=audience, published=published
        )
        outbox.update(tx, author, note, audience=audience)
    _keep_own(tx, module, draft, published=held.published, updated=updated, announcement=held.announcement)
    search.changed(tx, held.id, first=False)
    return reached


def delete_module(tx: Tx, author: Author, module_id: str) -> int:
    """Take a module and its announcement away everywhere; returns how many inboxes hear of it. NotFound."""
    held = queries.own_module(tx, author.actor_id, module_id)
    reached = outbox.delete(tx, author, held.id)
    gone = [held.id]
    if held.announcement is not None:
        outbox.delete(tx, author, held.announcement)
        gone.append(held.announcement)
    forget(tx, gone)
    social.forget(tx, gone)
    search.forget(tx, gone)
    return reached


def draft_of(view: ModuleView) -> ModuleDraft:
    """What a module of our own was made from."""
    return ModuleDraft(
        title=view.title,
        summary=view.summary,
        body_md=view.body_md or "",
        licence=view.licence or "",
        skills=view.skills,
        minutes=view.minutes,
        body_html=view.body_html,
    )


def _audience(author: Author) -> Audience:
    return Audience((PUBLIC,), (author.followers,))


def _keep_own(
    tx: Tx, module: Module, draft: ModuleDraft, *, published: datetime, updated: datetime, announcement: str | None
) -> None:
    known = {"local": True, "visibility": "public", "verification": "signed", "published": published}
    more = {"updated": updated, "announcement": announcement, "body_md": draft.body_md}
    _keep(tx, module, draft.body_html, known | more)


def keep_restored(
    tx: Tx, module: Module, body_md: str, *, published: datetime, updated: datetime, announcement: str | None
) -> None:
    """Keep the view of a module of our own that came back from an archive."""
    known = {"local": True, "visibility": "public", "verification": "signed", "body_md": body_md}
    times = {"published": published, "updated": updated, "announcement": announcement}
    _keep(tx, module, wire.body_of(module), known | times)


def keep_known(tx: Tx, module: Module) -> None:
    """Keep the view of somebody else's module, which `federation.objects` has stored already."""
    row = tx.row(sa.select(objects).where(objects.c.id == module.id))
    assert row is not None
    names = ("local", "visibility", "verification", "published", "updated")
    known = {name: row._mapping[name] for name in names}
    _keep(tx, module, wire.body_of(module), known | {"body_md": None, "announcement": None})


def _keep(tx: Tx, module: Module, body_html: str, known: dict[str, Any]) -> None:
    values = known | {
        "owner": module.owner,
        "title": one_line(module.title, 200) or "Untitled",
        "summary": one_line(module.summary, 600),
        "body_html": body_html,
        "licence": module.licence,
        "minutes": module.minutes,
        "skills": dumps(named(module.skills)).decode(),
        "page": module.url,
    }
    insert = tx.insert(modules).values(id=module.id, **values)
    tx.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values))


def forget(tx: Tx, object_ids: Sequence[str]) -> None:
    """Their owners took these away."""
    tx.execute(sa.delete(modules).where(modules.c.id.in_(object_ids)))


def doubt(tx: Tx, object_ids: Sequence[str]) -> None:
    """These were signed with a key that was in other hands by then."""
    tx.execute(sa.update(modules).where(modules.c.id.in_(object_ids)).values(verification="revoked"))
