"""Spaces that take new threads by mail, and the addresses of their members."""

from __future__ import annotations

from sqlalchemy import delete

from atrio.kernel.context import Context
from atrio.kernel.db.upsert import upsert
from atrio.plugins.spaces.api import SpaceNotFound, space_view

from ..config import MailConfig
from ..models import OPEN_SPACE
from ..tags import address_with, make_tag, signing_key


def open_space(ctx: Context, space_id: int, takes_threads: bool) -> None:
    """Say whether a space takes new threads by mail; SpaceNotFound when there is none."""
    if space_view(ctx, space_id) is None:
        raise SpaceNotFound
    if takes_threads:
        ctx.execute(upsert(ctx.dialect, OPEN_SPACE, ("space_id",)), [{"space_id": space_id}])
    else:
        ctx.execute(delete(OPEN_SPACE).where(OPEN_SPACE.c.space_id == space_id))


def space_address(ctx: Context, space_id: int, user_id: int) -> str:
    """Return the address with which one member opens threads in a space; empty where none is configured.

    It is his alone: the tag names him, and mails from another address than his are refused.
    """
    pattern = ctx.config[MailConfig].space_address
    return address_with(pattern, make_tag(signing_key(ctx), "space", space_id, user_id)) if pattern else ""
