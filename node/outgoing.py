"""What the guarded client may do, from the node's settings."""

from __future__ import annotations

from importlib.metadata import version

from federation.client import ClientSettings
from node.settings import Settings


def client_settings(settings: Settings, *, allow_http: bool) -> ClientSettings:
    """For the node's own client, and for those of commands that need none of its keys."""
    return ClientSettings(
        ca_file=settings.network.ca_file or None,
        allow_networks=settings.network.allow_networks,
        hosts=settings.network.hosts,
        allow_http=allow_http,
        user_agent=f"Freehold/{version('freehold')}",
    )
