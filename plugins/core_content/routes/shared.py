"""What the routes of contents share: paths, guards, conditions, answers of reloaded rows."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.errors import PreconditionFailed
from atrio.kernel.http.route import Call
from atrio.plugins.spaces.api import CONTENT_MANAGER, CONTRIBUTOR, READER, SPACE

from .. import queries
from ..errors import (
    ContentNotFound,
    FeatureDisabled,
    FileTooLarge,
    NamespaceMismatch,
    NameTaken,
    NoFileGiven,
    NotEditable,
    OwnerFull,
    ParentNotFound,
    SameValue,
    SpaceFull,
    UnallowedSubcontent,
)

W = "/api/workspaces/{workspace_id}"
ONE = f"{W}/contents/{{content_id}}"
READ = (SPACE, READER)
WRITE = (SPACE, CONTRIBUTOR)
MANAGE = (SPACE, CONTENT_MANAGER)
EXCEPT_NAMED = (ParentNotFound, NameTaken, UnallowedSubcontent, NamespaceMismatch, FeatureDisabled)
MODIFY_ERRORS = (NameTaken, SameValue, NotEditable, PreconditionFailed)
BYTES_ERRORS = (NoFileGiven, FileTooLarge, SpaceFull, OwnerFull, NameTaken)


def check_match(call: Call, row: Any) -> None:
    """Raise PreconditionFailed when `If-Match` names other revisions (RFC 9110 §13.1.1)."""
    header = call.http.headers.get("if-match")
    if header is None or header.strip() == "*":
        return
    given = {tag.strip().removeprefix("W/").strip('"').partition("-")[0] for tag in header.split(",")}
    current = str(row.current_revision_id)
    if current not in given:
        raise PreconditionFailed(details={"current_revision_id": row.current_revision_id, "etag": f'"{current}"'})


def etag(row: Any) -> str:
    """Return the revision part of a content's tag."""
    return str(row.current_revision_id)


def load_digest(ctx: Context, content_id: int) -> Any:
    """Return a content that was just written, as lists show it."""
    return queries.shown(ctx, content_id)


def template_of(ctx: Context, template_id: int | None) -> Any:
    """Return the content to copy from, which the caller must be able to read; None for no template."""
    if template_id is None:
        return None
    found = queries.LOCATE.first(ctx, content_id=template_id, user_id=ctx.actor.id or 0)
    row = queries.one(ctx, found.space_id, template_id) if found is not None else None
    if row is None or row.is_deleted or row.is_archived:
        raise ContentNotFound
    return row


def count_of(call: Call) -> int:
    """Return the size of a page; 0: all."""
    return int(call.query["count"])
