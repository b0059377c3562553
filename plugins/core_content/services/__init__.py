"""Writes of core_content."""

from .cleanup import children_of, delete_revision
from .comments import add_comment, add_todo, delete_comment, delete_todo, edit_comment
from .copy import copy_content
from .create import create_content, create_file
from .move import change_namespace, move
from .purge import empty_space
from .reading import mark_content, mark_space, unmark_content
from .trash import archive, purge, restore, trash, unarchive
from .update import (
    check_quota,
    rename,
    replace_bytes,
    restore_revision,
    room,
    set_status,
    set_template,
    update_content,
)

__all__ = [
    "add_comment",
    "add_todo",
    "archive",
    "change_namespace",
    "check_quota",
    "children_of",
    "copy_content",
    "create_content",
    "create_file",
    "delete_comment",
    "delete_revision",
    "delete_todo",
    "edit_comment",
    "empty_space",
    "mark_content",
    "mark_space",
    "move",
    "purge",
    "rename",
    "replace_bytes",
    "restore",
    "restore_revision",
    "room",
    "set_status",
    "set_template",
    "trash",
    "unarchive",
    "unmark_content",
    "update_content",
]
