"""What happens at once before a kill: others send, somebody here posts; and what was promised meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp

from tests.faults.crowd import Neighbour, post
from tests.federation.world import RemoteActor
from tests.processes import Place
from tests.visitors import Visitor

INCOMING = ("create", "create", "create", "proved", "named", "mention", "follow", "like", "boost", "update", "delete")


@dataclass(frozen=True)
class Said:
    """An activity of somebody elsewhere. kind: of INCOMING; about: the object that it brings, changes or names."""

    kind: str
    sender: RemoteActor
    id: str
    about: str
    body: bytes


@dataclass
class Ledger:
    """What was promised, and what has yet to be.

    taken: answered with 202. waiting: sent, and not answered: sent again, as every server does. published: texts of
    posts that the page or the command acknowledged. posts: ids of posts that stand. notes: what taken Creates brought,
    and nobody has changed yet.
    """

    taken: dict[str, Said] = field(default_factory=dict)
    waiting: dict[str, Said] = field(default_factory=dict)
    published: list[str] = field(default_factory=list)
    posts: list[str] = field(default_factory=list)
    notes: dict[str, Said] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)
    final: set[str] = field(default_factory=set)
    """Activities whose objects nobody changes any more."""

    def clock_jumps(self) -> None:
        """Nobody changes what was said before: by a clock put back, the change is older, and rightly does nothing."""
        self.notes.clear()
        self.final |= self.waiting.keys()
        self.waiting = {key: said for key, said in self.waiting.items() if said.kind != "update"}

    def answered(self, said: Said, status: int | None) -> bool:
        """Note an answer; returns whether it was a promise."""
        self.statuses[str(status)] += 1
        if status != 202:
            self.waiting[said.id] = said
            if status not in (None, 503):
                self.odd.append(f"{said.kind} {said.id} was answered with {status}")
            return False
        self.waiting.pop(said.id, None)
        self.taken[said.id] = said
        if said.kind in ("create", "proved", "named") and said.id not in self.final:
            self.notes[said.about] = said
        return True


class Mouths:
    """Makes up what those elsewhere say, from a seed."""

    def __init__(self, local: str, followed: list[RemoteActor], strangers: list[RemoteActor], random: Random) -> None:
        self._local = local
        self._followed = followed
        self._strangers = strangers
        self._random = random
        self._count = 0

    def say(self, ledger: Ledger) -> Said:
        """One more; what speaks of an earlier thing speaks only of what was promised before."""
        kind = self._random.choice(INCOMING)
        if kind in ("update", "delete") and not ledger.notes:
            kind = "create"
        if kind == "like" and not ledger.posts:
            kind = "create"
        self._count += 1
        return getattr(self, f"_{kind}")(kind, ledger)

    def _note(self, sender: RemoteActor, **more: Any) -> dict[str, Any]:
        return sender.note(f"number {self._count}", **more)

    def _create(self, kind: str, ledger: Ledger) -> Said:
        sender = self._random.choice(self._followed)
        note = self._note(sender)
        return _said(kind, sender, sender.activity("Create", note), note["id"])

    def _proved(self, kind: str, ledger: Ledger) -> Said:
        sender = self._random.choice(self._followed)
        note = sender.prove(self._note(sender))
        return _said(kind, sender, sender.prove(sender.activity("Create", note)), note["id"])

    def _named(self, kind: str, ledger: Ledger) -> Said:
        sender = self._random.choice(self._followed)
        note = self._note(sender)
        sender.peer.serve(note)
        return _said(kind, sender, sender.activity("Create", note["id"]), note["id"])

    def _mention(self, kind: str, ledger: Ledger) -> Said:
        sender = self._stranger()
        tag = [{"type": "Mention", "href": self._local, "name": "@alice"}]
        note = self._note(sender, cc=[self._local], tag=tag)
        return _said(kind, sender, sender.activity("Create", note, cc=[self._local]), note["id"])

    def _follow(self, kind: str, ledger: Ledger) -> Said:
        sender = self._stranger()
        return _said(kind, sender, sender.activity("Follow", self._local, to=[self._local]), self._local)

    def _like(self, kind: str, ledger: Ledger) -> Said:
        sender, liked = self._stranger(), self._random.choice(ledger.posts)
        return _said(kind, sender, sender.activity("Like", liked, to=[self._local]), liked)

    def _boost(self, kind: str, ledger: Ledger) -> Said:
        author, sender = self._random.choice(self._strangers), self._random.choice(self._followed)
        note = self._note(author)
        author.peer.serve(note)
        return _said(kind, sender, sender.activity("Announce", note["id"]), note["id"])

    def _update(self, kind: str, ledger: Ledger) -> Said:
        note = self._taken_back(ledger)
        old = json.loads(note.body)["object"]
        old = old if isinstance(old, dict) else note.sender.peer.documents[old.removeprefix(note.sender.peer.origin)]
        new = {key: value for key, value in old.items() if key != "proof"}
        new |= {"content": "<p>changed</p>", "updated": new["published"].replace("Z", ".5Z")}
        return _said(kind, note.sender, note.sender.activity("Update", new), note.about)

    def _delete(self, kind: str, ledger: Ledger) -> Said:
        note = self._taken_back(ledger)
        return _said(kind, note.sender, note.sender.activity("Delete", note.about), note.about)

    def _taken_back(self, ledger: Ledger) -> Said:
        return ledger.notes.pop(self._random.choice(sorted(ledger.notes)))

    def _stranger(self) -> RemoteActor:
        """Somebody of whom the node has never heard."""
        home = self._random.choice(self._strangers).peer
        assert isinstance(home, Neighbour)
        return home.person(f"n{self._count}")


def _said(kind: str, sender: RemoteActor, activity: dict[str, Any], about: str) -> Said:
    return Said(kind, sender, activity["id"], about, json.dumps(activity).encode())


@dataclass
class Crowd:
    """All who act at once on one node. heard: called whenever something was promised."""

    place: Place
    http: aiohttp.ClientSession
    visitor: Visitor
    ledger: Ledger

    async def send(self, said: Said, heard: Callable[[], None]) -> None:
        """Post an activity, by the shared or the personal inbox."""
        inbox = f"{self.place.origin}/inbox" if len(said.id) % 2 else f"{self.place.origin}/users/alice/inbox"
        if self.ledger.answered(said, await post(self.http, inbox, said.sender, said.body)):
            heard()

    async def publish(self, token: str, text: str, heard: Callable[[], None]) -> None:
        """Post by the page."""
        form = {"csrf": token, "body": text, "audience": "public"}
        url = f"{self.place.origin}/posts/new"
        headers = {"Accept": "text/html", "Origin": self.place.origin}
        try:
            async with self.visitor.http.post(url, data=form, headers=headers, allow_redirects=False) as response:
                if response.status == 303:
                    self.ledger.published.append(text)
                    heard()
                elif response.status != 503:
                    self.ledger.odd.append(f"the page answered {response.status}: {(await response.text())[:300]}")
        except (aiohttp.ClientError, OSError):
            return

    async def command(self, text: str, heard: Callable[[], None]) -> None:
        """Post by command, beside the server."""
        done = await self.place.run("post", text, "--json")
        if done.code == 0:
            self.ledger.published.append(text)
            heard()

    async def again(self) -> None:
        """Send what got no answer before; what is not taken even now is odd."""
        left = list(self.ledger.waiting.values())
        await asyncio.gather(*(self.send(said, lambda: None) for said in left))
        self.ledger.odd += [f"{said.id} was not taken by a node in peace" for said in self.ledger.waiting.values()]
