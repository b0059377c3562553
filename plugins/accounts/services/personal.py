"""What belongs to one user: parameters of clients, custom properties, pictures, and whom he follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError

from atrio.kernel.blobs import TemporaryBlob
from atrio.kernel.context import Context
from atrio.kernel.db.upsert import upsert
from atrio.kernel.errors import ValidationFailed

from .. import queries
from ..errors import AlreadyFollowed, NotFollowed, UserNotFound
from ..events import UserConfigModified, UserModified
from ..models import Follow, Parameter, Picture, Properties, User

PARAMETERS = 10_000


def merge_parameters(ctx: Context, user_id: int, given: Mapping[str, Any]) -> None:
    """Write parameters of a client; those that are not named stay. ValidationFailed beyond 10,000 of them."""
    if not given:
        return
    held = queries.PARAMETER_COUNT.value(ctx, user_id=user_id)
    if held + len(given) > PARAMETERS and not _room(ctx, user_id, given):
        raise ValidationFailed({"parameters": [f"A user has at most {PARAMETERS} parameters."]})
    statement = upsert(ctx.dialect, Parameter.__table__, ("user_id", "name"), overwrite=("value",))
    rows = [
        {"user_id": user_id, "name": name, "value": msgspec.json.encode(value).decode()}
        for name, value in sorted(given.items())
    ]
    ctx.execute(statement, rows)
    ctx.emit(UserConfigModified(user_id, tuple(sorted(given))))


def _room(ctx: Context, user_id: int, given: Mapping[str, Any]) -> bool:
    held = {row.name for row in queries.PARAMETERS.all(ctx, user_id=user_id)}
    return len(held | given.keys()) <= PARAMETERS


def replace_properties(ctx: Context, user_id: int, document: Mapping[str, Any]) -> None:
    """Write the custom properties; what the document does not name is gone."""
    statement = upsert(ctx.dialect, Properties.__table__, ("user_id",), overwrite=("document",))
    ctx.execute(statement, [{"user_id": user_id, "document": msgspec.json.encode(document).decode()}])
    ctx.emit(UserModified(user_id, ("custom_properties",)))


def set_picture(ctx: Context, user_id: int, kind: str, blob: TemporaryBlob) -> None:
    """Make a PNG the avatar or cover of a user."""
    digest = ctx.kernel.blobs.keep(ctx, blob)
    statement = upsert(
        ctx.dialect, Picture.__table__, ("user_id", "kind"), overwrite=("digest", "size", "modified")
    )
    row = {"user_id": user_id, "kind": kind, "digest": digest, "size": blob.size, "modified": ctx.now}
    ctx.execute(statement, [row])
    if kind == "cover":
        ctx.execute(update(User).where(User.user_id == user_id).values(has_cover=1))
    ctx.emit(UserModified(user_id, (kind,)))


def follow(ctx: Context, follower_id: int, leader_id: int) -> None:
    """Follow a user; 1001 when there is none, 3012 when he is followed already, by whichever request."""
    leader = queries.BY_ID.first(ctx, user_id=leader_id)
    if leader is None or leader.is_deleted:
        raise UserNotFound
    try:
        with ctx.savepoint():
            ctx.execute(insert(Follow).values(follower_id=follower_id, leader_id=leader_id))
    except IntegrityError:
        raise AlreadyFollowed from None


def unfollow(ctx: Context, follower_id: int, leader_id: int) -> None:
    """Follow a user no more; NotFollowed when he was not."""
    gone = ctx.execute(delete(Follow).where(Follow.follower_id == follower_id, Follow.leader_id == leader_id))
    if gone.rowcount == 0:  # type: ignore[attr-defined]
        raise NotFollowed
