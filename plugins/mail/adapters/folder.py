"""The file transport: each mail becomes an .eml file, for trying things out without a server."""

from __future__ import annotations

import os
import re
import secrets
import time
from pathlib import Path

from ..message import Envelope
from ..transport import Unreachable

KEPT = 1000
"""Files that stay; their names begin with the time, so the oldest come first."""
_ODD = re.compile(r"[^A-Za-z0-9@._+-]+")


class FolderTransport:
    """Writes files that only their owner may read: they may hold one-time links."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def send(self, envelope: Envelope) -> None:
        """Write a mail; the file has its name once it is whole."""
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        name = f"{stamp}-{secrets.token_hex(4)}-{_ODD.sub('_', envelope.recipient)[:80]}.eml"
        hidden = self.folder / f".{name}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(envelope.data)
            hidden.replace(self.folder / name)
        except OSError as error:
            raise Unreachable(f"cannot write to {self.folder}: {error.strerror or error}") from None

    def close(self) -> None:
        """Delete the oldest beyond `KEPT`: an instance that nobody configures must not fill its disk."""
        files = sorted(self.folder.glob("*.eml"))
        for path in files[: max(0, len(files) - KEPT)]:
            path.unlink(missing_ok=True)
