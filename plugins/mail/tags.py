"""Signed tags: in the address of a reply and in the ids of our mails, so that a stranger can make none.

A tag names the content (or space) and the one receiver. 80 bits of HMAC-SHA-256 in base32, lower case: local parts
may be folded on the way (RFC 5321 §2.4).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from atrio.kernel.context import Context
from atrio.kernel.errors import RetryWork

from .config import TAG, MailConfig
from .models import KEY

_TAG = re.compile(r"([1-9][0-9]{0,17})-([1-9][0-9]{0,17})-([a-z2-7]{16})")
_MESSAGE = re.compile(r"c([1-9][0-9]{0,17})\.u([1-9][0-9]{0,17})\.[a-z0-9]{1,40}\.([a-z2-7]{16})@")


class Signed(NamedTuple):
    """What a good tag says: whom it was given to, and for which content or space."""

    subject_id: int
    user_id: int


def signing_key(ctx: Context) -> bytes:
    """Return the key in force: of the config, else the database's, which is made on first use."""
    chosen = ctx.config[MailConfig].signing_key
    if chosen:
        return chosen.encode()
    known = ctx.kernel.parts.get("mail.key")
    if known is None:
        known = ctx.execute(select(KEY.c.secret).where(KEY.c.key_id == 1)).scalar()
        if known is None:
            known = secrets.token_hex(32)
            try:
                with ctx.savepoint():
                    ctx.execute(insert(KEY).values(key_id=1, secret=known))
            except IntegrityError:
                raise RetryWork from None  # another process made it at this moment
            return str(known).encode()  # kept once it is read back: this unit may still fail
        ctx.kernel.parts["mail.key"] = known
    return str(known).encode()


def _sign(key: bytes, purpose: str, subject_id: int, user_id: int) -> str:
    text = f"atrio mail {purpose} {subject_id} {user_id}".encode()
    return base64.b32encode(hmac.new(key, text, hashlib.sha256).digest()[:10]).decode().lower()


def make_tag(key: bytes, purpose: str, subject_id: int, user_id: int) -> str:
    """Return the tag of a receiver for a content (`reply`) or a space (`space`)."""
    return f"{subject_id}-{user_id}-{_sign(key, purpose, subject_id, user_id)}"


def address_with(pattern: str, tag: str) -> str:
    """Return an address with its tag."""
    return pattern.replace(TAG, tag)


def read_tag(key: bytes, purpose: str, text: str) -> Signed | None:
    """Return what a tag says; None for one that we did not make."""
    match = _TAG.fullmatch(text.lower())
    return None if match is None else _checked(key, purpose, match)


def tag_of(pattern: str, address: str) -> str | None:
    """Return what stands at the place of the tag in an address, None when it is another one."""
    before, _, after = pattern.lower().partition(TAG)
    lowered = address.strip().lower()
    if not pattern or not (lowered.startswith(before) and lowered.endswith(after)):
        return None
    if len(lowered) <= len(before) + len(after):
        return None
    return lowered[len(before) : len(lowered) - len(after)]


def make_message_id(key: bytes, subject_id: int, user_id: int, ref: str, domain: str) -> str:
    """Return the id of a mail about a content: the same at every try, another for every receiver."""
    mark = hashlib.sha256(ref.encode()).hexdigest()[:16]
    return f"<c{subject_id}.u{user_id}.{mark}.{_sign(key, 'message', subject_id, user_id)}@{domain}>"


def read_message_id(key: bytes, text: str) -> Signed | None:
    """Return what the id of one of our mails says; None for any other id."""
    match = _MESSAGE.match(text.strip().strip("<>").lower())
    return None if match is None else _checked(key, "message", match)


def _checked(key: bytes, purpose: str, match: re.Match[str]) -> Signed | None:
    subject_id, user_id = int(match[1]), int(match[2])
    good = hmac.compare_digest(match[3], _sign(key, purpose, subject_id, user_id))
    return Signed(subject_id, user_id) if good else None
