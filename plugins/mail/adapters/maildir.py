"""A Maildir that a mail server of this machine delivers into."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ..config import MailConfig
from .inbox import Arrived


class MaildirInbox:
    """Reads `new` and `cur`; what is over goes to a sub-folder (`.Name`, Maildir++), by one rename."""

    waits = False

    def __init__(self, settings: MailConfig) -> None:
        self.settings = settings
        self.root = Path(settings.maildir)

    def open(self) -> None:
        """Make the folders. OSError when they cannot be."""
        for folder in (self.root, self._folder(True), self._folder(False)):
            for part in ("tmp", "new", "cur"):
                (folder / part).mkdir(parents=True, exist_ok=True, mode=0o700)

    def _folder(self, taken: bool) -> Path:
        name = self.settings.done_folder if taken else self.settings.refused_folder
        return self.root / f".{name.replace('/', '.')}"

    def arrived(self) -> Iterator[Arrived]:
        """Return what lies there, oldest first."""
        found = [p for part in ("new", "cur") for p in (self.root / part).iterdir() if not p.name.startswith(".")]
        for path in sorted(found, key=lambda p: p.name):
            with contextlib.suppress(FileNotFoundError):
                yield Arrived(path, path.stat().st_size)

    def read(self, mail: Arrived, limit: int | None = None) -> bytes:
        """Return a mail, or its first bytes."""
        with mail.place.open("rb") as file:
            data: bytes = file.read() if limit is None else file.read(limit)
        return data

    def put_away(self, mail: Arrived, *, taken: bool) -> None:
        """Move a mail that is over."""
        base = mail.place.name.partition(":")[0]
        mail.place.rename(self._folder(taken) / "cur" / f"{base}:2,S")

    def wait(self, seconds: float) -> bool:
        """Nothing tells of new mail here."""
        return False

    def close(self) -> None:
        """Nothing to do."""
