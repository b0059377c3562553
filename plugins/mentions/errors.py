"""Errors of mentions."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class InvalidMention(KernelError):
    """A mention in the text names nobody, or an id that is none."""

    code = 2006


class UserNotMemberOfWorkspace(KernelError):
    """A mention in the text names a user who is no member of the space."""

    code = 2067


ERRORS = (InvalidMention, UserNotMemberOfWorkspace)
