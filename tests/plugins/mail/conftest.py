"""People who want mail, and the mails that left as files."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.config import StorageConfig
from atrio.kernel.host import Kernel
from atrio.kernel.testing.plugin import PASSWORD


class Mailbox:
    """Reads the mails that left since the last look, oldest first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: set[str] = set()

    def news(self) -> list[EmailMessage]:
        """Return the new mails."""
        files = sorted(
            (p for p in self.folder.glob("*.eml") if p.name not in self.seen), key=lambda p: p.stat().st_mtime_ns
        )
        self.seen.update(p.name for p in files)
        return [email.message_from_bytes(p.read_bytes(), policy=email.policy.default) for p in files]  # type: ignore[misc]

    def to(self, name: str) -> list[EmailMessage]:
        """Return the new mails to one person."""
        return [m for m in self.news() if name in str(m["To"])]


@pytest.fixture
def mailbox(kernel: Kernel) -> Mailbox:
    """The folder of the file transport."""
    return Mailbox(Path(kernel.config[StorageConfig].data_dir) / "mail")


@pytest.fixture
def wants(stranger: Any) -> Callable[..., None]:
    """`wants(bob, space, "individual")` says how a member is told."""

    def choose(person: Any, space_id: int, mode: str = "individual") -> None:
        login = stranger.post("/api/auth/login", {"username": person.login, "password": PASSWORD})
        assert login.status == 200, login.body
        path = f"/api/users/{person.user_id}/workspaces/{space_id}/email_notification_type"
        answer = person.put(path, {"email_notification_type": mode})
        assert answer.status == 204, answer.body

    return choose


def parts(message: EmailMessage) -> tuple[str, str]:
    """Return text and HTML of a mail."""
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()
