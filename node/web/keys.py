"""What hangs on an application and on a request, each under a typed key."""

from __future__ import annotations

from aiohttp import web

from federation.routes import Doors
from node.accounts.queries import Viewer
from node.context import Ground, Node
from node.web.measures import Measures
from node.web.proxies import Proxies

GROUND = web.AppKey("ground", Ground)  # also before set-up
NODE = web.AppKey("node", Node)
DOORS = web.AppKey("doors", Doors)
PROXIES = web.AppKey("proxies", Proxies)
MEASURES = web.AppKey("measures", Measures)  # what this process has answered
FOR_SERVERS = web.AppKey("for_servers", frozenset[str])  # routes that no browser posts to: their door is another

VIEWER = web.RequestKey("viewer", Viewer)
NOBODY = web.RequestKey("nobody", bool)  # looked, and there is nobody
FORM_SECRET = web.RequestKey("form_secret", str)  # made for this answer
FACTS = web.RequestKey("facts", dict[str, object])  # for this request's one log line
