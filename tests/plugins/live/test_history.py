"""The past of a space for who joins it, and what becomes of it when he leaves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.plugins.live.services.history import PAGE

from .inboxes import Inbox, put


@pytest.fixture
def newcomer(cast: Any) -> Inbox:
    """The inbox of somebody outside the space."""
    return Inbox(cast.people["outsider"], cast.ids["outsider"])


def join(cast: Any) -> None:
    """Make the outsider a member."""
    body = {"user_id": cast.ids["outsider"], "role": "reader"}
    cast.ok("POST", f"{cast.base}/members", body)


def leave(cast: Any) -> None:
    """Remove him."""
    cast.ok("DELETE", f"{cast.base}/members/{cast.ids['outsider']}")


def of_the_space(inbox: Inbox, cast: Any, **query: Any) -> list[int]:
    """Return the ids of an inbox that are about the space."""
    return inbox.ids(workspace_ids=cast.space, **query)


def test_the_past_is_there_read_and_hidden(cast: Any, log: Any, newcomer: Inbox) -> None:
    """What members were told, and not what was for one of them: mentions, requests, calls."""
    note = cast.make()
    cast.comment(note, f'<html-mention userid="{cast.ids["reader"]}"></html-mention>')
    cast.ok("POST", f"{cast.base}/contents/{note}/tags", {"tag_name": "t"})
    cast.ok("POST", f"{cast.base}/contents/{note}/reactions", {"value": "x"})
    told = [t for t in log.news() if t.event_type != "mention.created"]
    assert [t.event_type for t in told] == [
        "content.created.html-document", "content.created.comment", "tag.created", "content_tag.created",
        "reaction.created",
    ]  # fmt: skip
    before = newcomer.numbers(include_not_sent=1)
    join(cast)
    (own,) = log.news()
    assert of_the_space(newcomer, cast) == [own.event_id], "his own is an ordinary message"
    page = newcomer.page(workspace_ids=cast.space, include_not_sent=1, count=1000)["items"]
    ids = [m["event_id"] for m in page]
    assert ids[:6] == [own.event_id, *(t.event_id for t in reversed(told))]
    assert {m["event_type"].partition(".")[0] for m in page} >= {"workspace", "workspace_member"}
    assert [m["read"] is None for m in page] == [True] + [False] * (len(page) - 1)
    total, _, unread = newcomer.numbers(include_not_sent=1)
    assert (total - before[0], unread - before[2]) == (len(page), 1)
    assert newcomer.ids(read_status="read", workspace_ids=cast.space) == []
    assert newcomer.mark("unread").status == 204
    assert newcomer.numbers(include_not_sent=1)[1] == len(page) - 1, "history stays read"
    cast.make(label="later")
    assert len(of_the_space(newcomer, cast)) == 2


def test_events_that_he_had_already_are_not_doubled(cast: Any, log: Any, newcomer: Inbox) -> None:
    space = cast.other_space("open")
    created = log.news()[-1]
    assert cast.ids["outsider"] in created.receivers
    cast.ok("POST", f"/api/users/{cast.ids['outsider']}/workspaces", {"workspace_id": space}, "outsider")
    found = newcomer.page(workspace_ids=space, include_not_sent=1)["items"]
    assert [m["event_type"] for m in found] == [
        "workspace_member.created", "workspace.created", "workspace_member.created",
    ]  # fmt: skip
    assert found[1]["read"] is None, "it was sent, and he did not read it"


@pytest.mark.parametrize(("wanted", "copied"), [(0, 0), (7, 7), (-1, 40), (100, 40)])
def test_how_much_is_copied(cast: Any, kernel: Kernel, newcomer: Inbox, wanted: int, copied: int) -> None:
    from atrio.plugins.live.config import LiveConfig

    kernel.config.replace(LiveConfig, join_history=wanted)
    with kernel.unit() as ctx:
        ctx.execute(text("UPDATE live_event SET shared = 0"))
    ids = put(kernel, None, [("content.modified.html-document", 1, cast.space, 1, None)] * 40)
    put(kernel, None, [("content.modified.html-document", 1, cast.space + 1, 1, None)] * 5)
    put(kernel, None, [("mention.created", 1, cast.space, 1, None)] * 5, shared=0)
    join(cast)
    assert of_the_space(newcomer, cast, include_not_sent=1)[1:] == ids[::-1][:copied]
    assert _left_to_copy(kernel) == 0


def _left_to_copy(kernel: Kernel) -> int:
    with kernel.unit(writes=False) as ctx:
        return int(ctx.execute(text("SELECT count(*) FROM live_history")).scalar() or 0)


def test_pages_of_a_long_past(cast: Any, kernel: Kernel, newcomer: Inbox, statements: Callable[[], Any]) -> None:
    number = 2 * PAGE + 1
    put(kernel, None, [("content.modified.html-document", 1, cast.space, 1, None)] * number)
    with statements() as seen:
        join(cast)
    copies = [s for s in seen if s.startswith("INSERT INTO live_message") and "there" in s]
    assert len(copies) == 3, "one statement for each page, none for each message"
    total, _, unread = newcomer.numbers(include_not_sent=1, workspace_ids=cast.space)
    assert (total > number, unread) == (True, 1)
    assert _left_to_copy(kernel) == 0


@pytest.fixture
def sleeping(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Jobs do not run by themselves; the fixture's value runs one page of a history."""
    from atrio.plugins.live import services

    monkeypatch.setattr(type(kernel.jobs), "wake", lambda *_: None)

    def copy(user_id: int, space_id: int) -> None:
        kernel.run(lambda ctx: services.copy_history(ctx, user_id, space_id))

    return copy  # type: ignore[return-value]


def test_the_request_does_not_wait_for_the_past(
    cast: Any, kernel: Kernel, newcomer: Inbox, sleeping: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """His own events are there at once; a page more each time the job runs; leaving ends it for good."""
    from atrio.plugins.live.services import history

    monkeypatch.setattr(history, "PAGE", 10)
    ids = put(kernel, None, [("content.modified.html-document", 1, cast.space, 1, None)] * 25)
    user, space = cast.ids["outsider"], cast.space
    join(cast)
    assert len(of_the_space(newcomer, cast, include_not_sent=1)) == 1
    sleeping(user, space)
    assert of_the_space(newcomer, cast, include_not_sent=1)[1:] == ids[::-1][:10]
    cast.make()
    sleeping(user, space)
    assert of_the_space(newcomer, cast, include_not_sent=1)[2:] == ids[::-1][:20]
    leave(cast)
    (left,) = newcomer.page(workspace_ids=space, include_not_sent=1)["items"]
    assert left["event_type"] == "workspace_member.deleted", "all that stays is that he was removed"
    for _ in range(3):
        sleeping(user, space)
    assert len(of_the_space(newcomer, cast, include_not_sent=1)) == 1, "a job that comes late copies nothing"
    assert _left_to_copy(kernel) == 0


def test_leaving_while_a_page_is_copied(cast: Any, kernel: Kernel, newcomer: Inbox, sleeping: Any) -> None:
    """Whichever comes first, nothing of the past stays: leaving waits for the page, a late page finds no order."""
    from atrio.plugins.live.services import copy_history
    from atrio.plugins.live.services.publish import LEAVE_HISTORY

    user, space = cast.ids["outsider"], cast.space
    put(kernel, None, [("content.modified.html-document", 1, space, 1, None)] * 5)
    join(cast)
    with kernel.unit() as ctx:
        copy_history(ctx, user, space)
        leaving = threading.Thread(target=leave, args=(cast,))
        leaving.start()
        leaving.join(0.5)
        assert leaving.is_alive(), "it waits"
    leaving.join()
    (left,) = newcomer.page(workspace_ids=space, include_not_sent=1)["items"]
    assert left["event_type"] == "workspace_member.deleted"
    join(cast)
    before = of_the_space(newcomer, cast, include_not_sent=1)

    def late() -> None:
        sleeping(user, space)
        kernel.db.close_thread()

    with kernel.unit() as ctx:
        ctx.execute(LEAVE_HISTORY, {"leaving": user, "left_space": space})
        copying = threading.Thread(target=late)
        copying.start()
        copying.join(0.5)
        assert copying.is_alive(), "it waits"
    copying.join()
    assert of_the_space(newcomer, cast, include_not_sent=1) == before


def test_who_comes_back_gets_the_past_anew(cast: Any, kernel: Kernel, log: Any, newcomer: Inbox) -> None:
    note = cast.make()
    join(cast)
    cast.comment(note)
    had = newcomer.ids(workspace_ids=cast.space)
    others = set(newcomer.ids(include_not_sent=1)) - set(of_the_space(newcomer, cast, include_not_sent=1))
    leave(cast)
    cast.comment(note)
    (removed,) = newcomer.page(workspace_ids=cast.space, include_not_sent=1)["items"]
    assert set(newcomer.ids(include_not_sent=1)) == others | {removed["event_id"]}
    before = log.last + len(log.news())
    join(cast)
    own = before + 1
    assert of_the_space(newcomer, cast) == [own, removed["event_id"]]
    everything = of_the_space(newcomer, cast, include_not_sent=1)
    assert set(had) < set(everything), "what he had is history now"
    assert everything == sorted(set(everything), reverse=True)
    assert len(everything) > 5


def test_leaving_by_oneself_forgets_too(cast: Any, newcomer: Inbox) -> None:
    cast.make()
    reader = Inbox(cast.people["reader"], cast.ids["reader"])
    assert len(of_the_space(reader, cast)) > 1
    cast.ok("DELETE", f"{cast.base}/members/{cast.ids['reader']}", who="reader")
    (left,) = reader.page(workspace_ids=cast.space, include_not_sent=1)["items"]
    assert left["event_type"] == "workspace_member.deleted"
    contributor = Inbox(cast.people["contributor"], cast.ids["contributor"])
    assert len(of_the_space(contributor, cast)) > 2, "nobody else forgets"
