"""Reads: which mails are not sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.storage import Tx
from node.mail.tables import mails

MAX_LISTED = 200


def unsent(tx: Tx) -> Sequence[Row[Any]]:
    """What waits or was given up, the newest first: state, attempts, created_at, recipient, last_error."""
    columns = (mails.c.state, mails.c.attempts, mails.c.created_at, mails.c.recipient, mails.c.last_error)
    return tx.rows(sa.select(*columns).where(mails.c.state != "done").order_by(mails.c.id.desc()).limit(MAX_LISTED))
