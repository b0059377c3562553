"""Ids of events: dense, rising, in the order of commits; what is refused or fails leaves none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD


def state(kernel: Kernel) -> tuple[int, int, int]:
    """Return the counter, the number of events and that of messages."""
    with kernel.unit(writes=False) as ctx:
        return tuple(  # type: ignore[return-value]
            ctx.execute(text(f"SELECT {what}")).scalar()
            for what in (
                "value FROM live_counter", "count(*) FROM live_event", "count(*) FROM live_message",
            )
        )  # fmt: skip


def test_what_is_refused_takes_no_id(cast: Any, log: Any, kernel: Kernel) -> None:
    note = cast.make()
    before = state(kernel)
    reader, root = cast.people["reader"], cast.root
    base, contents = cast.base, f"{cast.base}/contents"
    for client, method, path, body in (
        (reader, "POST", contents, {"label": "x", "content_type": "html-document"}),
        (root, "POST", contents, {"label": "Note", "content_type": "html-document"}),
        (root, "POST", contents, {"label": "", "content_type": "html-document"}),
        (root, "POST", f"{contents}/{note}/comments", {"raw_content": ""}),
        (root, "PUT", f"{base}/html-documents/{note}", {"raw_content": '<html-mention userid="8"></html-mention>'}),
        (root, "POST", f"{base}/members", {"user_id": cast.ids["reader"], "role": "reader"}),
        (root, "POST", "/api/users", {"email": "the-reader@example.org"}),
        (Client(kernel.app), "POST", contents, {"label": "x", "content_type": "html-document"}),
    ):  # fmt: skip
        answer = client.request(method, path, json_body=body)
        assert 400 <= answer.status < 500, (path, answer.status)
        assert state(kernel) == before, path


def test_what_fails_leaves_nothing(cast: Any, log: Any, kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit that breaks after it was told, right before its commit, has told nobody anything."""
    before = state(kernel)
    monkeypatch.setattr(type(kernel.jobs), "write", lambda *_: 1 / 0)
    answer = cast.root.post(f"{cast.base}/contents", {"label": "x", "content_type": "html-document"})
    assert answer.status == 500
    monkeypatch.undo()
    assert state(kernel) == before
    cast.make()
    assert log.types() == ["content.created.html-document"]


def test_a_fault_in_one_message_loses_that_one_alone(
    cast: Any, log: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    from atrio.plugins.live.telling import tellers_of
    from atrio.plugins.mentions.events import MentionCreated

    (teller,) = tellers_of(log.kernel).of(MentionCreated)
    for broken in (lambda *_: 1 / 0, lambda *_: [{"event_type": "mention.created", "fields": {"x": object()}}]):
        monkeypatch.setattr(tellers_of(log.kernel), "of", _instead(log.kernel, teller, broken))
        caplog.clear()
        note = cast.make(label=f"n{id(broken)}")
        cast.comment(note, f'<html-mention userid="{cast.ids["reader"]}"></html-mention>')
        assert "mentions could not tell of mention.created" in caplog.text
        assert log.types() == ["content.created.html-document", "content.created.comment"]


def _instead(kernel: Kernel, teller: Any, messages: Callable[..., Any]) -> Callable[[Any], Any]:
    from dataclasses import replace

    from atrio.plugins.live.telling import Tellers, tellers_of

    tellers = tellers_of(kernel)
    return lambda event: (
        (replace(teller, messages=messages),) if event is teller.event else Tellers.of(tellers, event)
    )


WRITERS, EACH = 6, 8


class Rush:
    """Writers in threads of their own, and one reader who asks again and again what there is."""

    def __init__(self, kernel: Kernel, spaces: list[int]) -> None:
        self.kernel = kernel
        self.spaces = spaces
        self.done, self.start = threading.Event(), threading.Barrier(WRITERS + 1)
        self.wrong: list[Any] = []
        self.seen: list[int] = []

    def write(self, number: int) -> None:
        """Create contents and comment on them; a refused one in between takes no id."""
        client = Client(self.kernel.app, ADMIN, PASSWORD)
        client.get("/api/auth/whoami")
        base = f"/api/workspaces/{self.spaces[number % len(self.spaces)]}/contents"
        self.start.wait()
        for n in range(EACH):
            made = client.post(base, {"label": f"{number} {n}", "content_type": "html-document"})
            path = f"{base}/{made.json.get('content_id')}/comments"
            said = client.post(path, {"raw_content": "<p>x</p>"})
            refused = client.post(base, {"label": "", "content_type": "html-document"})
            if (made.status, said.status, refused.status) != (200, 200, 400):
                self.wrong.append((made.body, said.body, refused.body))
        client.close()

    def read(self) -> None:
        """Look for ids that appear below one that was seen, and for gaps."""
        self.start.wait()
        known: set[int] = set()
        while not self.done.is_set():
            with self.kernel.unit(writes=False) as ctx:
                ids = set(ctx.execute(text("SELECT event_id FROM live_event")).scalars())
            late = {i for i in ids - known if known and i < max(known)}
            if late or ids != set(range(1, len(ids) + 1)):
                self.wrong.append(("late or a gap", sorted(late)))
            known = ids
            self.seen.append(len(ids))
        self.kernel.db.close_thread()

    def run(self) -> None:
        """Let them all go at once, until the last writer is ready."""
        writers = [threading.Thread(target=self.write, args=(n,)) for n in range(WRITERS)]
        reader = threading.Thread(target=self.read)
        for thread in (*writers, reader):
            thread.start()
        for thread in writers:
            thread.join()
        self.done.set()
        reader.join()


def test_writers_at_once_give_ids_without_gaps_in_the_order_of_commits(
    cast: Any, log: Any, kernel: Kernel
) -> None:
    """A reader who asks again and again never sees an id appear below one that he has seen."""
    spaces = [cast.space, *(cast.other_space("confidential") for _ in range(2))]
    log.news()
    rush = Rush(kernel, spaces)
    rush.run()
    assert rush.wrong == []
    assert len(log.news()) == WRITERS * EACH * 2
    assert rush.seen == sorted(rush.seen)
    assert len(set(rush.seen)) > 3, "the reader saw it grow"
