"""The composition root: settings -> database -> federation -> slices -> aiohttp applications.

A node that has no address yet is only `Ground`, and serves nothing but its set-up page. Once it has one it is a
`Node`. The two are two applications: `node.cli.serve` puts the second in the first one's place.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from aiohttp import web
from sqlalchemy.exc import DBAPIError

from federation.authors import Authors, InstanceActor
from federation.bodies import DEFAULT_LIMITS, DoorLimits
from federation.client import Client
from federation.clock import Clock
from federation.ids import Ids
from federation.policy import Policy
from federation.rdf_process import Canonicaliser
from federation.resolve import Resolver
from federation.routes import doors, federation_routes
from federation.storage import Database
from keys.vault import Vault
from node import migrate
from node.accounts import commands, queries
from node.accounts.setup_pages import SETTING, lead_on, new_setting
from node.accounts.throttle import THROTTLE, Throttle
from node.context import Ground, Node
from node.credentials.check_pages import CHECK_THROTTLE, CheckThrottle
from node.errors import NotSetUp, SettingsError
from node.inboxes import deleted, effects, keys_changed
from node.master_key import master_key
from node.media.pages import PICTURES, REMOTE
from node.media.pictures import Pictures
from node.media.remote import RemotePictures
from node.messages.visitor_pages import ASK_THROTTLE, AskThrottle
from node.outgoing import client_settings
from node.routes import node_routes, server_routes, setup_routes
from node.settings import Settings
from node.web.errors import errors
from node.web.guard import guard
from node.web.keys import DOORS, FOR_SERVERS, GROUND, MEASURES, NODE, PROXIES
from node.web.log import log_line, secure
from node.web.measures import Measures
from node.web.proxies import Proxies
from node.web.render import VERSION


async def lay_ground(settings: Settings) -> Ground:
    """Open the database, bring it to this version, and make sure that its keys can be opened."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    clock = Clock(timedelta(seconds=settings.node.clock_offset))
    if not settings.storage.database_url:  # SQLite gives the files beside it the same mode
        (settings.data / "freehold.db").touch(mode=0o600)
    try:
        await migrate.ensure(settings.database_url, settings.data)
        db = await Database.open(settings.database_url, clock)
    except DBAPIError as error:
        raise _unusable(settings, error) from error
    try:
        vault = Vault(master_key(settings, await db.read(queries.master_key)))
        await _know_master_key(db, vault.fingerprint())
    except BaseException:
        await db.close()
        raise
    return Ground(settings, clock, db, vault)


def _unusable(settings: Settings, error: DBAPIError) -> SettingsError:
    """A file that is no database, one that is cut off, a server that lets nobody in."""
    if settings.storage.database_url:
        return SettingsError(f"the database of FREEHOLD_DATABASE_URL cannot be used: {error.orig}. Check the setting.")
    path = settings.data / "freehold.db"
    return SettingsError(f"{path} cannot be used: {error.orig}. Restore it from your backup. Nothing was changed.")


async def _know_master_key(db: Database, fingerprint: str) -> None:
    known = await db.read(queries.master_key)
    if known is None:
        await db.write(commands.remember_master_key, fingerprint)
    else:
        commands.check_master_key(known, fingerprint)


async def start(settings: Settings) -> Node:
    """A node that is set up; NotSetUp when it is not, SettingsError when the settings contradict its database."""
    ground = await lay_ground(settings)
    try:
        return await settle(ground)
    except BaseException:
        await ground.db.close()
        raise


async def settle(ground: Ground) -> Node:
    """Ground -> Node, once set-up has written an origin."""
    address = await ground.db.read(queries.address)
    if address is None:
        raise NotSetUp
    _agree(ground.settings, address.origin, address.handle_domain)
    ids = Ids(address.origin, address.handle_domain)
    authors = Authors(ground.vault, ids)
    policy = Policy()
    await ground.db.read(policy.load)
    instance = InstanceActor(ground.db, authors)
    await instance()
    settings = client_settings(ground.settings, allow_http=ids.origin.startswith("http://"))
    client = Client(settings, ids, instance, clock=ground.clock)
    resolver = Resolver(ground.db, client, ids, ground.clock, policy, changed=keys_changed)
    return Node(
        settings=ground.settings,
        clock=ground.clock,
        db=ground.db,
        vault=ground.vault,
        ids=ids,
        authors=authors,
        policy=policy,
        client=client,
        resolver=resolver,
        canonicaliser=Canonicaliser(),
    )


def web_application(node: Node, *, limits: DoorLimits = DEFAULT_LIMITS) -> web.Application:
    """What people and other servers talk to, once the node has its address. limits: of its inbox."""
    proxies = Proxies(node.settings.network.trusted_proxies, node.ids.origin)
    application = bare_application(node, proxies)
    application[NODE] = node
    application[DOORS] = doors(
        node.db,
        node.ids,
        node.resolver,
        node.policy,
        version=VERSION,
        limits=limits,
        peer=proxies.peer,
        effects=effects(node),
        deleted=deleted,
        authorised=node.settings.network.authorised_fetch,
    )
    application[ASK_THROTTLE] = AskThrottle()
    application[THROTTLE] = Throttle()
    application[PICTURES] = Pictures(node.settings.media)
    application[REMOTE] = RemotePictures(node)
    application[CHECK_THROTTLE] = CheckThrottle()
    application.add_routes(server_routes())
    application.add_routes(federation_routes(application[DOORS]))
    application[FOR_SERVERS] = frozenset(resource.canonical for resource in application.router.resources())
    application.add_routes(node_routes())
    return application


def setup_application(ground: Ground, done: Callable[[], None]) -> tuple[web.Application, str]:
    """What is served before that: the set-up page, and the token that opens it. done: called when it has happened."""
    application = bare_application(ground, Proxies(ground.settings.network.trusted_proxies))
    setting = application[SETTING] = new_setting(done)
    application.middlewares.append(lead_on)
    application.add_routes(setup_routes())
    return application, setting.token


def bare_application(ground: Ground, proxies: Proxies) -> web.Application:
    """What every application of ours is: the middlewares and headers, and no page yet."""
    application = web.Application(middlewares=[log_line, errors, guard])
    application[GROUND] = ground
    application[PROXIES] = proxies
    application[MEASURES] = Measures()
    application[FOR_SERVERS] = frozenset()
    application.on_response_prepare.append(secure)
    return application


def _agree(settings: Settings, origin: str, handle_domain: str) -> None:
    if settings.node.origin not in ("", origin):
        raise SettingsError(
            f"FREEHOLD_ORIGIN is {settings.node.origin}, but this database belongs to {origin}, for ever. "
            "Change the setting back, or start a new node in another data folder."
        )
    if settings.node.handle_domain not in ("", handle_domain):
        raise SettingsError(
            f"FREEHOLD_HANDLE_DOMAIN is {settings.node.handle_domain}, but the handles here are @name@{handle_domain}, "
            "for ever. Change the setting back."
        )
