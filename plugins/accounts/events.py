"""Events of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from atrio.kernel.events import Event


@dataclass(frozen=True)
class UserCreated(Event):
    """An account was created; `notify` asks whoever sends mail to write to its owner."""

    name: ClassVar[str] = "user.created"
    user_id: int
    notify: bool = False


@dataclass(frozen=True)
class UserModified(Event):
    """Something of an account changed; `fields` names it."""

    name: ClassVar[str] = "user.modified"
    user_id: int
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class UserTrashed(Event):
    """An account was deleted, in the way that can be undone: the row and what it wrote stay."""

    name: ClassVar[str] = "user.trashed"
    user_id: int


@dataclass(frozen=True)
class UserRestored(Event):
    """A deleted account is back."""

    name: ClassVar[str] = "user.restored"
    user_id: int


@dataclass(frozen=True)
class UserPurged(Event):
    """The row of an account is gone for good; the id is never given again."""

    name: ClassVar[str] = "user.purged"
    user_id: int


@dataclass(frozen=True)
class UserAnonymized(Event):
    """The person was taken out of an account, for good: what others keep of him alone goes too."""

    name: ClassVar[str] = "user.anonymized"
    user_id: int


@dataclass(frozen=True)
class UserConfigModified(Event):
    """Settings that a client keeps for its user changed; `names` are their keys."""

    name: ClassVar[str] = "user_config.modified"
    user_id: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class PasswordResetRequested(Event):
    """Somebody asked for a new password; who sends mail makes the token in its job (`api.make_reset_token`)."""

    name: ClassVar[str] = "user.password_reset_requested"
    user_id: int


@dataclass(frozen=True)
class SessionsEnded(Event):
    """A user was signed out, of one session or of all: open streams have to end."""

    name: ClassVar[str] = "user.sessions_ended"
    user_id: int


EVENTS = (
    UserCreated,
    UserModified,
    UserTrashed,
    UserRestored,
    UserPurged,
    UserAnonymized,
    UserConfigModified,
    PasswordResetRequested,
    SessionsEnded,
)
