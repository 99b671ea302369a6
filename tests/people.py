"""What somebody on a node of a cluster does: by the same commands as pages and the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from federation.authors import Author
from node.learning import commands as learning
from node.learning.rules import parse_module
from node.market import commands as market
from node.market import queries as gigs
from node.market.rules import form_of as form_of_gig
from node.market.rules import parse_gig
from node.profiles import commands as profiles
from node.profiles.rules import form_of as form_of_person
from node.profiles.rules import parse_profile
from node.profiles.sources import own_person
from node.social import commands as social
from node.social import queries as timelines
from node.social.rules import parse_post

if TYPE_CHECKING:
    from tests.nodes import Home
    from tests.visitors import Visitor

PASSWORD = "seven quiet herons"


@dataclass
class Somebody:
    """A local actor, who does what a person would: by the same commands as pages and command line."""

    home: Home
    id: str
    username: str

    @property
    def handle(self) -> str:
        """`@name@host`."""
        return f"@{self.home.node.ids.acct(self.username)}"

    async def author(self) -> Author:
        """With keys, as the commands want it."""
        return await self.home.node.author(self.id)

    async def do(self, command: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a command `fn(tx, author, ...)` in a write scope."""
        return await self.home.node.db.write(command, await self.author(), *args, **kwargs)

    async def follow(self, who: Somebody | str) -> str:
        """Ask to follow, by handle or address; returns the state of the wish."""
        target = await self.home.node.resolver.locate(who if isinstance(who, str) else who.handle)
        return await self.do(social.follow, target)

    async def unfollow(self, who: Somebody | str) -> None:
        """Take it back."""
        target = await self.home.node.resolver.locate(who if isinstance(who, str) else who.handle)
        await self.do(social.unfollow, target)

    async def save_profile(self, **changes: str) -> int:
        """Change some fields of the profile; returns how many inboxes will hear of it."""
        node = self.home.node
        person = await node.db.read(own_person, self.id)
        draft = parse_profile(form_of_person(person) | changes, node.clock.now().date())
        return await self.do(profiles.save_profile, draft)

    async def publish_gig(self, **form: str) -> str:
        """Returns its id."""
        draft = parse_gig(GIG | form, self.home.node.clock.now().date())
        return await self.do(market.publish_gig, draft)

    async def edit_gig(self, gig_id: str, **changes: str) -> None:
        """Change some fields."""
        node = self.home.node
        view = await node.db.read(gigs.own_gig, self.id, gig_id)
        draft = parse_gig(form_of_gig(view) | changes, node.clock.now().date())
        await self.do(market.edit_gig, gig_id, draft)

    async def close_gig(self, gig_id: str) -> None:
        """For ever."""
        await self.do(market.close_gig, gig_id)

    async def publish_module(self, **form: str) -> str:
        """Returns its id."""
        return await self.do(learning.publish_module, parse_module(MODULE | form))

    async def post(self, text: str, *, audience: str = "public", to: Any = None) -> str:
        """Returns the post's id."""
        draft = parse_post({"body": text, "audience": audience})
        return await self.do(social.post, draft, to)

    async def delete(self, object_id: str) -> None:
        """Take a post away."""
        await self.do(social.delete_post, object_id)

    async def timeline(self) -> list[dict[str, Any]]:
        """What the home page shows, newest first."""
        node = self.home.node
        return [asdict(entry) for entry in await node.db.read(timelines.home, self.id, limit=50)]

    async def sign_in(self, browser: Visitor) -> Visitor:
        """Through the page."""
        response = await browser.submit("/sign-in", name=self.username, password=PASSWORD)
        assert response.status == 200, response.text
        return browser


GIG = {
    "purpose": "offer",
    "title": "Interfaces that people understand",
    "body": "I look at your product with you and draw what is better.",
    "skills": "interface design, usability testing",
    "price": "85.00",
    "currency": "EUR",
    "unit": "hour",
}
MODULE = {
    "title": "Reading a contract in twenty minutes",
    "summary": "What to look for, in which order, before you sign.",
    "body": "# Reading a contract\n\n## Who\n\nBegin with the parties.\n\n## What\n\nThen the work.",
    "skills": "contract law",
    "licence": "CC-BY-4.0",
    "minutes": "20",
}
