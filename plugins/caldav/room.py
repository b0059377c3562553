"""Bytes of entries in the quotas of spaces and users, beside those of contents."""

from __future__ import annotations

from sqlalchemy import literal, select

from atrio.kernel.context import Context
from atrio.plugins.accounts.api import lock_allowance
from atrio.plugins.spaces.api import lock_space, owned_space_ids, space_view, used_space

from . import queries


def has_room(ctx: Context, space_id: int | None, user_id: int | None, more: int) -> bool:
    """Tell whether a space and its owner, or a user, may hold that many bytes more.

    The row whose limit is looked at is locked until the commit, after the collection's.
    """
    if space_id is None:
        return user_id is None or _owner_has_room(ctx, user_id, more)
    limit = int(ctx.kernel.capabilities.get("workspace_size_limit") or 0)
    if limit:
        lock_space(ctx, space_id)
        if used_space(ctx, select(literal(space_id))) + more > limit:
            return False
    space = space_view(ctx, space_id)
    owner = None if space is None else space.owner__user_id
    return owner is None or _owner_has_room(ctx, owner, more)


def _owner_has_room(ctx: Context, user_id: int, more: int) -> bool:
    allowed = lock_allowance(ctx, user_id)
    if not allowed:
        return True
    own = int(queries.BYTES_OF_USER.value(ctx, user_id=user_id) or 0)
    return own + used_space(ctx, owned_space_ids(user_id)) + more <= allowed
