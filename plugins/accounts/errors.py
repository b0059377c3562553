"""Errors of accounts (spec: errors, §4)."""

from __future__ import annotations

from typing import ClassVar

from atrio.kernel.errors import KernelError


class UserNotFound(KernelError):
    """No user has this id, or the caller may not know it."""

    code = 1001


class InvalidUserId(KernelError):
    """The user id in the path is no number."""

    code = 2021


class ApplicationTokenNotFound(KernelError):
    """The user has no application token of this id."""

    status: ClassVar[int] = 404


class TooManyTokens(KernelError):
    """The user has as many application tokens as one may have."""

    status: ClassVar[int] = 409


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


class UserImageNotFound(KernelError):
    """The user has no cover."""

    code = 1021


class PropertiesInvalid(KernelError):
    """The custom properties do not fit the schema of the instance; the message says where."""

    code = 2002


class WrongUserPassword(KernelError):
    """The caller's own password is wrong."""

    code = 2034
    status = 403


class WrongGuestPassword(KernelError):
    """The password of a link is missing or wrong."""

    code = 2053
    status = 403


class PasswordsDoNotMatch(KernelError):
    """The two new passwords differ."""

    code = 2035


class InvalidResetToken(KernelError):
    """The token is unknown, used, or belongs to another account."""

    code = 2039


class ExpiredResetToken(KernelError):
    """The token is over."""

    code = 2040


class ExternalEmail(KernelError):
    """The address of this account is kept elsewhere."""

    code = 2048


class ExternalPassword(KernelError):
    """The password of this account is kept elsewhere."""

    code = 2049


class AuthTypeDisabled(KernelError):
    """The way in which this account signs in is switched off."""

    code = 2050


class MimetypeNotAllowed(KernelError):
    """Not a picture that can be taken: PNG, JPEG, WebP, BMP or GIF, within the limits."""

    code = 2071


class SelfRegistrationDisabled(KernelError):
    """Strangers cannot create accounts here."""

    code = 2073


class UserCannotDisableHimself(KernelError):
    """Nobody can disable his own account."""

    code = 3003


class UserCannotDeleteHimself(KernelError):
    """Nobody can delete his own account."""

    code = 3004


class UserCannotChangeOwnProfile(KernelError):
    """Nobody can change his own profile."""

    code = 3006


class AlreadyFollowed(KernelError):
    """The user is followed already."""

    code = 3012


class NotFollowed(KernelError):
    """The user is not followed."""

    code = None
    status = 400


class ReadOnlyField(KernelError):
    """This instance does not let the field be changed."""

    code = 4004


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
    UserImageNotFound,
    PropertiesInvalid,
    WrongUserPassword,
    WrongGuestPassword,
    PasswordsDoNotMatch,
    InvalidResetToken,
    ExpiredResetToken,
    ExternalEmail,
    ExternalPassword,
    AuthTypeDisabled,
    MimetypeNotAllowed,
    SelfRegistrationDisabled,
    UserCannotDisableHimself,
    UserCannotDeleteHimself,
    UserCannotChangeOwnProfile,
    AlreadyFollowed,
    NotFollowed,
    ReadOnlyField,
)
