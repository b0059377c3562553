"""The index keeps in line: with the unit, by jobs, after a break, rebuilt beside the old one, repaired."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.engines import chosen
from atrio.kernel.testing.plugin import of_the_request
from atrio.plugins.search import consistency, queries, services, tasks, upkeep
from atrio.plugins.search.choice import embedded, engine_of

PATH = "/api/advanced_search/content"
NOTE = "<p>Some text of a note, with <strong>words</strong> in it.</p>" * 35


def found(client: Client, words: str) -> list[str]:
    answer = client.get(PATH, query={"search_string": words, "size": 1000})
    assert answer.status == 200, answer.body
    return sorted(content["label"] for content in answer.json["contents"])


def plainly(client: Client, words: str) -> list[str]:
    answer = client.get("/api/search/content", query={"search_string": words, "size": 1000})
    return sorted(content["label"] for content in answer.json["contents"])


def run(kernel: Kernel, sql: str, **values: Any) -> Any:
    return kernel.run(lambda ctx: ctx.execute(text(sql), values))


def silent(*_: Any) -> None:
    """Show no progress."""


# -- with the unit -------------------------------------------------------------------------------------------


def test_a_save_is_found_at_once_and_costs_two_statements(
    client: Client, make_space: Any, make_content: Any, statements: Callable[[], Any]
) -> None:
    space = make_space()
    note = make_content(space, "first")["content_id"]
    path = f"/api/workspaces/{space}/html-documents/{note}"
    with statements() as seen:
        assert client.put(path, {"raw_content": NOTE}).status == 200
    ours = [t for t in of_the_request(seen) if "search_" in t]
    assert len(ours) <= 2, ours
    assert found(client, "strong") == []
    assert found(client, "words") == plainly(client, "ords") == ["first"]
    with statements() as seen:
        client.post(f"/api/workspaces/{space}/contents", {"label": "second", "content_type": "html-document"})
    assert len([t for t in of_the_request(seen) if "search_" in t]) <= 2
    assert found(client, "second") == ["second"]


def test_what_says_nothing_new_writes_nothing(
    client: Client, make_space: Any, make_content: Any, statements: Callable[[], Any]
) -> None:
    space = make_space()
    note = make_content(space, "first")["content_id"]
    with statements() as seen:
        client.put(f"/api/workspaces/{space}/html-documents/{note}/status", {"status": "closed-validated"})
        client.put(f"/api/workspaces/{space}/contents/{note}/trashed")
    assert [t for t in of_the_request(seen) if "search_" in t] == []


def test_a_unit_that_fails_leaves_no_text(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any
) -> None:
    make_content(make_space(), "first")
    before = run(kernel, "SELECT count(*) FROM search_text").scalar()
    with pytest.raises(RuntimeError), kernel.unit() as ctx:
        services.project(ctx, [1])
        ctx.execute(text("UPDATE search_text SET label = 'changed'"))
        raise RuntimeError
    assert run(kernel, "SELECT count(*) FROM search_text").scalar() == before
    assert (found(client, "changed"), found(client, "first")) == ([], ["first"])


def test_boards_are_found_by_what_people_read(client: Client, make_space: Any, send_file: Any) -> None:
    space = make_space()
    board = '{"columns": [{"id": "zebra", "title": "Doing", "bgColor": "lavender", "cards": [{"title": "<p>Paint</p>"}]}]}'
    made = client.request(
        "POST", f"/api/workspaces/{space}/files", files={"files": ("plan.kanban", board.encode(), "text/plain")},
        fields={"content_type": "kanban"},
    )  # fmt: skip
    assert made.status == 200, made.body
    assert found(client, "plan") == ["plan"]


def test_long_texts_are_found_up_to_the_limit(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any
) -> None:
    space = make_space()
    note = make_content(space, "long")["content_id"]
    body = "start " + " ".join(f"w{n}" for n in range(40_000)) + " finish"
    assert client.put(f"/api/workspaces/{space}/html-documents/{note}", {"raw_content": body}).status == 200
    assert found(client, "start w999") == ["long"]
    assert found(client, "finish") == []


# -- by jobs -------------------------------------------------------------------------------------------------


@pytest.mark.atrio_config(search__settle_seconds=5)
def test_comments_wait_and_share_one_job(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, clock: Any
) -> None:
    space = make_space()
    note = make_content(space, "note")["content_id"]
    for n in range(5):
        client.post(f"/api/workspaces/{space}/contents/{note}/comments", {"raw_content": f"<p>needle{n}</p>"})
    jobs = "SELECT count(*) FROM kernel_outbox WHERE job = 'search.catch_up' AND state = 'pending'"
    assert run(kernel, jobs).scalar() == 1
    assert found(client, "needle4") == []
    clock.move(6)
    kernel.jobs.sweep()
    assert found(client, "needle0 needle4") == ["note"]
    assert run(kernel, "SELECT count(*) FROM search_stale").scalar() == 0


@pytest.mark.atrio_config(search__settle_seconds=0)
def test_copied_folders_are_found_with_all_below(
    client: Client, make_space: Any, make_content: Any, kernel: Kernel
) -> None:
    space = make_space()
    folder = make_content(space, "folder", "folder")["content_id"]
    below = make_content(space, "inside", parent_id=folder)["content_id"]
    client.put(f"/api/workspaces/{space}/html-documents/{below}", {"raw_content": "deep"})

    def copy(ctx: Any) -> None:
        from atrio.plugins.core_content.api import copy_content, get_content
        from atrio.plugins.spaces.api import find_space

        copy_content(ctx, get_content(ctx, space, folder), find_space(ctx, space), None, "copy", "")

    kernel.run(copy)
    assert found(client, "deep") == ["inside", "inside"]
    assert found(client, "copy") == ["copy"]


def test_what_was_marked_again_meanwhile_stays(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any
) -> None:
    note = make_content(make_space(), "note")["content_id"]
    kernel.run(lambda ctx: services.mark(ctx, "content", [note]))
    seen = kernel.run(lambda ctx: queries.waiting(ctx, 10))
    kernel.run(lambda ctx: services.mark(ctx, "content", [note]))
    again = kernel.run(lambda ctx: queries.waiting(ctx, 10))
    assert [r.item_id for r in seen] == [r.item_id for r in again] == [note]
    assert again[0].number != seen[0].number
    kernel.run(services.catch_up)
    assert kernel.run(lambda ctx: queries.waiting(ctx, 10)) == []


class Outside:
    """An engine with an index elsewhere, which may be away."""

    name = "outside"

    def __init__(self) -> None:
        self.away = False
        self.seen: list[tuple[str, tuple[int, ...]]] = []

    def put(self, ctx: Any, kind: str, ids: Any) -> None:
        if self.away:
            raise ConnectionError("away")
        self.seen.append((kind, tuple(ids)))


@pytest.mark.atrio_config(search__engine="outside", search__settle_seconds=0)
def test_an_engine_that_was_away_catches_up(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any
) -> None:
    engine = Outside()
    kernel._memo["search.engine"] = engine
    engine.away = True
    space = make_space()
    note = make_content(space, "note")["content_id"]
    assert engine.seen == []
    assert kernel.run(lambda ctx: queries.number_waiting(ctx)) >= 2
    engine.away = False
    kernel.run(services.catch_up)
    assert ("content", (note,)) in engine.seen
    assert ("space", (space,)) in engine.seen
    assert kernel.run(lambda ctx: queries.number_waiting(ctx)) == 0
    client.put(f"/api/workspaces/{space}/contents/{note}/trashed")
    assert engine.seen.count(("content", (note,))) == 2
    assert plainly(client, "note") == []


# -- from nothing, and again ---------------------------------------------------------------------------------


def test_what_was_there_before_is_indexed_by_jobs(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any
) -> None:
    space = make_space("Library")
    for n in range(3):
        make_content(space, f"note {n}")
    kernel.run(services.forget_texts)
    assert found(client, "note") == []
    assert kernel.run(services.note_populated) is True
    kernel.run(lambda ctx: ctx.defer("search.populate"))
    assert found(client, "note") == ["note 0", "note 1", "note 2"]
    assert client.get("/api/advanced_search/workspace", query={"search_string": "library"}).json["total_hits"] == 1
    assert kernel.run(services.note_populated) is False


def test_differences_are_found_and_repaired(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any
) -> None:
    space = make_space()
    ids = [make_content(space, f"note {n}")["content_id"] for n in range(4)]
    assert upkeep.check(kernel, silent, repair=False) == {"content": [], "user": [], "space": []}
    run(kernel, "DELETE FROM search_text WHERE content_id = :i", i=ids[0])
    run(kernel, "UPDATE search_text SET body = 'wrong' WHERE content_id = :i", i=ids[1])
    run(kernel, "UPDATE search_place SET label = ' wrong ' WHERE space_id = :i", i=space)
    assert kernel.run(lambda ctx: consistency.stale_ids(ctx, 0, 10)) == [ids[0]]
    assert found(client, "wrong") == ["note 1"]
    differing = {"content": ids[:2], "user": [], "space": [space]}
    assert upkeep.check(kernel, silent, repair=False) == differing
    assert upkeep.check(kernel, silent, repair=True) == differing
    assert upkeep.check(kernel, silent, repair=True) == {"content": [], "user": [], "space": []}
    assert (found(client, "wrong"), len(found(client, "note"))) == ([], 4)


def test_the_nightly_check_repairs_what_is_missing_or_old(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any
) -> None:
    space = make_space()
    ids = [make_content(space, f"note {n}")["content_id"] for n in range(3)]
    old = run(kernel, "SELECT revision_id FROM search_text WHERE content_id = :i", i=ids[1]).scalar()
    client.put(f"/api/workspaces/{space}/html-documents/{ids[1]}", {"raw_content": "fresh"})
    run(kernel, "UPDATE search_text SET revision_id = :r, body = '' WHERE content_id = :i", r=old, i=ids[1])
    run(kernel, "DELETE FROM search_text WHERE content_id = :i", i=ids[2])
    assert found(client, "fresh") == []
    kernel.run(lambda ctx: ctx.defer("search.check"))
    assert (found(client, "fresh"), len(found(client, "note"))) == (["note 1"], 3)


def test_a_rebuild_answers_meanwhile_and_misses_nothing(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = make_space()
    ids = [make_content(space, f"note n{n}")["content_id"] for n in range(6)]
    monkeypatch.setattr("atrio.plugins.search.engines.indexes.sqlite.BATCH", 2)
    steps: list[int] = []

    def meanwhile(what: str, done: int, total: int) -> None:
        steps.append(done)
        assert len(found(client, "note")) >= 5
        if len(steps) == 1:
            path = f"/api/workspaces/{space}/html-documents"
            client.put(f"{path}/{ids[0]}", {"raw_content": "early"})
            client.put(f"{path}/{ids[5]}", {"raw_content": "late"})
            client.put(f"/api/workspaces/{space}/contents/{ids[1]}/trashed")
            client.delete(f"/api/workspaces/{space}/contents/{ids[1]}/permanently")
            make_content(space, "note added")

    embedded(kernel).rebuild(kernel, meanwhile)
    assert steps
    assert found(client, "early") == ["note n0"]
    assert found(client, "late") == ["note n5"]
    assert found(client, "note") == ["note added", "note n0", "note n2", "note n3", "note n4", "note n5"]
    make_content(space, "note after")
    assert found(client, "after") == ["note after"]
    assert embedded(kernel).status(kernel).ready
    if kernel.db.sqlite:
        for index in ("search_words", "search_parts"):
            run(kernel, f"INSERT INTO {index}({index}, rank) VALUES ('integrity-check', 1)")
        assert plainly(client, "arl") == ["note n0"]
        assert plainly(client, "ded") == ["note added"]


def test_dropped_and_created_again(kernel: Kernel, client: Client, make_space: Any, make_content: Any) -> None:
    space = make_space()
    make_content(space, "note")
    engine = engine_of(kernel)
    engine.drop(kernel)
    kernel.run(services.forget_texts)
    assert not engine.status(kernel).ready
    engine.create(kernel)
    engine.create(kernel)
    assert engine.status(kernel).ready
    assert found(client, "note") == []
    assert upkeep.populate(kernel, silent)["content"] == 1
    assert found(client, "note") == plainly(client, "ote") == ["note"]


# -- which engine --------------------------------------------------------------------------------------------


@pytest.mark.atrio_config(search__engine="simple")
def test_simple_means_no_advanced_search(client: Client, make_space: Any, make_content: Any) -> None:
    make_content(make_space(), "note")
    for path in ("content", "user", "workspace"):
        answer = client.get(f"/api/advanced_search/{path}", query={"search_string": "note"})
        assert (answer.status, answer.code) == (400, 7001)
    assert plainly(client, "note") == ["note"]
    assert client.get("/api/system/config").json["search_engine"] == "simple"


def test_clients_are_told(client: Client) -> None:
    assert client.get("/api/system/config").json["search_engine"] == "elasticsearch"


@pytest.mark.atrio_config(search__operator="or")
def test_any_word_by_option(client: Client, make_space: Any, make_content: Any) -> None:
    space = make_space()
    for label in ("apple", "pear", "plum"):
        make_content(space, label)
    assert found(client, "apple pear") == ["apple", "pear"]
    assert found(client, "apple +pear") == []
    assert found(client, "apple pear -pear") == ["apple"]


@pytest.mark.atrio_config(plugins__disabled=["tags"])
def test_it_works_without_tags(client: Client, make_space: Any, make_content: Any) -> None:
    make_content(make_space(), "note")
    answer = client.get(PATH, query={"search_string": "note"}).json
    assert (answer["total_hits"], answer["facets"]["tags"]) == (1, [])
    assert client.get(PATH, query={"search_string": "note", "tags": "x"}).json["total_hits"] == 0


# -- parts of words ------------------------------------------------------------------------------------------


def test_parts_of_words(client: Client, make_space: Any, make_content: Any) -> None:
    space = make_space()
    for label in ("lighthouse", "report.pdf final", "naïve", "x" * 80, "50% more"):
        make_content(space, label)
    assert plainly(client, "ghtho") == ["lighthouse"]
    assert plainly(client, "port.pd") == ["report.pdf final"]
    assert plainly(client, "port.fi") == []
    assert plainly(client, "NAIV") == ["naïve"]
    assert plainly(client, "ght port.pdf") == ["lighthouse", "report.pdf final"]
    assert plainly(client, "0% mor") == sorted(["50% more"])
    assert plainly(client, "li") == ["lighthouse"]


# -- cost ----------------------------------------------------------------------------------------------------


def test_a_search_costs_the_same_whatever_it_finds(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, statements: Callable[[], Any]
) -> None:
    space = make_space()
    folder = make_content(space, "folder", "folder")["content_id"]
    make_content(space, "hit", parent_id=folder)
    columns = (
        "space_id, parent_id, parent_key, namespace, type, label, file_extension, filename, slug, status,"
        " sub_content_types, is_template, author_id, last_modifier_id, current_revision_id, current_revision_type,"
        " version_number, created, modified"
    )
    costs, done = [], 1
    for count in (10, 1000):
        with kernel.unit() as ctx:
            for _ in range(done, count):
                ctx.execute(
                    text(
                        f"INSERT INTO core_content_content ({columns}) SELECT {columns} FROM core_content_content"
                        " WHERE content_id = (SELECT MIN(content_id) FROM core_content_content WHERE label = 'hit')"
                    )
                )
        done = count
        upkeep.populate(kernel, silent)
        client.get(PATH, query={"search_string": "hit", "size": 1000})
        tries = []
        for _ in range(3):  # something of the background may come in between
            with statements() as seen:
                answer = client.get(PATH, query={"search_string": "hit", "size": 1000, "highlight": 1}).json
            tries.append(len(seen))
        assert len(answer["contents"]) == answer["total_hits"] == count
        costs.append(min(tries))
    assert costs[0] == costs[1] <= 9


def test_people_and_spaces_cost_the_same_whatever_is_found(
    kernel: Kernel, client: Client, as_actor: Any, make_space: Any, statements: Callable[[], Any]
) -> None:
    costs: list[tuple[int, int]] = []
    made = 0
    for count in (2, 8):
        for _ in range(made, count):
            bob = as_actor(f"person{made}")
            make_space(f"place {made}", members={bob.user_id: "reader"})
            made += 1
        found_in = []
        for path, word in (("user", "person"), ("workspace", "place")):
            client.get(f"/api/advanced_search/{path}", query={"search_string": word})
            with statements() as seen:
                answer = client.get(f"/api/advanced_search/{path}", query={"search_string": word}).json
            assert answer["total_hits"] == count
            found_in.append(len(seen))
        costs.append((found_in[0], found_in[1]))
    assert costs[0] == costs[1]


def test_an_anonymized_account_is_not_found_by_its_old_name(kernel: Kernel, client: Client, as_actor: Any) -> None:
    from atrio.plugins.accounts.services import anonymize_user

    bob = as_actor("bob")
    client.put(f"/api/users/{bob.user_id}", {"public_name": "Robert Quixote", "timezone": "", "lang": "en"})

    def found() -> int:
        return int(client.get("/api/advanced_search/user", query={"search_string": "quixote"}).json["total_hits"])

    assert found() == 1
    kernel.run(lambda ctx: anonymize_user(ctx, bob.user_id))
    assert found() == 0
    with kernel.unit(writes=False) as ctx:
        words = ctx.execute(text("SELECT * FROM search_person WHERE user_id = :u"), {"u": bob.user_id}).all()
    assert "quixote" not in str(words)


# -- statistics ----------------------------------------------------------------------------------------------


def plan_of_deletion(kernel: Kernel) -> str:
    """Return how SQLite finds the blocks that FTS5 deletes when it joins parts of its index."""
    asked = "EXPLAIN QUERY PLAN DELETE FROM search_words_data WHERE id >= 1 AND id <= 2"
    return kernel.run(lambda ctx: str(ctx.execute(text(asked)).all()[0][3]))


@pytest.mark.skipif(bool(chosen()), reason="statistics of SQLite")
def test_statistics_of_an_empty_index_do_not_stay(kernel: Kernel, client: Client, make_space: Any) -> None:
    """An ANALYZE by an operator, before there was anything, makes SQLite read all blocks to delete a few."""
    kernel.run(lambda ctx: ctx.execute(text("ANALYZE")))
    assert plan_of_deletion(kernel).startswith("SCAN")
    kernel.run(tasks.repair)
    assert plan_of_deletion(kernel).startswith("SEARCH")
    kernel.run(lambda ctx: ctx.execute(text("ANALYZE")))
    upkeep.populate(kernel, silent)
    assert plan_of_deletion(kernel).startswith("SEARCH")
    kept = kernel.run(lambda ctx: ctx.execute(text("SELECT count(*) FROM sqlite_stat1")).scalar())
    assert kept  # those of all other tables
