"""Errors of accounts (spec: errors, §4)."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class UserNotFound(KernelError):
    """No user has this id, or the caller may not know it."""

    code = 1001


class InvalidUserId(KernelError):
    """The user id in the path is no number."""

    code = 2021


class EmailAlreadyExists(KernelError):
    """Another account has this e-mail address."""

    code = 2036


class UsernameAlreadyExists(KernelError):
    """Another account has this username."""

    code = 2063


class EmailOrUsernameRequired(KernelError):
    """An account needs a login."""

    code = 2061


class EmailRequired(KernelError):
    """This instance wants an e-mail address for every account."""

    code = 2065


class ReservedUsername(KernelError):
    """The username means a group in mentions."""

    code = 2066


class AuthenticationFailed(KernelError):
    """Login or password is wrong, or the account is disabled."""

    code = 4001
    status = 403


class InsufficientUserProfile(KernelError):
    """The profile of the caller is too low."""

    code = 4002
    status = 403


ERRORS = (
    UserNotFound,
    InvalidUserId,
    EmailAlreadyExists,
    UsernameAlreadyExists,
    EmailOrUsernameRequired,
    EmailRequired,
    ReservedUsername,
    AuthenticationFailed,
    InsufficientUserProfile,
)
