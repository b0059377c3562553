"""IMAP by imapclient: IDLE where the server has it (RFC 2177), MOVE or its parts (RFC 6851)."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import imapclient
from imapclient.exceptions import IMAPClientError

from ..config import MailConfig
from .inbox import Arrived
from .smtp import tls_context

STEP_SECONDS = 60.0
IDLE_SECONDS = 9 * 60
"""After this long an IDLE is begun anew: servers and firewalls drop silent ones (RFC 2177: before 29 minutes)."""


class ImapInbox:
    """One connection to one folder."""

    def __init__(self, settings: MailConfig) -> None:
        self.settings = settings
        self.waits = False
        self._client: Any = None
        self._idling_since = 0.0

    def open(self) -> None:
        """Connect, sign in, make the two folders, open the inbox. OSError or IMAPClientError when that fails."""
        settings = self.settings
        timeout = imapclient.SocketTimeout(connect=15, read=STEP_SECONDS)
        context = None if settings.imap_security == "none" else tls_context(settings.ca_file)
        self._client = client = imapclient.IMAPClient(
            settings.imap_host, settings.imap_port, ssl=settings.imap_security == "tls", ssl_context=context,
            timeout=timeout, use_uid=True,
        )  # fmt: skip
        if settings.imap_security == "starttls":
            client.starttls(context)
        client.login(settings.imap_user, settings.imap_password or "")
        for name in (settings.done_folder, settings.refused_folder):
            if not client.folder_exists(name):
                with contextlib.suppress(IMAPClientError):  # another worker was quicker
                    client.create_folder(name)
        client.select_folder(settings.imap_folder)
        self.waits = settings.imap_idle and client.has_capability("IDLE")

    def arrived(self) -> Iterator[Arrived]:
        """Return what lies there, oldest first: all of it, since what is over is moved away."""
        self._stop_idling()
        self._client.noop()
        numbers = sorted(self._client.search("UNDELETED"))[:500]
        sizes = self._client.fetch(numbers, ["RFC822.SIZE"]) if numbers else {}
        for number in numbers:
            if number in sizes:
                yield Arrived(number, int(sizes[number].get(b"RFC822.SIZE", 0)))

    def read(self, mail: Arrived, limit: int | None = None) -> bytes:
        """Return a mail without marking it as seen."""
        item = "BODY.PEEK[]" if limit is None else f"BODY.PEEK[HEADER]<0.{limit}>"
        answer = self._client.fetch([mail.place], [item]).get(mail.place, {})
        data = next((v for k, v in answer.items() if k.startswith(b"BODY[")), b"")
        return bytes(data or b"")

    def put_away(self, mail: Arrived, *, taken: bool) -> None:
        """Move a mail that is over; a server without MOVE copies and deletes."""
        folder = self.settings.done_folder if taken else self.settings.refused_folder
        self._client.add_flags([mail.place], [imapclient.SEEN])
        if self._client.has_capability("MOVE"):
            self._client.move([mail.place], folder)
            return
        self._client.copy([mail.place], folder)
        self._client.delete_messages([mail.place])
        if self._client.has_capability("UIDPLUS"):
            self._client.uid_expunge([mail.place])
        else:
            self._client.expunge()

    def wait(self, seconds: float) -> bool:
        """Wait for the server to tell of something; True when it did, or when the inbox should be looked at."""
        if not self._idling_since:
            self._client.idle()
            self._idling_since = time.monotonic()
        told = self._client.idle_check(timeout=seconds)
        if any(len(item) > 1 and item[0] == b"BYE" for item in told):
            raise ConnectionError("the server says goodbye")
        longest = min(IDLE_SECONDS, self.settings.poll_seconds)
        if told or time.monotonic() - self._idling_since > longest:
            self._stop_idling()
            return True
        return False

    def _stop_idling(self) -> None:
        if self._idling_since:
            self._idling_since = 0.0
            self._client.idle_done()

    def close(self) -> None:
        """Log out, for a moment, and close."""
        client, self._client, self._idling_since = self._client, None, 0.0
        if client is None:
            return
        with contextlib.suppress(OSError, IMAPClientError, AttributeError):
            sock = client.socket()
            if isinstance(sock, socket.socket):
                sock.settimeout(2)
            client.logout()
        with contextlib.suppress(OSError, IMAPClientError, AttributeError):
            client.shutdown()
