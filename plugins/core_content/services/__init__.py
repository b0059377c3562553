"""Writes of core_content."""

from .create import create_content, create_file
from .purge import empty_space
from .update import check_quota, replace_bytes, set_status, update_content

__all__ = [
    "check_quota",
    "create_content",
    "create_file",
    "empty_space",
    "replace_bytes",
    "set_status",
    "update_content",
]
