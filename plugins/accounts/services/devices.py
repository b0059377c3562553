"""Application tokens: passwords for single programs and devices, which can be taken back one by one.

For those who keep no password of theirs in a mail or calendar program, and for accounts that have none here
because a directory signs them in. A token signs in like a password, through Basic, and may do what its user may,
but make no other token.
"""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from atrio.kernel.context import Context
from atrio.kernel.jobs import SECOND

from ..errors import TooManyTokens
from ..models import ApplicationToken
from .access import token_hash

PREFIX = "atrio-"
"""How every token begins, so that it is known without a look at the password."""
MOST = 100
"""How many tokens one user has."""
USED_SECONDS = 3600
"""How exactly the last use is known."""


def create_application_token(ctx: Context, user_id: int, label: str, days: int | None = None) -> tuple[int, str]:
    """Return id and text of a new token; only its hash is stored. TooManyTokens beyond 100."""
    mine = ApplicationToken.user_id == user_id
    number = ctx.execute(select(func.count(ApplicationToken.token_id)).where(mine)).scalar()
    if int(number or 0) >= MOST:
        raise TooManyTokens
    token = PREFIX + secrets.token_urlsafe(32)
    made: Any = ctx.execute(
        insert(ApplicationToken).values(
            token_hash=token_hash(token), user_id=user_id, label=label, created=ctx.now,
            expires=None if days is None else ctx.now + days * 86400 * SECOND,
        )
    )  # fmt: skip
    return int(made.inserted_primary_key[0]), token


def revoke_application_token(ctx: Context, user_id: int, token_id: int) -> bool:
    """End a token; False when the user has none of this id."""
    gone: Any = ctx.execute(
        delete(ApplicationToken).where(ApplicationToken.token_id == token_id, ApplicationToken.user_id == user_id)
    )
    return bool(gone.rowcount)


def note_use(ctx: Context, token_id: int) -> None:
    """Remember that a token was used."""
    ctx.execute(update(ApplicationToken).where(ApplicationToken.token_id == token_id).values(last_used=ctx.now))
