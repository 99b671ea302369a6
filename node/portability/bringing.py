"""An archive comes in on a fresh node: section by section, each in one transaction, each entry checked like a form.

What was published is put back under new ids as one's own history: signed anew, its dates kept, told to nobody (their
servers know it under the old ids, and a second copy would only be noise). What others said cannot be put back: it is
not ours to say. Whom one followed is asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from federation.authors import Author
from federation.errors import FederationError
from federation.restoring import restore
from federation.storage import Tx
from federation.tables import blocks, featured, mutes, objects
from keys.encoding import public_from_did_key
from keys.errors import KeysError
from node.accounts import commands as accounts
from node.accounts.rules import parse_preferences
from node.accounts.tables import accounts as account_rows
from node.credentials import moving as credentials
from node.errors import Invalid, NodeError
from node.identity import commands as identity
from node.identity.rules import parse_sealed
from node.learning import commands as learning
from node.market import commands as market
from node.messages import commands as messages
from node.notifications.rules import KINDS as KINDS_OF_NOTICES
from node.notifications.tables import mail_choices
from node.portability.archive import MAX_LINE, NOT_OURS, Reader
from node.portability.moving import Former, Map
from node.portability.rows import Entry
from node.portability.tables import restored
from node.profiles.cv_commands import insert_entry
from node.profiles.entries import parse_entry, section_called
from node.search.commands import changed as found_again
from node.search.commands import follow_tag
from node.social.tables import post_sources
from node.social.timelines import into_timelines
from node.text import clean
from schemas.base import datetime_of, id_of
from schemas.errors import SchemaError
from schemas.learning import parse_module
from schemas.market import parse_gig
from schemas.notes import parse_note
from schemas.strict_json import loads_object
from schemas.urls import parse_url, url_of

KINDS = {"posts": "post", "gigs": "gig", "modules": "module"}
FOLDERS = {"posts": "posts", "gigs": "gigs", "modules": "learn"}

HERE = "here already"
UNREADABLE = "unreadable"
NOT_THEIRS = "not theirs"
NOT_HERE = "not here"
UNREACHABLE = "unreachable"
NOT_OURS_TO_SAY = "not ours to say"
"""Why something was left out: the words for people stand in `node.portability.pages`."""


@dataclass(slots=True)
class Section:
    """What came of one part."""

    name: str
    restored: int = 0
    skipped: dict[str, int] = field(default_factory=dict)

    def skip(self, reason: str) -> None:
        """One entry was left out."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1

    def plain(self) -> dict[str, Any]:
        """For a row."""
        return {"section": self.name, "restored": self.restored, "skipped": self.skipped}


Restore = Callable[[Tx, Author, Reader, Map, Entry], str | None]
"""Puts one entry back; returns why it was left out, or None. What it raises of ours counts as unreadable."""


def map_of(tx: Tx, author: Author, reader: Reader) -> Map:
    """Whose archive it is, and the new id of everything in it; what came in before keeps the one that it got."""
    former_id, origin = reader.text("actor"), reader.text("origin")
    try:
        same = parse_url(former_id).origin == parse_url(origin).origin == origin
    except SchemaError as error:
        raise Invalid({"archive": NOT_OURS}) from error
    if not same:
        raise Invalid({"archive": NOT_OURS})
    found = Map(Former(former_id, origin, reader.text("username")), author.ids, author.actor_id)
    mine = sa.select(restored.c.source, restored.c.target).where(restored.c.actor_id == author.actor_id)
    known = {row.source: row.target for row in tx.rows(mine)}
    for name, folder in FOLDERS.items():
        for source, published in _ids(reader, name, former_id):
            target = known.get(source) or author.ids.object(author.actor_id, folder, min(published, tx.now))
            found.objects[source] = target
    return found


def _ids(reader: Reader, name: str, former_id: str) -> Iterator[tuple[str, datetime]]:
    for entry in reader.lines(name):
        source, published = entry.get("id"), datetime_of(entry.get("published"))
        if isinstance(source, str) and source.startswith(f"{former_id}/") and published is not None:
            yield source, published


def bring(tx: Tx, author: Author, reader: Reader, moved: Map, name: str) -> Section:
    """One section, whole or not at all."""
    section = Section(name)
    for entry in reader.lines(name):
        try:
            with tx.savepoint():
                reason = RESTORE[name](tx, author, reader, moved, entry)
        except (SchemaError, NodeError, FederationError, KeysError, KeyError, TypeError, ValueError):
            reason = UNREADABLE
        if reason is None:
            section.restored += 1
        else:
            section.skip(reason)
    return section


# ---- what was published


def _document(tx: Tx, author: Author, reader: Reader, moved: Map, entry: Entry) -> tuple[str, dict[str, Any]] | str:
    """The new id and the document under it, with the texts cleaned; or why it is left out."""
    source = entry["id"]
    target = moved.objects.get(source)
    original = reader.file(entry.get("document"), MAX_LINE)
    if target is None or original is None:
        return UNREADABLE
    if tx.row(sa.select(objects.c.id).where(objects.c.id == target)) is not None:
        return HERE
    document = loads_object(original)
    if document.get("id") != source or id_of(document.get("attributedTo")) != moved.former.actor_id:
        return NOT_THEIRS
    return target, _cleaned(moved.document(document))


def _cleaned(document: dict[str, Any]) -> dict[str, Any]:
    """HTML of an archive is a stranger's HTML."""
    texts = document.get("contentMap")
    if isinstance(texts, dict):
        document["contentMap"] = {code: clean(str(text)) for code, text in texts.items()}
    return document | {"content": clean(str(document.get("content", "")))}


def _put_back(
    tx: Tx, author: Author, moved: Map, entry: Entry, document: dict[str, Any], name: str
) -> tuple[datetime, datetime]:
    published = datetime_of(entry.get("published"))
    if published is None:
        raise ValueError(entry["id"])
    published = min(published, tx.now)
    updated = min(max(datetime_of(entry.get("updated")) or published, published), tx.now)
    kind: Any = KINDS[name]
    restore(tx, author, document, kind=kind, published=published, updated=updated)
    known = {"actor_id": author.actor_id, "source": entry["id"], "target": document["id"]}
    tx.execute(tx.insert_new(restored, "actor_id", "source"), known)
    into_timelines(tx, author.ids, document["id"], author.actor_id, published, document=document)
    found_again(tx, document["id"], first=True)
    return published, updated


def _source(entry: Entry) -> str:
    text = entry.get("source")
    return text if isinstance(text, str) else ""


def _post(tx: Tx, author: Author, reader: Reader, moved: Map, entry: Entry) -> str | None:
    found = _document(tx, author, reader, moved, entry)
    if isinstance(found, str):
        return found
    target, document = found
    parse_note(document)
    _put_back(tx, author, moved, entry, document, "posts")
    messages.file_restored(tx, author.ids, target, author.actor_id)
    if _source(entry):
        tx.execute(sa.insert(post_sources).values(object_id=target, body_md=_source(entry)))
    return None


def _gig(tx: Tx, author: Author, reader: Reader, moved: Map, entry: Entry) -> str | None:
    found = _document(tx, author, reader, moved, entry)
    if isinstance(found, str):
        return found
    gig = parse_gig(found[1])
    published, updated = _put_back(tx, author, moved, entry, found[1], "gigs")
    market.keep_restored(tx, gig, _source(entry), published=published, updated=updated)
    return None


def _module(tx: Tx, author: Author, reader: Reader, moved: Map, entry: Entry) -> str | None:
    found = _document(tx, author, reader, moved, entry)
    if isinstance(found, str):
        return found
    module = parse_module(found[1])
    published, updated = _put_back(tx, author, moved, entry, found[1], "modules")
    announcement = moved.objects.get(str(entry.get("announcement")))
    learning.keep_restored(tx, module, _source(entry), published=published, updated=updated, announcement=announcement)
    return None


def _line_of_cv(tx: Tx, author: Author, reader: Reader, moved: Map, entry: Entry) -> str | None:
    section, source = section_called(str(entry.get("section"))), f"cv {entry['id']}"
    if section is None:
        return UNREADABLE
    known = (restored.c.actor_id == author.actor_id, restored.c.source == source)
    target = tx.scalar(sa.select(restored.c.target).where(*known))
    if target is None:
        draft = parse_entry(section, msgspec.convert(entry["form"], dict[str, str]))
        target = insert_entry(tx, author.actor_id, section, draft, last=True)
        tx.execute(sa.insert(restored).values(actor_id=author.actor_id, source=source, target=target))
        moved.objects[entry["id"]] = target
        return None
    moved.objects[entry["id"]] = target
    return HERE


# ---- relations and choices


def _tag(tx: Tx, author: Author, reader: Reader, moved: Map, entry: Entry) -> str | None:
    follow_tag(tx, author.actor_id, str(entry["tag"]))
    return None


def _featured(tx: Tx, author: Author, reader: Reader, moved: Map, entry: Entry) -> str | None:
    target = moved.objects.get(entry["object_id"])
    if target is None or tx.row(sa.select(objects.c.id).where(objects.c.id == target)) is None:
        return NOT_HERE
    values = {"actor": author.actor_id, "object_id": target, "at": tx.now}
    return None if tx.execute(tx.insert_new(featured), values).rowcount else HERE


def _block(tx: Tx, author: Author, reader: Reader, moved: Map, entry: Entry) -> str | None:
    values = {"actor": author.actor_id, "target": _somebody(author, entry), "created_at": tx.now}
    return None if tx.execute(tx.insert_new(blocks), values).rowcount else HERE


def _mute(tx: Tx, author: Author, reader: Reader, moved: Map, entry: Entry) -> str | None:
    values = {"actor": author.actor_id, "target": _somebody(author, entry), "created_at": tx.now}
    until = datetime_of(entry.get("until"))
    return None if tx.execute(tx.insert_new(mutes), values | {"until": until}).rowcount else HERE


def _somebody(author: Author, entry: Entry) -> str:
    actor_id: str = entry["actor"]
    parse_url(actor_id)
    if actor_id == author.actor_id:
        raise ValueError(actor_id)
    return actor_id


def _account(tx: Tx, author: Author, reader: Reader, moved: Map, entry: Entry) -> str | None:
    wanted = {name: str(entry[name]) for name in ("language", "theme") if entry.get(name)}
    account_id = tx.scalar(sa.select(account_rows.c.id).where(account_rows.c.actor_id == author.actor_id))
    accounts.prefer(tx, account_id, parse_preferences(wanted))
    return None


def _mail_choice(tx: Tx, author: Author, reader: Reader, moved: Map, entry: Entry) -> str | None:
    kind, how = entry["kind"], entry["how"]
    if kind not in KINDS_OF_NOTICES or how not in ("now", "daily", "never"):
        return UNREADABLE
    values = {"actor_id": author.actor_id, "kind": kind, "how": how}
    insert = tx.insert(mail_choices).values(values)
    tx.execute(insert.on_conflict_do_update(index_elements=["actor_id", "kind"], set_={"how": how}))
    return None


def _identity(tx: Tx, author: Author, reader: Reader, moved: Map, entry: Entry) -> str | None:
    """Sealed as it is: its code, which nobody here has, opens and claims it (`node.identity`)."""
    did, sealed, state = str(entry["did"]), parse_sealed(str(entry["sealed"])), entry["state"]
    public_from_did_key(did)
    if state == "claimed":
        return None if identity.bring(tx, author, did, sealed) else HERE
    succession = entry.get("succession")
    if state != "former" or not isinstance(succession, str):
        return NOT_HERE
    return None if identity.bring_succession(tx, author, did, sealed, succession.encode()) else HERE


def _not_ours(tx: Tx, author: Author, reader: Reader, moved: Map, entry: Entry) -> str | None:
    return NOT_OURS_TO_SAY


def _status_list(tx: Tx, author: Author, reader: Reader, moved: Map, entry: Entry) -> str | None:
    """Carried on: what they have issued can be taken back from here, and no other server can say so."""
    body = reader.file(entry.get("document"), MAX_LINE)
    if body is None:
        return UNREADABLE
    return None if credentials.carry_on(tx, author, moved.former.actor_id, body) else HERE


def _credential(tx: Tx, author: Author, reader: Reader, moved: Map, entry: Entry) -> str | None:
    """What they held and gave, byte for byte: nothing is given anew, and nobody is told."""
    body = reader.file(entry.get("document"), MAX_LINE)
    if body is None:
        return UNREADABLE
    if entry["side"] == "held":
        held = credentials.hold_again(tx, author.actor_id, body, entry["state"], entry["audience"])
        return None if held else HERE
    given = _given(entry, moved)
    return None if credentials.keep_issued(tx, author, moved.former.actor_id, body, given) else HERE


def _given(entry: Entry, moved: Map) -> credentials.Given:
    given_at, revoked_at = datetime_of(entry["came_at"]), datetime_of(entry.get("revoked_at"))
    if given_at is None or (revoked_at is None and entry["state"] == "revoked"):
        raise ValueError(entry["id"])
    note = moved.objects.get(str(entry.get("note")))
    return credentials.Given(given_at, revoked_at, str(entry.get("reason", "")), url_of(entry.get("person")), note)


def _kept_list(tx: Tx, author: Author, reader: Reader, moved: Map, entry: Entry) -> str | None:
    """How it stood with one that they hold, when somebody last looked."""
    body = reader.file(entry.get("document"), MAX_LINE)
    if body is None:
        return UNREADABLE
    known = (str(entry["issuer"]), str(entry["uri"]))
    return None if credentials.staple_again(tx, author.actor_id, *known, body) else HERE


RESTORE: dict[str, Restore] = {
    "cv": _line_of_cv,
    "account": _account,
    "identity": _identity,
    "posts": _post,
    "gigs": _gig,
    "modules": _module,
    "featured": _featured,
    "status-lists": _status_list,
    "credentials": _credential,
    "kept-lists": _kept_list,
    "blocks": _block,
    "mutes": _mute,
    "tags": _tag,
    "mail-choices": _mail_choice,
    "messages": _not_ours,
    "reactions": _not_ours,
    "followers": _not_ours,
}
"""The sections that need nothing but the database, in their order. Pictures come after the first, the profile and whom
one follows after the last: see `node.portability.working`."""


def plain(sections: list[Section]) -> list[dict[str, Any]]:
    """The report, for a row or for JSON."""
    return [msgspec.to_builtins(section.plain()) for section in sections]
