"""Searches that find very many contents answer as those that look at each hit: the same suite, and side by side.

The numbers from which hits are many are set so that all are. On SQLite only: others have no such way.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.db import migrate
from atrio.kernel.host import Kernel
from atrio.kernel.schema_state import lineages
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.engines import chosen
from atrio.plugins.search import services, tasks, upkeep
from atrio.plugins.search.choice import embedded
from atrio.plugins.search.engines import many
from atrio.plugins.search.engines.indexes import kinds, sqlite
from atrio.plugins.search.engines.indexes.layout import KIND_TRIGGERS

from .suite import *  # noqa: F403
from .suite import CONTENT, NOTES, ask, labels

pytestmark = pytest.mark.skipif(chosen() is not None, reason="only SQLite has this way")
PLAIN = "/api/search/content"
TABLES = ("search_kind", "search_block", "search_time")
Many = Callable[[bool], None]


@pytest.fixture
def crowds(monkeypatch: pytest.MonkeyPatch) -> Many:
    """`crowds(False)` looks at each hit again, as with few of them."""

    def choose(on: bool) -> None:
        monkeypatch.setattr(sqlite, "LEAST", 0 if on else 10**9)
        monkeypatch.setattr(sqlite, "SPARSE", 10**9)

    choose(True)
    return choose


@pytest.fixture(autouse=True)
def met(crowds: Many, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many contents each crowd had: tests that mean this way see that it was taken."""
    seen: list[int] = []

    class Seen(kinds.Crowd):
        def __init__(self, ids: Any, everybody: Any) -> None:
            super().__init__(ids, everybody)
            seen.append(len(ids))

    monkeypatch.setattr(many, "Crowd", Seen)
    return seen


@pytest.fixture
def settle(kernel: Kernel) -> Callable[[], None]:
    """Index what waits now."""

    def run() -> None:
        while kernel.run(services.catch_up):
            pass

    return run


def run(kernel: Kernel, sql: str, **values: Any) -> Any:
    return kernel.run(lambda ctx: ctx.execute(text(sql), values))


def wrong(kernel: Kernel) -> int:
    """Put the kinds right and tell how much was not."""
    return kernel.run(lambda ctx: kinds.put_right(ctx.execute))


def answers(client: Client, word: str, **query: Any) -> tuple[Any, list[int]]:
    """Return what is true of all hits, and the ids of all, page by page."""
    ids: list[int] = []
    page = 1
    while True:
        found = ask(client, CONTENT, word, size=3, page_nb=page, **query)
        ids += [content["content_id"] for content in found.pop("contents")]
        if page * 3 >= found["total_hits"]:
            return found, ids
        page += 1


def plain(client: Client, word: str, **query: Any) -> tuple[int, list[int]]:
    """Return the number and the ids of all hits of the plain search, newest first, page by page."""
    ids: list[int] = []
    page = 1
    while True:
        found = ask(client, PLAIN, word, size=3, page_nb=page, **query)
        ids += [content["content_id"] for content in found["contents"]]
        if page * 3 >= found["total_hits"]:
            return found["total_hits"], ids
        page += 1


STATES: tuple[dict[str, Any], ...] = (
    {}, {"show_deleted": 1}, {"show_archived": 1, "show_active": 0}, {"content_types": "thread"},
)  # fmt: skip
FILTERS: tuple[dict[str, Any], ...] = (
    {"workspace_names": "One"}, {"author__public_names": "bob"}, {"statuses": "open"}, {"tags": "red"},
    {"created_from": "2020-01-01T00:00:00Z"}, {"search_fields": "raw_content"}, {"search_fields": "label"},
)  # fmt: skip


def alike(kernel: Kernel, crowds: Many, *clients: Client) -> list[int]:
    """Compare the answers of both ways, and the kinds with the contents; returns the numbers of hits."""
    assert wrong(kernel) == 0
    totals: list[int] = []
    for client in clients:
        for query in (*STATES, *FILTERS):
            crowds(True)
            facts, ids = answers(client, "needle", **query)
            assert len(ids) == len(set(ids)) == facts["total_hits"]
            crowds(False)
            other, others = answers(client, "needle", **query)
            assert facts == other, query
            assert sorted(ids) == sorted(others), query
            totals.append(len(ids))
        for query in STATES:
            for word in ("needle", "eedl", "ee"):
                crowds(True)
                found = plain(client, word, **query)
                crowds(False)
                assert found == plain(client, word, **query), (word, query)
    crowds(True)
    return totals


@pytest.fixture
def filled(
    client: Client, as_actor: Any, make_space: Any, make_content: Any, write: Any
) -> Iterator[tuple[Client, list[int], list[int]]]:
    """Two spaces, one of them bob's, with a folder each; ids of spaces and folders."""
    bob = as_actor("bob")
    spaces = [make_space("One", members={bob.user_id: "content-manager"}), make_space("Two")]
    folders = []
    for space in spaces:
        folder = make_content(space, f"needle folder {space}", "folder")["content_id"]
        folders.append(folder)
        for n in range(4):
            write(space, f"needle {n}" if n % 2 else f"other {n}", "<p>a needle</p>")
            make_content(space, f"needle in {n}", parent_id=folder)
        make_content(space, "needle thread", "thread")
    note = make_content(spaces[0], "needle red")["content_id"]
    client.post(f"/api/workspaces/{spaces[0]}/contents/{note}/tags", {"tag_name": "red"})
    body = {"label": "needle of bob", "content_type": "html-document"}
    assert bob.post(f"/api/workspaces/{spaces[0]}/contents", body).status == 200
    yield bob, spaces, folders


# -- side by side --------------------------------------------------------------------------------------------


def test_all_that_happens_to_contents_shows_at_once(
    kernel: Kernel, client: Client, filled: Any, crowds: Many, met: list[int], as_actor: Any, settle: Any
) -> None:
    bob, (one, two), (folder, second) = filled
    before = alike(kernel, crowds, client, bob)
    assert before[0] > before[len(STATES) + len(FILTERS)] > 0
    assert max(met) >= before[0]
    at = f"/api/workspaces/{one}/contents"
    steps: list[Callable[[], Any]] = [
        lambda: client.put(f"{at}/{folder}/trashed"),
        lambda: client.put(f"{at}/{folder}/trashed/restore"),
        lambda: client.put(f"{at}/{folder}/archived"),
        lambda: client.put(f"{at}/{folder}/archived/restore"),
        lambda: client.put(f"{at}/{folder}/move", {"new_parent_id": None, "new_workspace_id": two}),
        lambda: client.put(
            f"/api/workspaces/{two}/contents/{second}/move", {"new_parent_id": None, "new_workspace_id": one}
        ),
        lambda: client.put(f"/api/workspaces/{one}/folders/{second}", {"label": "needle renamed"}),
        lambda: client.post(f"/api/workspaces/{two}/members", {"user_id": bob.user_id, "role": "reader"}),
        lambda: client.delete(f"/api/workspaces/{one}/members/{bob.user_id}"),
        lambda: client.put(f"/api/workspaces/{two}/trashed"),
        lambda: client.put(f"/api/workspaces/{two}/trashed/restore"),
    ]
    seen = [before]
    for number, step in enumerate(steps):
        answer = step()
        assert answer.status in (200, 204), (number, answer.body)
        settle()
        now = alike(kernel, crowds, client, bob)
        assert number == 6 or now != seen[-1], number  # a new name alone changes no number
        seen.append(now)
    run(kernel, "DELETE FROM spaces_space WHERE space_id = :space", space=two)
    alike(kernel, crowds, client, bob)
    run(kernel, "DELETE FROM accounts_user WHERE user_id = :user", user=bob.user_id)
    alike(kernel, crowds, client)


def test_a_move_of_very_many_is_followed(
    kernel: Kernel, client: Client, filled: Any, crowds: Many, make_space: Any
) -> None:
    bob, (one, _two), (folder, _second) = filled
    columns = (
        "space_id, parent_id, parent_key, namespace, type, label, file_extension, filename, slug, status,"
        " sub_content_types, is_template, author_id, last_modifier_id, current_revision_id, current_revision_type,"
        " version_number, created, modified"
    )
    run(
        kernel,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700)"
        f" INSERT INTO core_content_content ({columns}) SELECT {columns} FROM core_content_content, n"
        " WHERE content_id = (SELECT max(content_id) FROM core_content_content WHERE parent_id = :folder)",
        folder=folder,
    )
    upkeep.populate(kernel, lambda *_: None)
    assert ask(bob, CONTENT, "needle")["total_hits"] > 700
    third = make_space("Three")
    body = {"new_parent_id": None, "new_workspace_id": third}
    assert client.put(f"/api/workspaces/{one}/contents/{folder}/move", body).status == 200
    assert wrong(kernel) == 0
    assert ask(bob, CONTENT, "needle")["total_hits"] < 20
    assert ask(client, CONTENT, "needle", workspace_names="Three")["total_hits"] == 705


def test_pages_go_on_when_the_newest_are_no_hits(
    kernel: Kernel, client: Client, filled: Any, crowds: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = filled[0]
    for walk in (0, 3):
        monkeypatch.setattr(kinds, "WALK", walk)
        alike(kernel, crowds, client, bob)


def test_words_that_are_too_many_are_read_beside_the_first(
    kernel: Kernel, client: Client, filled: Any, crowds: Many, met: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    bob, (one, _two), _folders = filled
    for n in range(6):
        body = {"label": f"{'x' * n}needles", "content_type": "html-document"}
        assert client.post(f"/api/workspaces/{one}/contents", body).status == 200
    for name in ("FEW_WORDS", "WORDS_AT_ONCE"):
        monkeypatch.setattr(sqlite, name, 1)
        monkeypatch.setattr(sqlite, "FIRST_WORDS", 2)
        met.clear()
        alike(kernel, crowds, client, bob)
        assert met


def test_names_come_first_then_the_newest(
    client: Client, make_space: Any, write: Any, clock: Any, met: list[int]
) -> None:
    space = make_space()
    for label, content in (("a", "needle"), ("needle b", ""), ("c", "needle"), ("needle d", ""), ("e", "none")):
        write(space, label, content)
        clock.move(60)
    assert labels(client, "needle") == ["needle d", "needle b", "c", "a"]
    assert labels(client, "needle", size=2, page_nb=2) == ["c", "a"]
    assert labels(client, "needle", size=1, page_nb=2) == ["needle b"]
    assert met


def test_a_crowd_costs_the_same_whatever_it_finds(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, statements: Any, met: list[int]
) -> None:
    space = make_space()
    costs = []
    for count in (3, 50):
        for n in range(count):
            make_content(space, f"hit {count} {n}")
        for path in (CONTENT, PLAIN):
            tries = []
            for _ in range(3):  # something of the background may come in between
                with statements() as seen:
                    ask(client, path, "hit")
                tries.append(len(seen))
            costs.append(min(tries))
    assert costs[:2] == costs[2:]
    assert max(costs) <= 16


# -- kept in line --------------------------------------------------------------------------------------------


def test_the_nightly_check_puts_kinds_and_times_right(
    kernel: Kernel, client: Client, filled: Any, crowds: Many, caplog: pytest.LogCaptureFixture
) -> None:
    expected = answers(client, "needle")
    run(kernel, "UPDATE search_block SET kinds = substr('0' || kinds, 1, 2048)")
    run(kernel, "UPDATE search_time SET modified = 1, created = 1")
    assert answers(client, "needle") != expected
    with caplog.at_level(logging.WARNING, "atrio.search"):
        kernel.run(tasks.repair)
    assert "not as the contents are" in caplog.text
    assert answers(client, "needle") == expected
    for kinds_of_block in ("kinds || '0'", "'f' || substr(kinds, 2)"):
        run(kernel, f"UPDATE search_block SET kinds = {kinds_of_block}")
        assert answers(client, "needle")[0] == expected[0]  # what cannot be is not trusted
    run(kernel, "DELETE FROM search_block")
    run(kernel, "DELETE FROM search_time")
    run(kernel, "DELETE FROM search_kind")
    kernel.run(tasks.repair)
    assert answers(client, "needle") == expected
    caplog.clear()
    kernel.run(tasks.repair)
    assert not caplog.records


def test_without_a_trigger_nothing_is_trusted(
    kernel: Kernel, client: Client, filled: Any, crowds: Many, met: list[int]
) -> None:
    bob, (one, _two), (folder, _second) = filled
    for name in KIND_TRIGGERS:
        run(kernel, f"DROP TRIGGER {name}")
        met.clear()
        assert client.put(f"/api/workspaces/{one}/contents/{folder}/trashed").status == 204
        assert not [i for i in answers(bob, "needle")[1] if i == folder]
        assert not met
        assert not embedded(kernel).status(kernel).ready
        kernel.run(tasks.repair)
        assert client.put(f"/api/workspaces/{one}/contents/{folder}/trashed/restore").status == 204
        assert folder in answers(bob, "needle")[1]
        assert met
        assert embedded(kernel).status(kernel).ready
    alike(kernel, crowds, client, bob)


def test_a_database_from_before_gets_them(kernel: Kernel, client: Client, filled: Any, crowds: Many) -> None:
    bob = filled[0]
    expected = answers(client, "needle")
    lineage = next(one for one in lineages(kernel) if one.owner == "search")
    with migrate.migrating(kernel.db) as connection:
        migrate.downgrade(connection, lineage, "s002")
    there = "SELECT count(*) FROM sqlite_master WHERE name IN ('search_kind', 'search_block', 'search_time')"
    assert kernel.run(lambda ctx: ctx.execute(text(there)).scalar()) == 0
    with migrate.migrating(kernel.db) as connection:
        migrate.upgrade(connection, lineage)
    assert answers(client, "needle") == expected
    alike(kernel, crowds, client, bob)


def test_it_works_with_gaps_and_words_in_quotes(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, crowds: Many
) -> None:
    space = make_space()
    first = make_content(space, "needle first")["content_id"]
    run(kernel, "UPDATE sqlite_sequence SET seq = 5000 WHERE name = 'core_content_content'")
    last = make_content(space, "needle last")["content_id"]
    assert last > 5000
    run(kernel, "DELETE FROM search_block WHERE block BETWEEN 1 AND 18")
    assert answers(client, '"needle"')[1] == [last, first]
    alike(kernel, crowds, client)


def test_notes_of_the_suite_are_enough_for_a_crowd(
    client: Client, make_space: Any, write: Any, met: list[int]
) -> None:
    space = make_space()
    for label, content in NOTES.items():
        write(space, label, content)
    labels(client, "castle")
    assert met == [2]
