"""Writes of share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, insert, update

from atrio.kernel.context import Context
from atrio.kernel.db.base import Id
from atrio.kernel.errors import Unauthenticated
from atrio.plugins.accounts.api import hash_guest_password, new_token, shown_address
from atrio.plugins.core_content.api import get_content

from . import queries
from .errors import ShareNotFound
from .events import ContentShared, ShareDisabled
from .models import SHARE

INSERT = insert(SHARE)
DISABLE = (
    update(SHARE)
    .where(SHARE.c.share_id == bindparam("wanted", type_=Id), SHARE.c.disabled.is_(None))
    .values(disabled=bindparam("moment"))
)


def share_file(ctx: Context, content: Any, invited: Sequence[tuple[str, str]], password: str | None) -> str:
    """Share a file with some (name, address), one link each, and return the id of the group."""
    user_id = ctx.actor.id
    if user_id is None:
        raise Unauthenticated
    hashed = hash_guest_password(ctx, password)
    if hashed is not None:
        get_content(ctx, content.workspace_id, content.content_id)  # the transaction was given up meanwhile
    group = new_token()
    common = {
        "content_id": content.content_id, "author_id": user_id, "group_uuid": group, "password_hash": hashed,
        "created": ctx.now, "disabled": None,
    }  # fmt: skip
    ctx.execute(
        INSERT,
        [{**common, "token": new_token(), "email": shown_address(name, address)} for name, address in invited],
    )
    made = queries.OF_GROUP.all(ctx, content_id=content.content_id, group_uuid=group)
    ctx.emit(
        ContentShared(
            content.content_id, content.workspace_id, user_id, group, tuple(row.share_id for row in made)
        )
    )
    return group


def disable_share(ctx: Context, content: Any, share_id: int) -> None:
    """End a share of a file; its row stays. ShareNotFound when there is none, or it was ended before."""
    if queries.ENABLED.first(ctx, share_id=share_id, content_id=content.content_id) is None:
        raise ShareNotFound
    ended: Any = ctx.execute(DISABLE, {"wanted": share_id, "moment": ctx.now})
    if ended.rowcount != 1:
        raise ShareNotFound
    ctx.emit(ShareDisabled(share_id, content.content_id, content.workspace_id))
