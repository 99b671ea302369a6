"""Passkeys (WebAuthn Level 3): what a browser is asked to sign, and whether what it signed holds.

A challenge is 24 fresh bytes and a MAC over them, their purpose and the browser's own form token: it needs no row until
it is answered, is good for five minutes, in one browser, for one purpose, and by its row in `tickets` once.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.ids import Ids, new_id
from federation.storage import Tx
from keys.vault import Vault
from node.accounts import tickets
from node.accounts.factors import Passkey
from node.accounts.tables import passkeys
from node.errors import Invalid
from node.language import _
from schemas.errors import SchemaError
from schemas.strict_json import loads_object
from schemas.urls import parse_url

if TYPE_CHECKING:
    from webauthn.registration.verify_registration_response import VerifiedRegistration

Purpose = Literal["add", "sign in", "prove"]

FIELD = "credential"
MAX_ANSWER = 20_000  # characters
MOST = 20  # passkeys of one account
CHALLENGE = timedelta(minutes=5)
_FRESH = 24  # bytes: 8 of them the time
_TOO_OLD = _("This took too long, or was used before. Try again.")
_NOT_SIGNED = _("This passkey could not be checked. Try again, or use your password.")
_UNKNOWN = _("This passkey belongs to nobody here. Use another one, or your password.")
_TOO_MANY = _("You have {most} passkeys. Remove one first.", most=MOST)
_KNOWN_ALREADY = _("This passkey is in your list already.")


@dataclass(frozen=True, slots=True)
class Party:
    """Who asks for passkeys: this node, in one browser. binding: what that browser alone can send (its form token)."""

    ids: Ids
    vault: Vault
    binding: str

    @property
    def id(self) -> str:
        """The relying party's id: the host without its port."""
        return parse_url(self.ids.origin).host

    def challenge(self, purpose: Purpose, now: datetime) -> bytes:
        """What is to be signed."""
        fresh = int(now.timestamp()).to_bytes(8, "big") + secrets.token_bytes(_FRESH - 8)
        return fresh + self._mac(purpose, fresh)

    def is_good(self, challenge: bytes, purpose: Purpose, now: datetime) -> bool:
        """Whether a challenge is ours, for this browser and purpose, and neither old nor of the future."""
        fresh = challenge[:_FRESH]
        if not hmac.compare_digest(challenge[_FRESH:], self._mac(purpose, fresh)):
            return False
        age = int(now.timestamp()) - int.from_bytes(fresh[:8], "big")
        return 0 <= age <= CHALLENGE.total_seconds()

    def _mac(self, purpose: Purpose, fresh: bytes) -> bytes:
        said = "\n".join((purpose, self.binding)).encode() + b"\n" + fresh
        return hmac.digest(self.vault.derived("challenges of passkeys"), said, "sha256")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a browser sent back: its words, and the challenge that it says it signed."""

    words: dict[str, Any]
    credential: str
    challenge: bytes


class Used(NamedTuple):
    """A passkey whose use was checked. sign_count: how often its authenticator says that it has signed."""

    credential: str
    account_id: int
    sign_count_before: int
    sign_count: int


def user_handle(actor_id: str) -> bytes:
    """How an authenticator knows an account: says nothing about anybody (WebAuthn §14.6.1)."""
    return hashlib.sha256(f"passkeys of {actor_id}".encode()).digest()


def options_to_add(
    party: Party, actor_id: str, username: str, name: str, known: list[Passkey], challenge: bytes
) -> str:
    """`PublicKeyCredentialCreationOptions` in JSON: a key that its authenticator finds by itself, and guards."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    made = generate_registration_options(
        rp_id=party.id,
        rp_name=party.ids.handle_domain,
        user_id=user_handle(actor_id),
        user_name=username,
        user_display_name=name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(base64url_to_bytes(key.credential)) for key in known],
    )
    return options_to_json(made)


def options_to_use(party: Party, challenge: bytes, known: tuple[Passkey, ...] = ()) -> str:
    """`PublicKeyCredentialRequestOptions` in JSON. known: only these; none: whichever the person has for this node.

    Written by hand: the library takes half a second to load, and the sign-in page is opened by everybody.
    """
    import base64
    import json

    options = {
        "challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "rpId": party.id,
        "timeout": int(CHALLENGE.total_seconds() * 1000),
        "userVerification": "required",
        "allowCredentials": [{"type": "public-key", "id": key.credential} for key in known],
    }
    return json.dumps(options)


def read_answer(party: Party, text: str, purpose: Purpose, now: datetime) -> Answer:
    """What a form brought; Invalid unless it answers a challenge of ours that is still good."""
    from base64 import urlsafe_b64decode

    def decoded(value: object) -> bytes:
        return urlsafe_b64decode(str(value) + "==")

    try:
        if len(text) > MAX_ANSWER:
            raise ValueError(text[:20])
        words = loads_object(text.encode())
        said = loads_object(decoded(words["response"]["clientDataJSON"]))
        challenge, credential = decoded(said["challenge"]), str(words["id"])
    except (SchemaError, ValueError, KeyError, TypeError) as error:
        raise Invalid({FIELD: _NOT_SIGNED}) from error
    if not party.is_good(challenge, purpose, now):
        raise Invalid({FIELD: _TOO_OLD})
    return Answer(words, credential, challenge)


async def check_new(party: Party, answer: Answer) -> VerifiedRegistration:
    """A new passkey, made for this origin by somebody whom the authenticator has verified; Invalid."""
    return await asyncio.to_thread(_check_new, party, answer)


def _check_new(party: Party, answer: Answer) -> VerifiedRegistration:
    from webauthn import verify_registration_response
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        return verify_registration_response(
            credential=answer.words,
            expected_challenge=answer.challenge,
            expected_rp_id=party.id,
            expected_origin=party.ids.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise Invalid({FIELD: _NOT_SIGNED}) from error


async def check_use(party: Party, answer: Answer, held: Row[Any] | None) -> Used:
    """A passkey of ours, used for this origin by somebody whom the authenticator has verified; Invalid.

    held: its row (`find`). A sign count that does not grow is that of a copy, and refused (WebAuthn §7.2).
    """
    if held is None:
        raise Invalid({FIELD: _UNKNOWN})
    return await asyncio.to_thread(_check_use, party, answer, held)


def _check_use(party: Party, answer: Answer, held: Row[Any]) -> Used:
    from webauthn import verify_authentication_response
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        whose = answer.words["response"].get("userHandle")
        if whose and base64url_to_bytes(str(whose)) != user_handle(held.actor_id):
            raise ValueError(whose)
        verified = verify_authentication_response(
            credential=answer.words,
            expected_challenge=answer.challenge,
            expected_rp_id=party.id,
            expected_origin=party.ids.origin,
            credential_public_key=held.public_key,
            credential_current_sign_count=held.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise Invalid({FIELD: _NOT_SIGNED}) from error
    return Used(held.credential, held.account_id, held.sign_count, verified.new_sign_count)


# ---- rows


def find(tx: Tx, credential: str) -> Row[Any] | None:
    """A passkey with the actor whose it is."""
    from node.accounts.tables import accounts

    joined = sa.select(passkeys, accounts.c.actor_id).join(accounts, accounts.c.id == passkeys.c.account_id)
    return tx.row(joined.where(passkeys.c.credential == credential))


def add(tx: Tx, account_id: int, label: str, made: VerifiedRegistration, challenge: bytes) -> str:
    """Keep a new passkey; returns its name in our addresses. Invalid: too many, known already, or answered before."""
    from webauthn.helpers import bytes_to_base64url

    _spend(tx, challenge)
    mine = sa.select(sa.func.count()).select_from(passkeys).where(passkeys.c.account_id == account_id)
    if tx.scalar(mine) >= MOST:
        raise Invalid({FIELD: _TOO_MANY})
    values = {
        "credential": bytes_to_base64url(made.credential_id),
        "name": new_id(tx.now),
        "account_id": account_id,
        "label": label,
        "public_key": made.credential_public_key,
        "sign_count": made.sign_count,
        "created_at": tx.now,
    }
    if not tx.execute(tx.insert_new(passkeys, "credential"), values).rowcount:
        raise Invalid({FIELD: _KNOWN_ALREADY})
    return str(values["name"])


def use(tx: Tx, used: Used, challenge: bytes) -> int:
    """Note that a passkey was used; returns whose account it opens. Invalid: answered before, or used meanwhile."""
    _spend(tx, challenge)
    same = sa.and_(passkeys.c.credential == used.credential, passkeys.c.sign_count == used.sign_count_before)
    values = {"sign_count": used.sign_count, "used_at": tx.now}
    if not tx.execute(sa.update(passkeys).where(same).values(values)).rowcount:
        raise Invalid({FIELD: _TOO_OLD})
    return used.account_id


def _spend(tx: Tx, challenge: bytes) -> None:
    if not tickets.spend(tx, challenge.hex()):
        raise Invalid({FIELD: _TOO_OLD})


def remove(tx: Tx, account_id: int, name: str) -> bool:
    """Take one's own passkey away; False when there is none of that name."""
    mine = sa.and_(passkeys.c.account_id == account_id, passkeys.c.name == name)
    return tx.execute(sa.delete(passkeys).where(mine)).rowcount > 0
