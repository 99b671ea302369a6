"""What holds of identity keys and their codes. Pure.

untried    made or brought, and its code has not opened it yet: no other server has heard of it
claimed    the actor's document lists its statement
former     another took its place, with a succession or, where its code was lost, without
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Literal

from keys.errors import BadPhrase
from keys.identity import MAX_SEALED
from keys.phrases import PHRASE_WORDS, parse_phrase
from node.errors import BadRequest, Invalid
from node.language import Sentence, _

State = Literal["untried", "claimed", "former"]

MAX_TEXT = 4 * MAX_SEALED
NO_CODE = _("This page has lost its code. Nothing was changed; open it again.")
NINE_WORDS = _("The code has {count} words. Write all of them, in their order.", count=PHRASE_WORDS)
UNKNOWN_WORD = _("Word {place} is in no code. Look at your paper.")
NOT_TOGETHER = _("These words do not belong together: one is another word, or two are swapped. Look at your paper.")
ANOTHER_CODE = _("This code opens another key. Look for the paper that you wrote for this one.")
NOT_SEALED = _("This is no sealed identity key. Copy the whole text from your old account, or bring its archive.")
WRONG_WORD = _("It is another word. Look at your paper, and type it in small letters.")
TOO_MANY = _("There are more keys of before than are kept.")
SUCCEEDED = _("This key has named another one in its place. Bring that one.")
NOTHING_TO_TRY = _("There is no identity key yet. Make one first.")


def parse_code(text: str, field: str = "code") -> str:
    """The nine words that somebody typed; Invalid for `field` with what is wrong with them."""
    try:
        return parse_phrase(text)
    except BadPhrase as error:
        raise Invalid({field: _why(error, text)}) from error


def _why(error: BadPhrase, text: str) -> Sentence:
    if error.place:
        return Sentence(UNKNOWN_WORD.one, None, 0, {"place": error.place})
    return NOT_TOGETHER if len(re.findall("[a-z]+", text.lower())) == PHRASE_WORDS else NINE_WORDS


def shown_code(form: Mapping[str, str]) -> str:
    """The code that a page has shown and its form brings back, since nobody here has kept it; BadRequest for none."""
    try:
        return parse_phrase(form.get("phrase", ""))
    except BadPhrase as error:
        raise BadRequest(NO_CODE) from error


def text_of(sealed: bytes) -> str:
    """A sealed key as text, to be copied to another server."""
    return base64.urlsafe_b64encode(sealed).decode()


def parse_sealed(text: str, field: str = "sealed") -> bytes:
    """The way back, with whatever white space came along; Invalid for anything else."""
    bare = "".join(text[: MAX_TEXT + 1].split())
    try:
        sealed = base64.b64decode(bare.encode("ascii"), b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise Invalid({field: NOT_SEALED}) from error
    if not 0 < len(sealed) <= MAX_SEALED or len(text) > MAX_TEXT:
        raise Invalid({field: NOT_SEALED})
    return sealed
