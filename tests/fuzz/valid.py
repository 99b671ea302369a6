"""What an honest server may say, of every kind that is understood here: by our own writers, and as others wrote it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

from federation.clock import iso
from schemas import activities
from schemas.base import Audience
from schemas.cv import Cv, Entry
from schemas.learning import Module, write_announcement, write_module
from schemas.market import Gig, write_gig
from schemas.money import Rate, Skill
from schemas.notes import NoteDraft, Tag, write_note
from schemas.packs import Member, Pack, write_pack
from schemas.profiles import Availability, Card, FreelanceProfile, write_card, write_profile
from schemas.terms import PUBLIC
from tests.fuzz.cast import ALICE, BOB, CAROL, EVE, MALLORY, NODE, NOW, VERA, ZOE, Actor

Document = dict[str, Any]
WINDOW = 400
"""So many activities speak of the same few things; then of new ones, since what was deleted stays deleted."""
THINGS = 5


@dataclass
class Pen:
    """Writes as one actor. ours: what of the people here can be liked, answered and asked for, by kind."""

    random: Random
    index: int
    me: Actor
    ours: dict[str, str]

    @property
    def mark(self) -> str:
        """A word that stands in whatever this activity brings, and nowhere else."""
        return f"zq{self.index}x"

    def activity_id(self) -> str:
        return f"{self.me.id}/activities/{self.index}"

    def thing(self, kind: str, owner: Actor | None = None) -> str:
        """The id of one of the few things of that kind that are spoken of now."""
        number = self.index // WINDOW * THINGS + self.random.randrange(THINGS)
        return f"{(owner or self.me).id}/{kind}/{number}"

    def time(self) -> str:
        return iso(self.moment())

    def moment(self) -> datetime:
        return NOW - timedelta(minutes=self.random.randrange(60 * 24 * 7))

    def local(self) -> str:
        return self.random.choice((ALICE, ALICE, CAROL))

    def ours_at(self) -> str:
        """Something of the people here; perhaps private, perhaps nothing."""
        return self.random.choice([*self.ours.values(), f"{ALICE}/posts/01aaaaaaaaaaaaaaaaaaaaaaaa"])

    def somebody(self) -> Actor:
        return self.random.choice((BOB, MALLORY, EVE, ZOE, VERA))

    def audience(self) -> Audience:
        """Everybody, unlisted, followers, one person here, or both."""
        me = self.me.followers
        return self.random.choice(
            (
                Audience((PUBLIC,), (me,)),
                Audience((PUBLIC,), (me, ALICE)),
                Audience((me,), (PUBLIC,)),
                Audience((me,), ()),
                Audience((me,), (CAROL,)),
                Audience((ALICE,), ()),
                Audience((CAROL,), ()),
                Audience((ALICE, CAROL), ()),
            )
        )

    def words(self) -> str:
        return f"<p>{self.mark} {self.random.choice(WORDS)}</p>"

    def brought(self, verb: str, obj: Document) -> Document:
        """Create or Update of something, to those whom it addresses."""
        audience = Audience(tuple(obj.get("to", ())), tuple(obj.get("cc", ())))
        return activities.embedding(
            verb, self.activity_id(), self.me.id, obj, audience=audience, published=str(obj.get("published"))
        )

    def said(self, verb: str, obj: Any, *to: str) -> Document:
        """Any other activity."""
        audience = Audience(to or (ALICE,))
        return activities.activity(verb, self.activity_id(), self.me.id, obj, audience=audience, published=self.time())


WORDS = (
    "can you do two days in January?",
    "<strong>done</strong> and <em>paid</em>",
    '<a href="https://a.example/x" class="mention">@alice</a>, look',
    "line<br>line</p><ul><li>one</li><li>two</li></ul><p>",
    "#work in 日本語, עברית and हिन्दी",
)
SKILLS = (
    Skill("editing", "http://data.europa.eu/esco/skill/00000000-0000-4000-8000-000000000001"),
    Skill("typesetting", None),
)


def note(pen: Pen) -> Document:
    answers = pen.random.choice((None, None, None, pen.ours_at(), pen.thing("notes", pen.somebody())))
    tags = (Tag("Hashtag", "#work", f"{pen.me.origin}/tags/work"), Tag("Mention", "@alice", ALICE))
    return write_note(
        NoteDraft(
            id=pen.thing("notes"),
            owner=pen.me.id,
            content=pen.words(),
            published=pen.time(),
            audience=pen.audience(),
            url=f"{pen.me.origin}/@{pen.me.name}/{pen.index}",
            in_reply_to=answers,
            updated=pen.random.choice((None, pen.time())),
            tags=tags[: pen.random.randrange(3)],
            warning=pen.random.choice(("", "", f"{pen.mark} a warning")),
            attachments=(
                {"type": "Document", "mediaType": "image/png", "url": f"{pen.me.origin}/a.png", "name": pen.mark},
                {"type": "Link", "href": "https://a.example/film.mp4", "mediaType": "video/mp4"},
            )[: pen.random.randrange(3)],
        )
    )


def gig(pen: Pen) -> Document:
    price = pen.random.choice((None, Decimal("68.00"), Decimal("0.5")))
    draft = Gig(
        id=pen.thing("gigs"),
        owner=pen.me.id,
        purpose=pen.random.choice(("offer", "request")),
        title=f"{pen.mark} a report",
        content=pen.words(),
        unit=pen.random.choice(("hour", "day", "one")),
        skills=SKILLS,
        price=price,
        currency="EUR" if price else None,
        available=pen.random.choice((None, Decimal(80))),
        minimum=pen.random.choice((None, Decimal(4))),
        url=f"{pen.me.origin}/gigs/{pen.index}",
    )
    return write_gig(
        draft,
        audience=pen.audience(),
        published=pen.time(),
        updated=pen.random.choice((None, pen.time())),
        end_time=pen.random.choice((None, "2026-12-31T23:59:59Z", pen.time())),
    )


def module(pen: Pen) -> Document:
    return write_module(_module(pen), audience=pen.audience(), published=pen.time(), updated=pen.time())


def announcement(pen: Pen) -> Document:
    return write_announcement(
        _module(pen), note_id=pen.thing("notes"), content=pen.words(), audience=pen.audience(), published=pen.time()
    )


def _module(pen: Pen) -> Module:
    return Module(
        id=pen.thing("learn"),
        owner=pen.me.id,
        title=f"{pen.mark} reading a contract",
        content=f"<h2>{pen.mark}</h2>{pen.words()}",
        summary=pen.mark,
        licence="https://creativecommons.org/licenses/by/4.0/",
        skills=SKILLS,
        minutes=pen.random.choice((None, 20, 400)),
        url=f"{pen.me.origin}/learn/{pen.index}",
    )


def question(pen: Pen) -> Document:
    options = [{"type": "Note", "name": f"{pen.mark} {name}", "replies": {"totalItems": 2}} for name in ("one", "two")]
    ends = {"endTime": "2026-12-01T00:00:00Z", "closed": pen.random.choice((True, "2026-11-26T00:00:00Z"))}
    chosen = pen.random.choice((("endTime",), ("closed",), ("endTime", "closed"), ()))
    asked = {"type": "Question", pen.random.choice(("oneOf", "anyOf")): options, "votersCount": 3}
    return note(pen) | asked | {name: ends[name] for name in chosen}


def vote(pen: Pen) -> Document:
    return note(pen) | {"name": "one", "content": "", "to": [ALICE], "inReplyTo": pen.ours_at()}


def card(pen: Pen) -> Document:
    draft = Card(
        id=pen.thing("cards"),
        owner=pen.me.id,
        profile=profile(pen),
        summary=pen.words(),
        links=("https://a.example/me", "https://b.example/me"),
    )
    content, url = pen.words(), f"{pen.me.origin}/@{pen.me.name}"
    return write_card(draft, content=content, url=url, audience=pen.audience(), published=pen.time())


def profile(pen: Pen) -> FreelanceProfile:
    cv = Cv(
        experience=(Entry(title=f"{pen.mark} editor", organisation="Press", start="2021-03", end="2024"),),
        portfolio=(Entry(title="A book", url="https://a.example/book"),),
    )
    return FreelanceProfile(
        headline=f"{pen.mark} edits",
        skills=SKILLS,
        languages=("en", "pt-BR"),
        rate=Rate(Decimal("60"), "EUR", "hour"),
        availability=Availability(
            pen.random.choice(("open", "limited", "busy")), NOW.date(), 20, NOW, (10, 20, 30), NOW.date()
        ),
        levels={"en": "native"},
        cv=cv,
    )


def pack(pen: Pen) -> Document:
    members = (Member(BOB.id, "bob@one.example"), Member(ALICE, "alice@localhost"))
    draft = Pack(pen.thing("packs"), pen.me.id, f"{pen.mark} people", pen.mark, members, url=f"{pen.me.origin}/p")
    return write_pack(draft, published=pen.time(), updated=None)


def like_note(kind: str) -> Callable[[Pen], Document]:
    """What others publish that reads as a text."""

    def write(pen: Pen) -> Document:
        more = {"startTime": pen.time(), "location": {"type": "Place", "name": "Lisbon"}, "duration": "PT1H"}
        return note(pen) | {"type": kind, "name": f"{pen.mark} {kind}", "contentMap": {"en": pen.words()}} | more

    return write


OBJECTS: tuple[Callable[[Pen], Document], ...] = (
    note, note, note, gig, gig, module, announcement, question, vote, card, pack,
    like_note("Article"), like_note("Page"), like_note("Event"), like_note("Video"), like_note("Image"),
)  # fmt: skip


def some_object(pen: Pen) -> Document:
    return pen.random.choice(OBJECTS)(pen)


# ---- activities


def create(pen: Pen) -> Document:
    return pen.brought("Create", some_object(pen))


def update(pen: Pen) -> Document:
    return pen.brought("Update", some_object(pen) | {"updated": pen.time()})


def update_actor(pen: Pen) -> Document:
    icon = {"type": "Image", "mediaType": "image/png", "url": f"{pen.me.origin}/me.png"}
    more = {"name": f"{pen.me.name} {pen.index}", "icon": icon, "updated": pen.time(), "to": [PUBLIC]}
    return pen.brought("Update", pen.me.document(**more, **write_profile(profile(pen))))


def follow(pen: Pen) -> Document:
    return activities.follow(pen.activity_id(), pen.me.id, pen.local(), pen.time())


def answer(pen: Pen) -> Document:
    """Accept and Reject, of what was asked and of what was not."""
    who = pen.local()
    asked = {"id": f"{who}/follows/{pen.me.name}", "type": "Follow", "actor": who, "object": pen.me.id}
    return activities.answer(pen.random.choice(("Accept", "Reject")), pen.activity_id(), pen.me.id, asked, pen.time())


def like(pen: Pen) -> Document:
    return pen.said(pen.random.choice(("Like", "Like", "Dislike")), pen.ours_at())


def announce(pen: Pen) -> Document:
    audience = Audience((PUBLIC,), (pen.me.followers, ALICE))
    what = pen.random.choice((pen.ours_at(), pen.thing("notes", pen.somebody()), pen.thing("gigs", pen.somebody())))
    return pen.said("Announce", what, *audience.everybody)


def undo(pen: Pen) -> Document:
    done = pen.random.choice((follow, like, announce, block))(pen)
    done["id"] = f"{pen.me.id}/activities/{max(0, pen.index - pen.random.randrange(40))}"
    undone = activities.undo(f"{pen.activity_id()}/undo", pen.me.id, done, Audience((ALICE,)), pen.time())
    return undone | {"object": done["id"]} if pen.random.random() < 0.4 else undone


def block(pen: Pen) -> Document:
    return pen.said("Block", pen.local(), ALICE)


def delete(pen: Pen) -> Document:
    target = pen.thing(pen.random.choice(("notes", "notes", "gigs", "learn", "cards")))
    whole = activities.tombstone(target, "Note", pen.time())
    return pen.said("Delete", pen.random.choice((target, whole)), PUBLIC)


def delete_self(pen: Pen) -> Document:
    return pen.said("Delete", ZOE.id if pen.me is ZOE else pen.thing("notes"), PUBLIC)


def pin(pen: Pen) -> Document:
    verb = pen.random.choice(("Add", "Add", "Remove"))
    return pen.said(verb, pen.thing("notes"), PUBLIC) | {"target": f"{pen.me.id}/featured"}


def move(pen: Pen) -> Document:
    return pen.said("Move", pen.me.id, pen.me.followers) | {"target": pen.somebody().id}


def flag(pen: Pen) -> Document:
    return pen.said("Flag", [pen.local(), pen.ours_at()], ALICE) | {"content": f"{pen.mark} spam"}


def other(pen: Pen) -> Document:
    """What is not handled here."""
    verb = pen.random.choice(("Offer", "Join", "Leave", "Invite", "View", "Read", "EmojiReact", "TentativeAccept"))
    return pen.said(verb, pen.random.choice((some_object(pen), pen.ours_at())), ALICE)


def forwarded(pen: Pen) -> Document:
    """Somebody else's activity, passed on with a signature that is not read here: its origin has to be asked."""
    theirs = Pen(pen.random, pen.index, pen.random.choice((EVE, ZOE, BOB)), pen.ours)
    document = pen.random.choice((create, update, delete, announce))(theirs)
    signature = {"type": "RsaSignature2017", "creator": theirs.me.key_id, "signatureValue": "eA=="}
    return document | {"signature": signature}


def bare(pen: Pen) -> Document:
    """Create or Update of something that stands at its origin, or of somebody there."""
    verb = pen.random.choice(("Create", "Update"))
    return pen.said(verb, pen.random.choice((pen.thing("notes"), pen.thing("gigs"), pen.me.id)), PUBLIC, ALICE)


def captured(pen: Pen) -> Document:
    """What GoToSocial, Fedify and Takahe once sent, in the words of who sends it now."""
    text = pen.random.choice(_captures())
    theirs = json.loads(text)["actor"]
    origin = re.match(r"https?://[^/]+", theirs)
    assert origin is not None
    text = text.replace(theirs, pen.me.id).replace(origin[0], pen.me.origin)
    text = text.replace("http://127.0.0.1:9601", NODE).replace("https://node.test", NODE)
    document = json.loads(text.replace(f"{NODE}/users/ana", ALICE)) | {"id": pen.activity_id()}
    if document["type"] in ("Create", "Update"):
        document["object"] |= {"id": pen.thing("notes"), "content": pen.words()}
        document["object"].pop("contentMap", None)
    return _nowhere_else(document)


@cache
def _captures() -> tuple[str, ...]:
    from tests.interop.captures import captured as of

    found = [one for peer in ("gotosocial", "fedify159", "fedify236", "takahe") for one in of(peer)]
    return tuple(json.dumps(one.activity) for one in found if one.body is not None)


def pasture(pen: Pen) -> Document:
    """An example of fediverse-pasture-inputs."""
    example, base = pen.random.choice(_examples()), note(pen)
    text = json.dumps(base | example | {"id": base["id"]}).replace("http://pasture-one-actor/actor", pen.me.id)
    thing = json.loads(text.replace("http://pasture-one-actor", pen.me.origin))
    thing = {name: value for name, value in thing.items() if value is not None}
    if isinstance(thing.get("content"), str):
        thing["content"] = f"{pen.mark} {thing['content']}"
    activity = pen.said("Create", thing, *base["to"], *base["cc"])
    return _nowhere_else(activity | {"@context": thing.get("@context", activity["@context"])})


@cache
def _examples() -> tuple[Document, ...]:
    from tests.interop.test_pasture import inputs

    return tuple(example for group in inputs().values() for example in group)


_KNOWN = re.compile(
    r"https?://(?!(?:localhost:8420|(?:one|two|three|canary)\.example|www\.w3\.org|w3id\.org|schema\.org|purl\.|"
    r"joinmastodon\.org|ostatus\.org|litepub\.social|misskey-hub\.net|fedibird\.com)\b)[^/\"\\\s]+"
)


def _nowhere_else(document: Document) -> Document:
    """Real servers stand in some of them; those must not be asked."""
    return json.loads(_KNOWN.sub("http://two.example", json.dumps(document)))


ACTIVITIES: dict[str, tuple[int, Callable[[Pen], Document]]] = {
    "create": (30, create),
    "update": (12, update),
    "update_actor": (5, update_actor),
    "follow": (4, follow),
    "answer": (4, answer),
    "like": (6, like),
    "announce": (8, announce),
    "undo": (5, undo),
    "block": (1, block),
    "delete": (4, delete),
    "delete_self": (1, delete_self),
    "pin": (3, pin),
    "move": (1, move),
    "flag": (2, flag),
    "other": (2, other),
    "forwarded": (4, forwarded),
    "bare": (4, bare),
    "captured": (6, captured),
    "pasture": (8, pasture),
}
"""How often, and by whom it is written."""
