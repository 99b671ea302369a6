"""Setting a node up, from the page and from the command line alike."""

from __future__ import annotations

import asyncio

from federation.authors import make_keys
from federation.storage import Database
from keys.vault import Vault
from node.accounts import commands, queries
from node.accounts.commands import SetupKeys
from node.accounts.passwords import hash_password
from node.accounts.queries import Account
from node.accounts.rules import SetupDraft
from node.errors import AlreadySetUp, Invalid
from node.language import _
from node.settings import NodeSettings


def agree(settings: NodeSettings, draft: SetupDraft) -> None:
    """Invalid when the settings already say another address than the draft."""
    errors = {}
    if settings.origin not in ("", draft.origin):
        errors["origin"] = _agreed("FREEHOLD_ORIGIN", settings.origin)
    if settings.handle_domain not in ("", draft.handle_domain):
        errors["handle_domain"] = _agreed("FREEHOLD_HANDLE_DOMAIN", settings.handle_domain)
    if errors:
        raise Invalid(errors)


def _agreed(setting: str, value: str) -> str:
    return _("{setting} is set to {value}. Write that here, or change the setting first.", setting=setting, value=value)


async def set_up(db: Database, vault: Vault, draft: SetupDraft) -> Account:
    """Make keys and digest outside of the scope, then write everything in one; AlreadySetUp changes nothing."""
    address = await db.read(queries.address)
    if address is not None:
        raise AlreadySetUp(address.origin)
    instance, person, password = await asyncio.gather(
        asyncio.to_thread(make_keys), asyncio.to_thread(make_keys), hash_password(draft.password)
    )
    return await db.write(commands.set_up, vault, draft, password, SetupKeys(instance, person))
