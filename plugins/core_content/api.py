"""What other plugins may use of core_content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from atrio.kernel.context import Context

from . import queries
from .config import ContentConfig
from .errors import (
    ContentNotFound,
    ContentTypeNotExist,
    FileTooLarge,
    NamespaceMismatch,
    NameTaken,
    NotEditable,
    OwnerFull,
    ParentNotFound,
    RevisionMismatch,
    SpaceFull,
    UnallowedSubcontent,
)
from .guards import CONTENT as CONTENT_GUARD
from .guards import CONTENT_EXISTS, DESTINATION, FILE, FILE_ONLY, FOLDER, one_revision
from .guards import NOTE as NOTE_GUARD
from .guards import THREAD as THREAD_GUARD
from .live import told_content
from .models import CONTENT, READ, REVISION
from .names import drive_name, name_key, split_name, usable
from .queries import VISIBLE, digest_query, digest_statement, path_query, text_of, twins, with_steps
from .queries import lock as lock_content
from .schemas import TEXT_LIMIT, ContentDigestSchema, wire_names
from .services import (
    add_comment,
    copy_content,
    create_content,
    create_file,
    move,
    rename,
    replace_bytes,
    restore,
    room,
    set_status,
    trash,
    update_content,
)
from .services.create import check_parent
from .services.revision import clean
from .services.update import StoredBytes
from .types import FILE_LIKE, NAMESPACES, SLUGS, content_types

if TYPE_CHECKING:
    from atrio.kernel.host import Kernel

Step = Callable[[int, dict[str, Any]], Any | None]
"""Gives the row at the end of so many names, and at its end the ids on the way, for what is bound."""


def drive_list(ctx: Context, space_id: int, parent_id: int | None) -> list[Any]:
    """Return what lies in a folder, or at the root of a space, as drives show it: without texts and comments."""
    return queries.LISTED.all(ctx, space_id=space_id, parent_key=parent_id or 0, namespace="content")


def drive_walk(
    ctx: Context, space_id: int, parent_id: int | None, names: Sequence[str], step: Step | None = None
) -> list[Any] | None:
    """Follow names from a folder, or from the root of a space: the ids on the way and the row of the last.

    One statement for each eight names; None where the way ends. Names are as `drive_name` gives them. `step` asks
    the database instead, with more columns before the ids (`path_query`, `with_steps`).
    """
    way: list[Any] = []
    row: Any = None
    for start in range(0, len(names), queries.STEPS):
        if row is not None and row.content_type != "folder":
            return None
        part = names[start : start + queries.STEPS]
        bound: dict[str, Any] = {f"name_{i}": name_key(name, "") for i, name in enumerate(part)}
        bound["space_id"], bound["namespace"] = space_id, "content"
        bound["parent_key"] = (row.content_id if row is not None else parent_id) or 0
        row = queries.path_statement(len(part)).first(ctx, **bound) if step is None else step(len(part), bound)
        if row is None:
            return None
        way += row[-len(part) :]
    return [*way[:-1], row]


def drive_find(ctx: Context, space_id: int, parent_id: int | None, name: str) -> Any | None:
    """Return what has a name in a folder, or at the root of a space; names as `drive_name` gives them."""
    found = drive_walk(ctx, space_id, parent_id, [name])
    return None if found is None else found[0]


def drive_tree(ctx: Context, space_id: int, roots: Sequence[int] | None, limit: int) -> list[Any]:
    """Return some contents of a space, or all at its root, with everything below: rows of `drive_list`, by id.

    At most `limit`, in one statement; what is hidden, and what hangs on a note or thread, is left out.
    """
    return list(ctx.execute(queries.tree_query(space_id, roots, limit)))


def largest_file(kernel: Kernel) -> int:
    """Return how many bytes a file may have; 0: as many as there is room for."""
    return kernel.config[ContentConfig].max_file_size


def get_content(ctx: Context, space_id: int, content_id: int) -> Any:
    """Return one content of a space with its current text; ContentNotFound when there is none."""
    row = queries.one(ctx, space_id, content_id)
    if row is None:
        raise ContentNotFound
    return row


def first_comment(ctx: Context, content_id: int) -> Any | None:
    """Return text and moment of the oldest comment of a content; None when it has none."""
    return queries.FIRST_COMMENT.first(ctx, parent_id=content_id)


def todos_of(ctx: Context, user_id: int) -> list[Any]:
    """Return what is assigned to a user and what he may see, by id; he may set its status."""
    return queries.TODOS_OF_USER.all(ctx, assignee_id=user_id, user_id=user_id)


def set_own_todo_status(ctx: Context, user_id: int, todo_id: int, status: str) -> None:
    """Check one of a user's to-dos, or open it again; ContentNotFound for one that is not his, or hidden."""
    mine = next((row for row in todos_of(ctx, user_id) if row.content_id == todo_id), None)
    if mine is None:
        raise ContentNotFound
    queries.lock(ctx, mine.workspace__workspace_id, todo_id)
    set_status(ctx, get_content(ctx, mine.workspace__workspace_id, todo_id), status)


__all__ = [
    "CONTENT",
    "CONTENT_EXISTS",
    "CONTENT_GUARD",
    "DESTINATION",
    "FILE",
    "FILE_LIKE",
    "FILE_ONLY",
    "FOLDER",
    "NAMESPACES",
    "NOTE_GUARD",
    "READ",
    "REVISION",
    "SLUGS",
    "TEXT_LIMIT",
    "THREAD_GUARD",
    "VISIBLE",
    "ContentDigestSchema",
    "ContentNotFound",
    "ContentTypeNotExist",
    "FileTooLarge",
    "NameTaken",
    "NamespaceMismatch",
    "NotEditable",
    "OwnerFull",
    "ParentNotFound",
    "RevisionMismatch",
    "SpaceFull",
    "StoredBytes",
    "UnallowedSubcontent",
    "add_comment",
    "check_parent",
    "clean",
    "content_types",
    "copy_content",
    "create_content",
    "create_file",
    "digest_query",
    "digest_statement",
    "drive_find",
    "drive_list",
    "drive_name",
    "drive_tree",
    "drive_walk",
    "first_comment",
    "get_content",
    "largest_file",
    "lock_content",
    "move",
    "name_key",
    "one_revision",
    "path_query",
    "rename",
    "replace_bytes",
    "restore",
    "room",
    "set_own_todo_status",
    "split_name",
    "text_of",
    "todos_of",
    "told_content",
    "trash",
    "twins",
    "update_content",
    "usable",
    "wire_names",
    "with_steps",
]
