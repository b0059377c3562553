"""Messages written the quick way, and inboxes as the wire shows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.plugins.live.kinds import kind_of
from tests.wire.filling import table, write

Row = tuple[str, int | None, int | None, int | None, int | None]
"""Type, author, space, content, parent."""


def put(
    kernel: Kernel, user: int | None, rows: Iterable[Row], *, sent: int = 1, read_at: int | None = None,
    created: int = 1, shared: int = 1,
) -> list[int]:  # fmt: skip
    """Write events, and messages of a user about them; returns their ids."""
    with kernel.unit() as ctx:
        first = int(ctx.execute(text("SELECT value FROM live_counter")).scalar() or 0) + 1
        events = [
            {
                "event_id": first + i, "event_type": kind, "kind": kind_of(kind), "created": created,
                "author_id": author, "space_id": space, "content_id": content, "parent_id": parent,
                "shared": shared, "ends_user_id": None, "fields": '{"author":null,"client_token":null}',
            }
            for i, (kind, author, space, content, parent) in enumerate(rows)
        ]  # fmt: skip
        write(ctx, "live_event", events)
        if user is not None:
            write(ctx, "live_message", (
                {
                    "user_id": user, "event_id": e["event_id"], "kind": e["kind"], "space_id": e["space_id"],
                    "sent": sent, "read_at": read_at,
                }
                for e in events
            ))  # fmt: skip
        ctx.execute(text("UPDATE live_counter SET value = value + :n"), {"n": len(events)})
    return [int(str(e["event_id"])) for e in events]


def clear(kernel: Kernel, user: int) -> None:
    """Empty an inbox."""
    with kernel.unit() as ctx:
        messages = table("live_message")
        ctx.execute(messages.delete().where(messages.c.user_id == user))


class Inbox:
    """The inbox of a user, asked for by himself."""

    def __init__(self, client: Any, user_id: int) -> None:
        self.client = client
        self.path = f"/api/users/{user_id}/messages"

    def page(self, **query: Any) -> Any:
        """Return a page."""
        answer = self.client.get(self.path, query=query or None)
        assert answer.status == 200, answer.body
        return answer.json

    def ids(self, **query: Any) -> list[int]:
        """Return the ids of the first page, as they come."""
        return [item["event_id"] for item in self.page(**{"count": 1000, **query})["items"]]

    def unread(self) -> set[int]:
        """Return the ids of what is not read."""
        return set(self.ids(read_status="unread"))

    def numbers(self, **query: Any) -> tuple[int, int, int]:
        """Return how many messages there are, read and unread ones."""
        answer = self.client.get(f"{self.path}/summary", query=query or None)
        assert answer.status == 200, answer.body
        names = ("messages_count", "read_messages_count", "unread_messages_count")
        total, read, unread = (int(answer.json[name]) for name in names)
        return total, read, unread

    def mark(self, word: str, event_id: int | None = None, **query: Any) -> Any:
        """Mark messages; the answer."""
        path = f"{self.path}/{word}" if event_id is None else f"{self.path}/{event_id}/{word}"
        return self.client.request("PUT", path, query=query or None)
