"""Writes of spaces."""

from .members import add_member, change_notification, change_role, join_space, remove_member
from .spaces import create_space, modify_space, move_space, purge_space, restore_space, trash_space
from .subscriptions import accept_subscription, reject_subscription, request_subscription

__all__ = [
    "accept_subscription", "add_member", "change_notification", "change_role", "create_space", "join_space",
    "modify_space", "move_space", "purge_space", "reject_subscription", "remove_member", "request_subscription",
    "restore_space", "trash_space",
]  # fmt: skip
