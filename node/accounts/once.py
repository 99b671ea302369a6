"""A form that makes something makes it once (SECURITY 178).

A double click, a page loaded anew, a line that broke before the answer came: the same form comes again, and leads to
what it made the first time. A form that was written differently is another one, also under the same mark: whoever goes
back and writes something else loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec

import sqlalchemy as sa

from federation.storage import Tx
from node.accounts.tables import sent_forms
from node.unguessable import digest_of

P = ParamSpec("P")

REMEMBERED = timedelta(days=2)


def once(
    tx: Tx,
    actor_id: str,
    sent: str,
    command: Callable[Concatenate[Tx, P], str | None],
    *args: P.args,
    **kwargs: P.kwargs,
) -> str | None:
    """What `command` makes, or made when the same form came before. sent: `Form.sent`; empty for one without a mark."""
    if not sent:
        return command(tx, *args, **kwargs)
    digest = digest_of(f"{actor_id} {sent}")
    this: dict[str, Any] = {"digest": digest, "at": tx.now}
    if not tx.execute(tx.insert_new(sent_forms, "digest"), this).rowcount:
        made: str | None = tx.scalar(sa.select(sent_forms.c.made).where(sent_forms.c.digest == digest))
        return made
    result = command(tx, *args, **kwargs)
    tx.execute(sa.update(sent_forms).where(sent_forms.c.digest == digest).values(made=result))
    return result


def forget_forms(tx: Tx) -> None:
    """Those of some days ago: nobody sends them again."""
    tx.execute(sa.delete(sent_forms).where(sent_forms.c.at < tx.now - REMEMBERED))
