"""Comments and to-dos: contents without a name, below another content."""

from __future__ import annotations

import re
from typing import Any

from atrio.kernel.context import Context
from atrio.plugins.accounts.api import get_user

from ..errors import EmptyComment, NotEditable, TodoNotFound, UnallowedSubcontent
from ..events import ContentCreated
from .create import insert_content
from .revision import clean, next_revision
from .trash import trash

_SHOWN = re.compile(r"<(?:video|img|source|iframe|html-mention)\b", re.I)
_TAG = re.compile(r"<[^>]*>")
_BLANK = re.compile(r"&nbsp;|&#160;|&#xa0;|\s| ", re.I)


def add_comment(ctx: Context, row: Any, text: str) -> int:
    """Comment on a content that is open; 2003 for a comment without anything to see, 2038 on a folder."""
    if row.content_type in ("folder", "todo"):
        raise UnallowedSubcontent
    if not row.is_editable:
        raise NotEditable
    return _insert(ctx, row, "comment", "content-comment", _visible(ctx, text))


def _visible(ctx: Context, text: str) -> str:
    cleaned = clean(ctx, text)
    if not _SHOWN.search(cleaned) and not _BLANK.sub("", _TAG.sub("", cleaned)):
        raise EmptyComment
    return cleaned


def _insert(
    ctx: Context, row: Any, slug: str, kind: str, text: str, assignee_id: int | None = None
) -> int:  # fmt: skip
    content_id, revision_id = insert_content(
        ctx,
        {
            "space_id": row.workspace_id, "parent_id": row.content_id, "namespace": row.content_namespace,
            "type": slug, "label": "", "file_extension": "", "filename": "", "slug": "", "name_key": None,
            "hidden_by": _hidden_below(row), "assignee_id": assignee_id, "sub_content_types": "",
        },
        {"revision_type": kind, "raw_content": text, "description": "", "mimetype": "text/html"},
    )  # fmt: skip
    ctx.emit(ContentCreated(content_id, row.workspace_id, row.content_id, slug, revision_id, ""))
    return content_id


def _hidden_below(row: Any) -> int | None:
    if row.trashed_at is not None or row.archived_at is not None:
        return int(row.content_id)
    return None if row.hidden_by is None else int(row.hidden_by)


def edit_comment(ctx: Context, parent: Any, comment: Any, text: str) -> None:
    """Change a comment's text; the author stays. An edit that changes nothing makes no revision."""
    if not parent.is_editable or comment.trashed_at is not None:
        raise NotEditable
    cleaned = _visible(ctx, text)
    ctx.untagged = ctx.untagged or cleaned != text
    if cleaned != comment.raw_content:
        next_revision(ctx, comment, "edition", raw_content=cleaned)


def delete_comment(ctx: Context, comment: Any) -> None:
    """Take a comment out of the list; deleting it again is no error."""
    if comment.trashed_at is None:
        trash(ctx, comment)


def add_todo(ctx: Context, row: Any, text: str, assignee_id: int | None) -> int:
    """Add a to-do to a content, closed ones too; UserNotFound for an unknown assignee."""
    if row.content_type in ("comment", "todo"):
        raise UnallowedSubcontent
    if assignee_id is not None:
        get_user(ctx, assignee_id)
    return _insert(ctx, row, "todo", "creation", clean(ctx, text), assignee_id)


def delete_todo(ctx: Context, todo: Any) -> None:
    """Delete a to-do; 1026 when that was done before."""
    if todo.trashed_at is not None:
        raise TodoNotFound
    trash(ctx, todo)
