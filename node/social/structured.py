"""A post as schema.org has it, for search engines: only one of somebody here, for everybody, who wants to be found."""

from __future__ import annotations

from typing import Any

from federation.clock import iso
from node.profiles.queries import Person
from node.social.reactions import Tally
from node.social.views import PostView
from node.text import plain

MAX_TEXT = 5_000
NOTHING = Tally()


def is_offered(post: PostView, owner: Person | None) -> bool:
    """Whether search engines are told of it at all."""
    return post.local and post.visibility == "public" and owner is not None and owner.indexable


def post_ld(post: PostView, owner: Person, tally: Tally = NOTHING) -> dict[str, Any]:
    """A SocialMediaPosting; a text with a name of its own is an Article. Members without a value are left out."""
    counts = (("LikeAction", tally.likes), ("ShareAction", tally.boosts), ("CommentAction", tally.replies))
    text = plain(post.html, MAX_TEXT)
    described = {
        "@context": "https://schema.org",
        "@type": "Article" if post.name else "SocialMediaPosting",
        "headline": str(post.title),
        "articleBody": text if not post.warning else None,  # what is folded on the page is not unfolded elsewhere
        "url": post.page or post.id,
        "author": {
            "@type": "Organization" if owner.collective else "Person",
            "name": owner.name,
            "url": owner.url,
            "alternateName": f"@{owner.handle}",
        },
        "datePublished": iso(post.published),
        "dateModified": iso(post.updated) if post.is_changed else None,
        "inLanguage": post.lang or None,
        "interactionStatistic": [_counted(kind, count) for kind, count in counts if count],
    }
    return {name: value for name, value in described.items() if value}


def _counted(kind: str, count: int) -> dict[str, Any]:
    of = f"https://schema.org/{kind}"
    return {"@type": "InteractionCounter", "interactionType": of, "userInteractionCount": count}


def description(post: PostView) -> str:
    """What a link to it says elsewhere: its warning, else how it begins."""
    return post.warning or plain(post.html, 200)
