"""Sending: one host's turn, item by item, and what came of each.

Nothing here writes; results go to whoever gave the turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from federation import retry, synchronise
from federation.answers import Answer
from federation.authority import origin
from federation.authors import Author
from federation.client import NOTHING, Client, other
from federation.errors import Disconnected, FederationError, Gone, NotFound, Unreachable
from federation.outcomes import Result, Whereabouts, recipients_of
from federation.queue import Job, Waiting
from federation.retry import Verdict
from federation.storage import Database, Tx
from federation.tables import actors
from keys.requests import Scheme
from schemas.actors import Actor, parse_actor
from schemas.errors import SchemaError
from schemas.jsonld import normalise


class Note(Protocol):
    """Takes results; called with none when a turn is over."""

    def __call__(self, *results: Result) -> None:
        """Take them."""


@dataclass(slots=True)
class Turn:
    """One host's turn, while it lasts: with all that it needs, so that nothing else has to be kept for it.

    bodies: by activity id; None for one that is not there. senders: by actor id. lanes: items at once.
    """

    waiting: Waiting
    jobs: deque[Job]
    bodies: dict[str, bytes | None]
    senders: dict[str, Author]
    scheme: Scheme | None
    lanes: int
    choked: int = 0
    stopped: bool = False

    def heed(self, verdict: Verdict) -> None:
        """Stop when the host cannot go on: at once, or after it has choked twice (a stranger, once)."""
        if verdict is Verdict.CHOKED:
            self.choked += 1
            self.stopped = self.stopped or self.choked >= (retry.OPENS_AFTER if self.waiting.known_good else 1)
        elif verdict in retry.STOPS_HOST:
            self.stopped = True
        else:
            self.choked = 0


class Sender:
    """Knocks at inboxes."""

    def __init__(self, db: Database, client: Client) -> None:
        self._db = db
        self._client = client

    async def serve(self, turn: Turn, note: Note) -> None:
        """Send a host its items, as far as it goes along; what it did not get to is put back."""
        try:
            await asyncio.gather(*(self._lane(turn, note) for _ in range(min(turn.lanes, len(turn.jobs)))))
        finally:
            note(*(Result(job, Verdict.UNTRIED) for job in turn.jobs))
            note()

    async def _lane(self, turn: Turn, note: Note) -> None:
        while turn.jobs and not turn.stopped:
            job = turn.jobs.popleft()
            try:
                result = await self._deliver(turn, job)
            except asyncio.CancelledError:
                turn.jobs.appendleft(job)
                raise
            turn.heed(result.verdict)
            note(result)

    async def _deliver(self, turn: Turn, job: Job) -> Result:
        body, author = turn.bodies[job.activity_id], turn.senders.get(job.sender)
        if body is None or author is None:
            return Result(job, Verdict.REFUSED, "its activity or its sender is not here any more")
        try:
            answer, scheme = await self._knock(turn, job.inbox, body, author, await self._beside(job, body, author))
        except Disconnected as error:
            return Result(job, Verdict.CHOKED, str(error))
        except Unreachable as error:
            return Result(job, Verdict.UNREACHABLE, str(error))
        except FederationError as error:
            return Result(job, Verdict.REFUSED, str(error))
        verdict = retry.judge(answer.status, asks_for_time=answer.retry_after is not None)
        return Result(
            job,
            verdict,
            f"{answer.status} {answer.words}".strip(),
            answer.status,
            answer.retry_after,
            scheme,
            await self._whereabouts(job) if verdict is Verdict.MISSING else None,
        )

    async def _beside(self, job: Job, body: bytes, author: Author) -> Mapping[str, str]:
        """What is said beside an activity for followers alone: who they are at that host (FEP-8fcf)."""
        where = origin(job.inbox)
        if where is None or not synchronise.is_for_followers(body, author):
            return NOTHING
        return {synchronise.HEADER: await self._db.read(synchronise.header_for, author, where)}

    async def _knock(
        self, turn: Turn, inbox: str, body: bytes, author: Author, beside: Mapping[str, str]
    ) -> tuple[Answer, Scheme | None]:
        """The answer, and the scheme that the host took.

        A host that does not take our keys may not have heard of the new ones: it is asked with those that we had
        before, as long as they have not expired.
        """
        answer, scheme = await self._knock_twice(turn, inbox, body, author, beside)
        before = author.as_before()
        if answer.status in (400, 401, 403) and before is not None:
            again, other_scheme = await self._knock_twice(turn, inbox, body, before, beside)
            if again.status < 300:
                return again, other_scheme
        return answer, scheme

    async def _knock_twice(
        self, turn: Turn, inbox: str, body: bytes, author: Author, beside: Mapping[str, str]
    ) -> tuple[Answer, Scheme | None]:
        """Tried with the other scheme after a no that may be about it."""
        scheme = turn.scheme or "rfc9421"
        answer = await self._client.post(inbox, body, author, scheme, beside)
        doubtful = (401, 403) if turn.scheme else (400, 401, 403)
        if answer.status in doubtful:
            second = await self._client.post(inbox, body, author, other(scheme), beside)
            if second.status not in (400, 401, 403):
                answer, scheme = second, other(scheme)
            elif answer.status == 400 and second.status != 400:
                answer = second
        if answer.status < 300:
            turn.scheme = scheme
            return answer, scheme
        return answer, answer.accept_signature

    async def _whereabouts(self, job: Job) -> Whereabouts | Actor:
        """What stands behind an inbox that is not there: asked of the actor's own id, where it is a personal one."""
        behind = await self._db.read(_behind, job)
        if len(behind) != 1 or behind[0].inbox != job.inbox:
            return "shared"
        actor_id = behind[0].id
        try:
            fetched = await self._client.get_document(actor_id)
            actor = parse_actor(normalise(fetched.document))
        except Gone:
            return "gone"
        except NotFound:
            return "absent"
        except (FederationError, SchemaError):
            return "unknown"
        return actor if actor.id == actor_id == fetched.url else "unknown"


def _behind(tx: Tx, job: Job) -> Sequence[sa.Row[tuple[str, str]]]:
    """Who is behind an inbox, as `(id, inbox)`; at most two, which is as good as many."""
    known = sa.select(actors.c.id, actors.c.inbox).where(~actors.c.local)
    if job.recipients is None:
        return ()
    return tx.rows(known.where(actors.c.id.in_(recipients_of(job))).limit(2))
