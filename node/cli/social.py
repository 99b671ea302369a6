"""`freehold post`, `follow`, `unfollow`, `followers`, `following`, `timeline`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from federation.errors import FederationError
from node.cli.common import COULD_NOT, Options, acting, common_options, fail, run, show
from node.context import Node
from node.errors import Invalid
from schemas.actors import Actor


@click.command(help="Write a post.")
@click.argument("text")
@click.option(
    "--to", "audience", default="public", show_default=True, metavar="public|unlisted|followers|direct|@name@host"
)
@click.option("--reply-to", "in_reply_to", metavar="ID", help="What it answers: a post that your node knows.")
@click.option("--warning", metavar="TEXT", help="Fold the text behind these words.")
@click.option("--picture", "pictures", multiple=True, type=click.Path(path_type=Path), help="Up to four.")
@click.option("--alt", "alts", multiple=True, metavar="TEXT", help="What a picture shows, in their order.")
@common_options
def post(
    options: Options,
    text: str,
    audience: str,
    in_reply_to: str | None,
    warning: str | None,
    pictures: tuple[Path, ...],
    alts: tuple[str, ...],
) -> None:
    """Public, in no list, for followers, for those whom the text names, or for one person."""
    if len(alts) > len(pictures):
        raise click.UsageError("Give a --picture for each --alt.")
    form = {"body": text, "audience": "direct" if audience.startswith("@") else audience, "warning": warning or ""}
    run(_post, options, form, audience, in_reply_to, list(zip(pictures, (*alts, *[""] * len(pictures)), strict=False)))


async def _post(
    options: Options,
    form: dict[str, str],
    audience: str,
    in_reply_to: str | None,
    pictures: list[tuple[Path, str]],
) -> None:
    from node.social import commands, mentions, queries, rules

    async with acting(options) as (node, author):
        form |= {"media": " ".join([await _upload(node, author.actor_id, *picture) for picture in pictures])}
        if in_reply_to is not None:
            form |= {"in_reply_to": await node.db.read(queries.id_behind, in_reply_to)}
        draft = rules.parse_post(form)
        person = await _somebody(node, audience) if audience.startswith("@") else None
        named = await mentions.find_named(node, draft.body_md)
        object_id = await node.db.write(commands.post, author, draft, person, named.people)
    hint = "".join(f"\nNobody was found at @{handle}: the name stays plain text." for handle in named.unknown)
    show(options, {"id": object_id, "unknown": list(named.unknown)}, f"Posted: {object_id}{hint}")


async def _upload(node: Node, owner: str, path: Path, alt: str) -> str:
    """A picture of this machine -> the id of an upload."""
    from node.media.pictures import MAX_ATTACHED, Pictures
    from node.media.uploads import store

    with path.open("rb") as file:
        body = file.read(MAX_ATTACHED + 1)
    return (await store(node.db, Pictures(node.settings.media), owner, body, alt)).id


@click.command(help="Follow somebody: @name@host or an address.")
@click.argument("who")
@common_options
def follow(options: Options, who: str) -> None:
    """What they publish then arrives in your timeline."""
    run(_follow, options, who)


async def _follow(options: Options, who: str) -> None:
    from node.social import commands

    async with acting(options) as (node, author):
        target = await _somebody(node, who)
        state = await node.db.write(commands.follow, author, target)
    words = {"accepted": "You follow them.", "requested": "Asked. They appear in your timeline once they accept."}
    show(options, {"actor": target.id, "state": state}, f"{target.id}: {words[state]}")


@click.command(help="Stop following somebody.")
@click.argument("who")
@common_options
def unfollow(options: Options, who: str) -> None:
    """They are told."""
    run(_unfollow, options, who)


async def _unfollow(options: Options, who: str) -> None:
    from node.social import commands, finding

    async with acting(options) as (node, author):
        target = await node.db.read(finding.followed, author.actor_id, who)
        if target is None:
            raise Invalid({"who": f"You do not follow {who}. `freehold following` lists whom you do."})
        await node.db.write(commands.unfollow, author, target)
    show(options, {"actor": target.id}, f"You no longer follow {target.id}.")


async def _somebody(node: Node, who: str) -> Actor:
    """As the pages find them; who cannot be asked for now is something else than nobody."""
    from node.social.finding import find

    try:
        return await find(node, who, "who")
    except Invalid as error:
        if isinstance(error.__cause__, FederationError) and error.__cause__.retry:
            fail(str(error), COULD_NOT)
        raise


@click.command(help="Who follows you.")
@common_options
def followers(options: Options) -> None:
    """Newest first."""
    run(_people, options, "followers")


@click.command(help="Whom you follow.")
@common_options
def following(options: Options) -> None:
    """Newest first."""
    run(_people, options, "following")


async def _people(options: Options, which: str) -> None:
    from node.social import queries

    query = queries.followers if which == "followers" else queries.following
    async with acting(options) as (node, author):
        people = await node.db.read(query, author.actor_id)
    words = "\n".join(f"@{person.handle}  {person.state}" for person in people)
    show(options, [person._asdict() for person in people], words or "Nobody yet.")


@click.command(help="What the people you follow published.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 200))
@common_options
def timeline(options: Options, limit: int) -> None:
    """Newest first, each with what is known of its author."""
    run(_timeline, options, limit)


async def _timeline(options: Options, limit: int) -> None:
    from node.social import queries

    async with acting(options) as (node, author):
        entries = await node.db.read(queries.home, author.actor_id, limit=limit)
    words = "\n".join(
        f"{entry.published:%Y-%m-%d %H:%M}  @{entry.handle}  [{entry.kind}, {entry.verification}]  {entry.title}"
        for entry in entries
    )
    show(
        options,
        [asdict(entry) for entry in entries],
        words or "Nothing yet. Follow somebody: freehold follow @name@host.",
    )
