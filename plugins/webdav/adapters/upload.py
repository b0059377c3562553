"""How the body of a PUT reaches the library: it is received before, so the library never waits for a client."""

from __future__ import annotations

from typing import Any

from wsgidav.dav_error import DAVError

from atrio.kernel.blobs import TemporaryBlob

UPLOAD = "atrio.upload"
"""Key of the environ: None while the library is asked whether it wants a body, then the body's blob."""


class BodyWanted(BaseException):
    """The library has no objection to a body. No Exception, for the library catches those and logs them."""


class Refused(BaseException):
    """A body is not welcome; `error` says why. No Exception, for the same reason."""

    def __init__(self, error: DAVError) -> None:
        super().__init__(error)
        self.error = error


class Writing:
    """The file that the library writes a body into: a temporary blob, kept only if everything came."""

    def __init__(self, blob: TemporaryBlob) -> None:
        self.blob = blob

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self.blob.write(data)

    def close(self) -> None:
        """Do nothing: the blob is closed, and made safe on the disk, where it is kept."""


def received(environ: dict[str, Any]) -> TemporaryBlob | None:
    """Return the body that was received, None for a request that brings none; BodyWanted while asking."""
    if UPLOAD not in environ:
        return None
    blob: TemporaryBlob | None = environ[UPLOAD]
    if blob is None:
        raise BodyWanted
    return blob
