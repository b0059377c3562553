"""Refusals of calendars and address books."""

from __future__ import annotations

from typing import Any, ClassVar

from atrio.kernel.errors import KernelError

CHALLENGE = ("www-authenticate", 'Basic realm="Atrio", charset="UTF-8"')


class CaldavNotAuthenticated(KernelError):
    """Nobody is signed in; the answer asks for Basic credentials."""

    code: ClassVar[int | None] = 5002
    status: ClassVar[int] = 401

    def __init__(self, message: str = "", **kwargs: Any) -> None:
        super().__init__(message, headers=[CHALLENGE], **kwargs)


class CaldavNotAuthorized(KernelError):
    """The calendar or address book is another's, or the caller's role does not reach for this."""

    code: ClassVar[int | None] = 5001
    status: ClassVar[int] = 403


class SpaceAgendaDisabled(KernelError):
    """The space has its calendar switched off; what is in it is kept."""

    code: ClassVar[int | None] = 2051
    status: ClassVar[int] = 404


ERRORS = (CaldavNotAuthenticated, CaldavNotAuthorized, SpaceAgendaDisabled)
