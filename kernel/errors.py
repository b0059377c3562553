"""Errors that cross a door: each has a stable wire code, an HTTP status and a message.

A plugin subclasses `KernelError` in its `errors.py` and declares the classes through `register_errors`.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar


class KernelError(Exception):
    """A refusal that the caller may see.

    `code` is the stable number that clients compare; None is a wire value too (an unauthenticated request).
    `status` is the HTTP status; `headers` are added to the answer.
    """

    code: ClassVar[int | None] = None
    status: ClassVar[int] = 400
    headers: Sequence[tuple[str, str]] = ()

    def __init__(
        self,
        message: str = "",
        *,
        details: Mapping[str, Any] | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.message = message or type(self).__name__
        super().__init__(self.message)
        self.details: Mapping[str, Any] = details if details is not None else {"error_detail": {}}
        self.headers = tuple(headers)

    def in_words(self) -> str:
        """Return the refusal for a person: its message, or its name and what the class says of it."""
        meaning = (type(self).__doc__ or "").strip().split("\n")[0]
        return f"{self.message}: {meaning}" if self.message == type(self).__name__ else self.message

    def body(self) -> dict[str, Any]:
        """Return the JSON object that goes over the wire."""
        return {"code": self.code, "message": self.message, "details": dict(self.details)}


class PageNotFound(KernelError):
    """No route has this path."""

    code = 9999
    status = 404


class MethodNotAllowed(KernelError):
    """The path exists, the verb does not; the answer carries `Allow`."""

    code = 9999
    status = 405


class Unauthenticated(KernelError):
    """The route needs a signed-in user and none came."""

    code = None
    status = 401

    def __init__(self, message: str = "User not found", **kwargs: Any) -> None:
        super().__init__(message, **kwargs)


class ValidationFailed(KernelError):
    """A path, query, header, form or body value does not fit its schema; `details` names the fields."""

    code = 2001
    status = 400

    def __init__(self, details: Mapping[str, Any], message: str = "Validation error of input data") -> None:
        super().__init__(message, details=details)


class NoFileGiven(KernelError):
    """The form holds no file."""

    code = 2005


class PreconditionFailed(KernelError):
    """`If-Match` names another revision than the current one."""

    code = 20001
    status = 412


class BodyTooLarge(KernelError):
    """The body is larger than the server takes, refused before it is read."""

    code = 20002
    status = 413


class UnsupportedMediaType(KernelError):
    """The route takes another kind of body."""

    code = 20003
    status = 415


class TooManyRequests(KernelError):
    """The caller has to wait; the answer carries `Retry-After` in seconds."""

    code = 20004
    status = 429


class ServiceUnavailable(KernelError):
    """All threads are busy or the server is going down; the answer carries `Retry-After` in seconds."""

    code = 20005
    status = 503

    def __init__(self, message: str = "", *, retry_after: int = 1) -> None:
        super().__init__(message, headers=[("retry-after", str(retry_after))])


class BadPath(KernelError):
    """The path holds NUL, `..`, an empty inner segment or bytes that are not UTF-8."""

    code = 20006
    status = 400


class BadRequestBody(KernelError):
    """The body stopped early, is longer than announced, or its framing is broken."""

    code = 20007
    status = 400


class CrossSiteRequest(KernelError):
    """A request with a session cookie tried to write from a foreign site."""

    code = 20008
    status = 403


class DiskFull(KernelError):
    """The disk of the server has no room left; nothing of the request was kept."""

    code = 20010
    status = 507


class FileRefused(KernelError):
    """A plugin that looks at files has kept this one out; the message says what it found."""

    code = 20160
    status = 422


class InternalError(KernelError):
    """An unforeseen fault; the log has it under the request id."""

    code = None
    status = 500


class PluginUnavailable(KernelError):
    """A feature was asked for whose plugin is not enabled."""

    code = 20009
    status = 503


class BlobsUnavailable(ServiceUnavailable):
    """The store of files is elsewhere and does not answer; the answer carries `Retry-After` in seconds."""

    code = 20130

    def __init__(self, message: str = "", *, retry_after: int = 5) -> None:
        super().__init__(message, retry_after=retry_after)


class RetryWork(Exception):
    """A lost race: the unit of work is rolled back and tried again, at most six times."""


class BootError(Exception):
    """The server cannot start; the message says why and what to type."""


FULL = ("disk is full", "No space left on device", "Disk full")
"""How SQLite, PostgreSQL and MariaDB say it."""


def full_disk(error: BaseException | None) -> bool:
    """Tell whether a fault comes from a disk without room: this machine's, or that of the database."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        original = getattr(error, "orig", None)
        if original is not None and any(words in str(original) for words in FULL):
            return True
        error = error.__cause__
    return False


KERNEL_ERRORS: tuple[type[KernelError], ...] = (
    PageNotFound,
    MethodNotAllowed,
    Unauthenticated,
    ValidationFailed,
    NoFileGiven,
    PreconditionFailed,
    BodyTooLarge,
    UnsupportedMediaType,
    TooManyRequests,
    ServiceUnavailable,
    BadPath,
    BadRequestBody,
    CrossSiteRequest,
    DiskFull,
    FileRefused,
    InternalError,
    PluginUnavailable,
    BlobsUnavailable,
)
