"""Writes of live: telling, marking, copying the past."""

from .forgetting import forget_contents, forget_old, forget_space, forget_user
from .history import copy_history
from .inbox import mark_all, mark_one
from .publish import publish

__all__ = [
    "copy_history", "forget_contents", "forget_old", "forget_space", "forget_user", "mark_all", "mark_one",
    "publish",
]  # fmt: skip
