"""`freehold search`: what this node knows, and its index written anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from node.cli.common import Options, acting, common_options, opened, run, show

if TYPE_CHECKING:
    from federation.storage import Tx
    from node.context import Node
    from node.search.queries import Allowed
    from node.search.rules import Query

MOST = 20


@click.group(help="Find people, gigs, modules and posts that this node knows.")
def search() -> None:
    """Only of people who want to be found."""


@search.command()
@click.argument("words", nargs=-1, required=True)
@common_options
def find(options: Options, words: tuple[str, ...]) -> None:
    """What has all of these words, the best first."""
    run(_find, options, " ".join(words))


async def _find(options: Options, text: str) -> None:
    from node.search.rules import parse_query
    from schemas.urls import host_of

    async with acting(options) as (node, author):
        blocked = node.policy.blocked
        query = parse_query(text)
        rows, total = await node.db.read(_found, query, author.actor_id, lambda owner: not blocked(host_of(owner)))
    words = "\n".join(f"{row['kind']:<8} {row['title']}  {row['id']}" for row in rows)
    show(options, {"found": rows, "total": total}, words or "Nothing fits.")


def _found(tx: Tx, query: Query, reader: str, allowed: Allowed) -> tuple[list[dict[str, Any]], int]:
    from node.search import queries
    from node.search.views import shown

    found = queries.search(tx, query, reader, allowed)
    views = shown(tx, found.found[:MOST], reader)
    rows = []
    for subject, kind, _owner in views.things:
        named = {"people": views.people, "gig": views.gigs, "module": views.modules, "post": views.posts}[kind]
        thing: Any = named[subject]
        rows.append({"kind": kind, "id": subject, "title": thing.name if kind == "people" else thing.title})
    return rows, found.total


@search.command()
@common_options
def reindex(options: Options) -> None:
    """Forget the index and write it anew; a server that runs meanwhile goes on."""
    run(_reindex, options)


async def _reindex(options: Options) -> None:
    from node.search import indexing

    async with opened(options) as node:
        await node.db.write(indexing.begin)
        count = await _with_progress(options, node, await node.db.read(indexing.how_many))
    show(options, {"looked_at": count}, f"Looked at {count:,} people and things. What wants to be found is found.")


async def _with_progress(options: Options, node: Node, total: int) -> int:
    from node.search import indexing

    if options.as_json:
        return await indexing.write_all(node.db)
    with click.progressbar(length=total, label="Writing the index", show_pos=True) as bar:
        return await indexing.write_all(node.db, bar.update)
