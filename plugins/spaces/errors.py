"""Errors of spaces (spec: errors, §4)."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class SpaceNotFound(KernelError):
    """No space has this id, or the caller may not see it."""

    code = 1002


class UserRoleNotFound(KernelError):
    """The user is no member of the space."""

    code = 1005


class InvalidSpaceId(KernelError):
    """The space id in the path is no number."""

    code = 2022


class UserNotActive(KernelError):
    """A disabled account cannot become a member."""

    code = 2042


class UserDeleted(KernelError):
    """A deleted account cannot become a member."""

    code = 2043


class DisallowedAccessType(KernelError):
    """This instance does not offer the access type."""

    code = 2068


class WrongAccessType(KernelError):
    """Membership of this space is not on request."""

    code = 2069


class NeedleTooShort(KernelError):
    """The text to look people up by has fewer than two characters."""

    code = 2070


class IncludeAndExclude(KernelError):
    """People are to be of some spaces and not to be of some spaces at once."""

    code = None
    status = 400


class SubscriptionNotFound(KernelError):
    """The user did not ask to become a member of the space."""

    code = None
    status = 400


class ParentLoop(KernelError):
    """The new parent is the space itself or lies below it."""

    code = None
    status = 400


class RoleAlreadyExists(KernelError):
    """The user is a member already."""

    code = 3008


class LastManager(KernelError):
    """The last workspace-manager cannot be demoted, removed or leave."""

    code = 3011


class InsufficientUserRole(KernelError):
    """The role of the caller in the space is too low."""

    code = 4003
    status = 403


class TooManySpaces(KernelError):
    """The user owns as many spaces as the instance allows."""

    code = 6001


ERRORS = (
    SpaceNotFound,
    UserRoleNotFound,
    InvalidSpaceId,
    UserNotActive,
    UserDeleted,
    DisallowedAccessType,
    WrongAccessType,
    NeedleTooShort,
    IncludeAndExclude,
    SubscriptionNotFound,
    ParentLoop,
    RoleAlreadyExists,
    LastManager,
    InsufficientUserRole,
    TooManySpaces,
)
