"""Guards of tag routes."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.errors import ValidationFailed
from atrio.kernel.http.guards import Guard
from atrio.kernel.http.route import Call

from . import queries
from .errors import TagNotFound


def _load(ctx: Context, call: Call) -> None:
    text = call.path.get("tag_id", "")
    if not (text.isascii() and text.isdigit()):
        raise ValidationFailed({"tag_id": ["Not a valid integer."]})
    space_id = ctx.resources["space"].space_id
    row = queries.ONE.first(ctx, tag_id=int(text), space_id=space_id) if len(text) <= 18 else None
    if row is None:
        raise TagNotFound
    ctx.resources["tag"] = row


TAG = Guard("tag of the space", _load, (ValidationFailed, TagNotFound))
"""Loads the tag of the path, of this space only; comes after the role."""
