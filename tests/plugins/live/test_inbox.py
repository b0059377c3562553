"""The inbox of a user: lists, pages, filters, numbers, marks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.plugins.live import queries

from .inboxes import Inbox, clear, put

ME, ANN, BOB = 2, 3, 4
ROWS = (
    ("content.created.html-document", ANN, 1, 10, None), ("content.created.comment", BOB, 1, 11, 10),
    ("content.modified.html-document", None, 2, 20, None), ("mention.created", ANN, 2, 20, None),
    ("user.modified", BOB, None, None, None), ("workspace.created", ANN, 2, None, None),
    ("content.deleted.comment", ME, 1, 11, 10), ("content.copied.file", BOB, 2, 30, 20),
    ("workspace_member.created", None, 1, None, None), ("reaction.deleted", ANN, 1, 11, 10),
)  # fmt: skip


@pytest.fixture
def inbox(cast: Any, kernel: Kernel) -> Inbox:
    """The reader's inbox, emptied."""
    assert (cast.ids["reader"], cast.ids["contributor"], cast.ids["content-manager"]) == (ME, ANN, BOB)
    clear(kernel, ME)
    return Inbox(cast.people["reader"], ME)


@pytest.fixture
def ids(inbox: Inbox, kernel: Kernel) -> list[int]:
    """The messages of ROWS; the first three are read."""
    made = put(kernel, ME, ROWS)
    assert inbox.mark("read", event_ids=",".join(map(str, made[:3]))).status == 204
    return made


# -- lists -------------------------------------------------------------------------------------------------


def test_a_message(cast: Any, inbox: Inbox, log: Any) -> None:
    note = cast.make()
    (told,) = log.news()
    page = inbox.page()
    (item,) = page["items"]
    assert set(item) == {"event_id", "event_type", "created", "read", "fields"}
    assert (item["event_id"], item["event_type"], item["read"]) == (
        told.event_id, "content.created.html-document", None,
    )  # fmt: skip
    assert item["fields"] == told.fields
    assert item["fields"]["content"]["content_id"] == note
    moments = [datetime.fromisoformat(m["created"]) for m in (item, item["fields"]["content"])]
    assert timedelta(0) <= moments[0] - moments[1] <= timedelta(seconds=2)
    assert (page["per_page"], page["has_next"], page["has_previous"]) == (10, False, False)


def test_pages_forward_and_back_while_messages_arrive(inbox: Inbox, kernel: Kernel) -> None:
    old = put(kernel, ME, ROWS * 3)[::-1]
    first = inbox.page(count=12)
    assert [m["event_id"] for m in first["items"]] == old[:12]
    assert (first["has_next"], first["has_previous"], first["per_page"]) == (True, False, 12)
    new = put(kernel, ME, ROWS[:4])[::-1]
    second = inbox.page(count=12, page_token=first["next_page_token"])
    assert [m["event_id"] for m in second["items"]] == old[12:24], "nothing twice, nothing left out"
    third = inbox.page(count=12, page_token=second["next_page_token"])
    assert [m["event_id"] for m in third["items"]] == old[24:]
    assert (third["has_next"], third["has_previous"]) == (False, True)
    back = inbox.page(count=12, page_token=third["previous_page_token"])
    assert [m["event_id"] for m in back["items"]] == old[12:24]
    assert back["has_next"]
    back = inbox.page(count=12, page_token=back["previous_page_token"])
    assert [m["event_id"] for m in back["items"]] == old[:12]
    assert back["has_previous"], "the new ones"
    newest = inbox.page(count=12, page_token=back["previous_page_token"])
    assert [m["event_id"] for m in newest["items"]] == new
    assert not newest["has_previous"]


def test_bounds_of_the_count(inbox: Inbox, ids: list[int]) -> None:
    assert len(inbox.page(count=1)["items"]) == 1
    assert len(inbox.page()["items"]) == 10
    assert len(inbox.page(count=100_000)["items"]) == 10
    for count in ("0", "-1", "x", "1.5", "100001", "99999999999999999999"):
        answer = inbox.client.get(inbox.path, query={"count": count})
        assert (answer.status, answer.code) == (400, 2001), count
        assert "count" in answer.json["details"]
    answer = inbox.client.get(inbox.path, query={"page_token": "nonsense"})
    assert (answer.status, answer.code) == (400, 2001)


# -- filters -----------------------------------------------------------------------------------------------

EVERY = set(range(len(ROWS)))
FILTERS: tuple[tuple[dict[str, Any], set[int]], ...] = (
    ({}, EVERY), ({"include_event_types": ""}, EVERY), ({"exclude_event_types": " , "}, EVERY),
    ({"include_event_types": "content"}, {0, 1, 2, 6, 7}), ({"include_event_types": "content.created"}, {0, 1}),
    ({"include_event_types": "content.created.comment"}, {1}),
    ({"include_event_types": "content.*"}, {0, 1, 2, 6, 7}),
    ({"include_event_types": "content.*.comment"}, {0, 1, 2, 6, 7}),
    ({"include_event_types": "content.created.comment, mention"}, {1, 3}),
    ({"include_event_types": "workspace"}, {5}), ({"include_event_types": "tag,user_call.created"}, set()),
    ({"exclude_event_types": "content"}, {3, 4, 5, 8, 9}),
    ({"exclude_event_types": "content.created.comment,user"}, EVERY - {1, 4}),
    ({"include_event_types": "content", "exclude_event_types": "content.deleted"}, {0, 1, 2, 7}),
    ({"exclude_author_ids": f"{ANN}"}, EVERY - {0, 3, 5, 9}),
    ({"exclude_author_ids": f"{ANN},{BOB},{ME},999"}, {2, 8}), ({"exclude_author_ids": ""}, EVERY),
    ({"workspace_ids": "1"}, {0, 1, 6, 8, 9}), ({"workspace_ids": "1,2"}, EVERY - {4}),
    ({"workspace_ids": "77"}, set()), ({"related_to_content_ids": "10"}, {0, 1, 6, 9}),
    ({"related_to_content_ids": "11,20"}, {1, 2, 3, 6, 7, 9}),
    ({"related_to_content_ids": "10", "exclude_author_ids": f"{ANN}", "include_event_types": "content"}, {1, 6}),
    ({"include_not_sent": "1"}, EVERY), ({"include_not_sent": "0"}, EVERY),
)  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), FILTERS, ids=lambda value: str(value)[:60])
def test_filters_of_list_and_summary(
    inbox: Inbox, ids: list[int], query: dict[str, Any], expected: set[int]
) -> None:
    assert inbox.ids(**query) == [ids[i] for i in sorted(expected, reverse=True)]
    read = {0, 1, 2} & expected
    assert inbox.numbers(**query) == (len(expected), len(read), len(expected - read))
    assert inbox.ids(read_status="read", **query) == [ids[i] for i in sorted(read, reverse=True)]
    assert inbox.unread() == {ids[i] for i in EVERY - {0, 1, 2}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("include_event_types", "nothing"), ("include_event_types", "content.exploded"),
        ("include_event_types", "content.created.file.more"), ("exclude_event_types", "content,nothing"),
        ("include_event_types", "content."), ("include_event_types", "*"), ("include_event_types", ".created"),
        ("exclude_event_types", "CONTENT"), ("exclude_event_types", "content.created," * 101 + "user"),
        ("exclude_author_ids", "a"), ("workspace_ids", "1;2"), ("related_to_content_ids", "-1"),
        ("include_not_sent", "2"), ("include_not_sent", "x"),
    ],
)  # fmt: skip
def test_filters_that_are_none(inbox: Inbox, name: str, value: str) -> None:
    if value.count("content.created") > 100:
        value = ",".join(f"content.created.x{n}" for n in range(101))
    for path in (inbox.path, f"{inbox.path}/summary"):
        answer = inbox.client.get(path, query={name: value})
        assert (answer.status, answer.code) == (400, 2001), value
        assert name in answer.json["details"]


def test_a_read_status_that_is_none(inbox: Inbox) -> None:
    answer = inbox.client.get(inbox.path, query={"read_status": "perhaps"})
    assert (answer.status, answer.code) == (400, 2001)


def test_the_summary_names_its_user(inbox: Inbox, ids: list[int]) -> None:
    answer = inbox.client.get(f"{inbox.path}/summary")
    assert answer.json == {
        "messages_count": 10, "read_messages_count": 3, "unread_messages_count": 7, "user_id": ME,
        "user": {
            "user_id": ME, "username": "the-reader", "public_name": "the-reader", "is_active": True,
            "has_avatar": True, "has_cover": False,
        },
    }  # fmt: skip


# -- marks -------------------------------------------------------------------------------------------------


def listed(numbers: Any) -> str:
    """Return ids as a query names them."""
    return ",".join(str(n) for n in numbers)


MARKS: tuple[tuple[dict[str, str], set[int]], ...] = (
    ({}, EVERY), ({"event_ids": "", "space_ids": ""}, EVERY), ({"space_ids": "1"}, {0, 1, 6, 8, 9}),
    ({"content_ids": "10"}, {0}), ({"parent_ids": "10"}, {1, 6, 9}),
    ({"content_ids": "20", "parent_ids": "20"}, {2, 3, 7}),
    ({"content_ids": "11,20", "space_ids": "2"}, {2, 3}), ({"parent_ids": "10,20", "space_ids": "1"}, {1, 6, 9}),
    ({"content_ids": "999"}, set()), ({"space_ids": "1,2", "content_ids": "10", "parent_ids": "20"}, {0, 7}),
)  # fmt: skip


@pytest.mark.parametrize(("query", "meant"), MARKS, ids=lambda value: str(value)[:60])
def test_marking_many(inbox: Inbox, kernel: Kernel, query: dict[str, str], meant: set[int]) -> None:
    ids = put(kernel, ME, ROWS)
    others = put(kernel, ANN, ROWS)
    assert inbox.mark("read", **query).status == 204
    assert inbox.unread() == {ids[i] for i in EVERY - meant}
    assert inbox.mark("read").status == 204
    assert inbox.unread() == set()
    assert inbox.mark("unread", **query).status == 204
    assert inbox.unread() == {ids[i] for i in meant}
    with kernel.unit(writes=False) as ctx:
        counted = queries.counts(ctx, ANN, queries.Filter())
    assert counted[1] == 0, "somebody else's messages of the same contents stay as they are"
    assert others


def test_event_ids_are_combined_with_the_other_kinds(inbox: Inbox, kernel: Kernel) -> None:
    ids = put(kernel, ME, ROWS)
    assert inbox.mark("read", event_ids=listed(ids[:4]), space_ids="1").status == 204
    assert inbox.unread() == set(ids) - {ids[0], ids[1]}
    assert (
        inbox.mark("read", event_ids=listed([*ids[:8], 10**17]), content_ids="20", parent_ids="10").status == 204
    )
    assert inbox.unread() == set(ids) - {ids[i] for i in (0, 1, 2, 3, 6)}
    assert inbox.mark("unread", event_ids=listed(ids[:1])).status == 204
    assert ids[0] in inbox.unread()
    for name in ("event_ids", "content_ids", "parent_ids", "space_ids"):
        answer = inbox.mark("read", **{name: "1,b"})
        assert (answer.status, answer.code) == (400, 2001), name


def test_marking_one(inbox: Inbox, kernel: Kernel, clock: Any) -> None:
    ids = put(kernel, ME, ROWS)
    (foreign,) = put(kernel, ANN, ROWS[:1])
    assert inbox.mark("read", ids[3]).status == 204
    first = inbox.page(read_status="read")["items"]
    assert [m["event_id"] for m in first] == [ids[3]]
    clock.move(60)
    assert inbox.mark("read", ids[3]).status == 204
    assert inbox.page(read_status="read")["items"] == first, "read is read: the date stays"
    assert inbox.mark("unread", ids[3]).status == 204
    assert inbox.mark("unread", ids[3]).status == 204
    assert inbox.unread() == set(ids)
    for unknown in (foreign, 0, 10**9, "9" * 18):
        for word in ("read", "unread"):
            answer = inbox.client.request("PUT", f"{inbox.path}/{unknown}/{word}")
            assert (answer.status, answer.code) == (400, 1009), unknown


def test_marks_are_not_told(inbox: Inbox, kernel: Kernel, log: Any) -> None:
    put(kernel, ME, ROWS)
    log.last += len(ROWS)
    inbox.mark("read")
    inbox.mark("unread")
    assert log.news() == []


# -- whose -------------------------------------------------------------------------------------------------


def test_inboxes_of_others(cast: Any, inbox: Inbox, ids: list[int]) -> None:
    """A user's messages are for himself and for administrators, who may be members of nothing."""
    for name, status, code in (
        ("contributor", 403, 4002), ("outsider", 403, 4002), ("administrator", 200, None), ("disabled", 401, None),
    ):  # fmt: skip
        other = cast.people[name]
        for method, rest in (
            ("GET", ""), ("GET", "/summary"), ("PUT", "/read"), ("PUT", "/unread"), ("PUT", f"/{ids[0]}/read"),
            ("PUT", f"/{ids[0]}/unread"),
        ):  # fmt: skip
            answer = other.request(method, inbox.path + rest)
            assert answer.status in (status, 204 if status == 200 else status), (name, method, rest)
            assert code is None or answer.code == code
    unknown = cast.root.get("/api/users/999/messages")
    assert (unknown.status, unknown.code) == (400, 1001)


# -- cost --------------------------------------------------------------------------------------------------


def test_the_cost_does_not_grow(inbox: Inbox, kernel: Kernel, statements: Callable[[], Any]) -> None:
    found: dict[str, list[int]] = {}
    for number in (10, 1000):
        clear(kernel, ME)
        put(kernel, ME, (ROWS * 100)[:number])
        for rest, query in (
            ("", {"count": 1000}), ("", {"count": 1000, "related_to_content_ids": "10,11", "exclude_author_ids": "9"}),
            ("/summary", {}), ("/summary", {"related_to_content_ids": "10,11", "include_event_types": "content"}),
        ):  # fmt: skip
            for _ in range(2):
                with statements() as seen:
                    assert inbox.client.get(inbox.path + rest, query=query).status == 200
            found.setdefault(f"{rest} {query}", []).append(len(seen))
        with statements() as seen:
            assert inbox.mark("read", parent_ids="10").status == 204
        found.setdefault("mark", []).append(len(seen))
    assert all(few == many <= 6 for few, many in found.values()), found


@pytest.mark.parametrize("analysed", [False, True])
def test_plans_walk_indexes(inbox: Inbox, kernel: Kernel, statements: Callable[[], Any], analysed: bool) -> None:
    """On SQLite, whose plans say so: no list, number, mark or history reads a whole table."""
    from sqlalchemy import event

    if kernel.db.writer.dialect.name != "sqlite":
        pytest.skip("plans of SQLite")
    put(kernel, ME, ROWS * 100)
    with kernel.unit() as ctx:
        if analysed:
            ctx.kept.raw.execute("ANALYZE")
    seen: list[tuple[str, Any]] = []

    def note(conn: Any, cursor: Any, sql: str, values: Any, *rest: Any) -> None:
        seen.append((sql, values))

    for engine in (kernel.db.reader, kernel.db.writer):
        event.listen(engine, "before_cursor_execute", note)
    for query in ({}, {"related_to_content_ids": "10"}, {"include_event_types": "content.created"}):
        inbox.ids(**query)
        inbox.numbers(**query)
    for query in ({}, {"content_ids": "10", "parent_ids": "10"}, {"space_ids": "1"}, {"event_ids": "1,2"}):
        inbox.mark("unread", **query)
    for engine in (kernel.db.reader, kernel.db.writer):
        event.remove(engine, "before_cursor_execute", note)
    walks = []
    with kernel.unit(writes=False) as ctx:
        for sql, values in seen:
            if "live_" in sql:
                plan = ctx.kept.raw.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
                walks += [(sql[:80], row[3]) for row in plan if row[3].startswith("SCAN live_")]
    assert len(seen) == 10
    assert walks == []
