"""What other plugins may use of core_content."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context

from . import queries
from .errors import ContentNotFound, NotEditable
from .guards import CONTENT as CONTENT_GUARD
from .guards import CONTENT_EXISTS, DESTINATION
from .live import told_content
from .models import CONTENT, REVISION
from .names import drive_name, name_key, split_name, usable
from .queries import VISIBLE, digest_query, digest_statement, text_of
from .schemas import TEXT_LIMIT, ContentDigestSchema, wire_names
from .services import (
    add_comment,
    copy_content,
    create_content,
    create_file,
    move,
    rename,
    replace_bytes,
    trash,
    update_content,
)
from .services.revision import clean
from .types import SLUGS, content_types


def drive_list(ctx: Context, space_id: int, parent_id: int | None) -> list[Any]:
    """Return what lies in a folder, or at the root of a space, as drives show it: without texts and comments."""
    return queries.LISTED.all(ctx, space_id=space_id, parent_key=parent_id or 0, namespace="content")


def drive_find(ctx: Context, space_id: int, parent_id: int | None, name: str) -> Any | None:
    """Return what has a name in a folder, or at the root of a space; names as `drive_name` gives them."""
    return queries.NAMED.first(
        ctx, space_id=space_id, parent_key=parent_id or 0, namespace="content", name_key=name_key(name, "")
    )


def get_content(ctx: Context, space_id: int, content_id: int) -> Any:
    """Return one content of a space with its current text; ContentNotFound when there is none."""
    row = queries.one(ctx, space_id, content_id)
    if row is None:
        raise ContentNotFound
    return row


__all__ = [
    "CONTENT", "CONTENT_EXISTS", "CONTENT_GUARD", "DESTINATION", "REVISION", "SLUGS", "TEXT_LIMIT", "VISIBLE",
    "ContentDigestSchema", "ContentNotFound", "NotEditable", "add_comment", "clean", "content_types",
    "copy_content", "create_content", "create_file", "digest_query", "digest_statement", "drive_find",
    "drive_list", "drive_name", "get_content", "move", "rename", "replace_bytes", "split_name", "text_of",
    "told_content", "trash", "update_content", "usable", "wire_names",
]  # fmt: skip
