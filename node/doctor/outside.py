"""What can only be seen from outside: the node asks itself by its own public address, as any other server would.

The guarded client asks nothing of its own node, and no private address. Here it may do both, for the node's own names
alone: behind many routers one's own name leads to a private address. A word that only this doctor knows makes the node
say how the request arrived.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import replace
from urllib.parse import quote, urlsplit

import msgspec

from federation.answers import Looked
from federation.client import Client
from federation.errors import FederationError
from node.accounts import queries as accounts
from node.context import Node
from node.doctor import commands, queries
from node.doctor.rules import (
    Finding,
    Seen,
    attend,
    broken,
    judge_certificate,
    judge_clock,
    judge_redirect,
    judge_seen,
    ok,
)
from node.language import _
from node.outgoing import client_settings
from node.settings import Network
from schemas.discovery import parse_webfinger
from schemas.errors import SchemaError
from schemas.strict_json import loads_object
from schemas.terms import ACTIVITY_JSON, JRD_JSON

SECONDS = 10.0


async def look_from_outside(node: Node) -> list[Finding]:
    """The public path, end to end."""
    client = await _client(node)
    try:
        found = await _address(node, client)
        if found[0].health == "ok":
            found += await _webfinger(node, client)
            found += await _tls(node, client)
    finally:
        await client.close()
    found.append(await _clock(node))
    return found


async def _client(node: Node) -> Client:
    """One that may ask this node, wherever its names lead."""
    settings = client_settings(node.settings, allow_http=node.ids.origin.startswith("http://"))
    own = await _own_addresses(node)
    return Client(replace(settings, allow_networks=(*settings.allow_networks, *own), seconds=SECONDS), None, None)


async def _own_addresses(node: Node) -> list[Network]:
    names = {urlsplit(node.ids.origin).hostname or "", node.ids.handle_domain.partition(":")[0]}
    found: list[Network] = []
    for name in names:
        try:
            async with asyncio.timeout(SECONDS):
                infos = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except OSError:  # it leads nowhere: the request itself will say so
            continue
        found += [ipaddress.ip_network(info[4][0]) for info in infos if "%" not in str(info[4][0])]
    return found


async def _address(node: Node, client: Client) -> list[Finding]:
    origin = node.ids.origin
    word = await node.db.write(commands.give_word)
    try:
        looked = await client.look(f"{origin}/healthz?doctor={word}")
    except FederationError as error:
        mend = _("Look whether the name leads to this machine, the proxy runs, and its certificate is good.")
        return [broken("address", _("{origin} cannot be reached: {why}", origin=origin, why=str(error)[:300]), mend)]
    if looked.location is not None:
        return [judge_redirect(f"{origin}/healthz", looked.location)]
    seen = _seen(looked)
    if seen is None:
        words = _("Something else answers at {origin}, with status {status}.", origin=origin, status=looked.status)
        mend = _("Start the node, or lead its name to it: freehold serve, and a proxy in front.")
        return [broken("address", words, mend)]
    slashed = await _slashed(client, f"{origin}/healthz/")
    return [ok("address", _("{origin} leads here.", origin=origin)), *judge_seen(seen, origin), *slashed]


def _seen(looked: Looked) -> Seen | None:
    try:
        return msgspec.json.decode(looked.body, type=Seen) if looked.status == 200 else None
    except msgspec.DecodeError:
        return None


async def _slashed(client: Client, url: str) -> list[Finding]:
    """A proxy that takes slashes away, or adds them, breaks signatures."""
    try:
        looked = await client.look(url)
    except FederationError:
        return []
    return [] if looked.location is None else [judge_redirect(url, looked.location)]


async def _webfinger(node: Node, client: Client) -> list[Finding]:
    """From the handle to the actor, and from the actor to the handle."""
    owner = await node.db.read(accounts.owner)
    if owner is None:
        return []
    scheme = node.ids.origin.partition("://")[0]
    domain, handle = node.ids.handle_domain, node.ids.acct(owner.username)
    mend = _("Let /.well-known/webfinger of {domain} answer, or redirect to this node with its query.", domain=domain)
    url = f"{scheme}://{domain}/.well-known/webfinger?resource={quote(f'acct:{handle}', safe=':@')}"
    try:
        fetched = await client.get_json(url, JRD_JSON)
        jrd = parse_webfinger(fetched.document)
        document = loads_object((await client.look(owner.actor_id, ACTIVITY_JSON)).body)
    except (FederationError, SchemaError) as error:
        return [broken("webfinger", _("@{handle} is not found: {why}", handle=handle, why=str(error)[:300]), mend)]
    if jrd.self_href != owner.actor_id or document.get("id") != owner.actor_id:
        return [broken("webfinger", _("@{handle} leads to somebody else.", handle=handle), mend)]
    return [ok("webfinger", _("@{handle} is found, both ways.", handle=handle))]


async def _tls(node: Node, client: Client) -> list[Finding]:
    if not node.ids.origin.startswith("https://"):
        mend = _("Other servers only talk over https. Set another one up under a name of yours.")
        return [attend("tls", _("This node is for trying things out: it has no https."), mend)]
    try:
        begin, end = await client.certificate(node.ids.origin)
    except FederationError as error:
        mend = _("Look at the log of your proxy.")
        return [broken("tls", _("The certificate cannot be read: {why}", why=str(error)[:300]), mend)]
    return [judge_certificate(begin, end, node.clock.now())]


async def _clock(node: Node) -> Finding:
    hosts = await node.db.read(queries.hosts_that_answer)
    scheme = node.ids.origin.partition("://")[0]
    skews = []
    for host in hosts:
        try:
            looked = await node.client.look(f"{scheme}://{host}/.well-known/nodeinfo")
        except FederationError:
            continue
        if looked.date is not None:
            skews.append(looked.date - node.clock.now())
    return judge_clock(skews)
