"""The index against the database: order of writes, rebuilds, differences, how much is asked for."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest
from sqlalchemy import text

from atrio.plugins.search.choice import engine_of
from atrio.plugins.search_elastic import documents, queries, services
from atrio.plugins.search_elastic.adapters.server import ServerRefused
from tests.plugins.search.suite import CONTENT, ask, labels
from tests.plugins.search_elastic.instance import number_waiting, stored

pytestmark = pytest.mark.services


def test_an_older_state_never_overwrites_a_newer_one(kernel, settle):
    settle()
    index = services.index_of(kernel)
    index.write([(7, {"content_id": 7, "status": "new"})], 20)
    index.write([(7, {"content_id": 7, "status": "old"})], 10)
    assert index.stored([7])[7]["status"] == "new"
    index.write([(7, None)], 30)
    index.write([(7, {"content_id": 7, "status": "old"})], 25)
    assert index.stored([7]) == {}


def test_what_changes_while_it_is_sent_stays_noted(kernel, make_space, write, settle):
    space = make_space()
    settle()
    number = write(space, "one")
    index = services.index_of(kernel)
    real = index.write

    def meanwhile(items, version, *, aliases=None):
        with kernel.unit() as ctx:
            statement = "UPDATE search_elastic_waiting SET number = 5 WHERE content_id = :id"
            ctx.execute(text(statement), {"id": number})
        index.write = real
        return real(items, version, aliases=aliases)

    kernel.run(lambda ctx: services.mark(ctx, [number]))  # jobs run at once: nothing is left of it
    with kernel.unit() as ctx:
        ctx.execute(text("INSERT INTO search_elastic_waiting(content_id, number) VALUES (:id, 1)"), {"id": number})
    index.write = meanwhile
    rounds = services._send_round(kernel)
    assert (rounds, number_waiting(kernel)) == (1, 1)
    assert services.send_waiting(kernel) == 1


def test_many_at_once_make_one_index(kernel, make_space, write):
    write(make_space(), "needle")
    index = services.index_of(kernel)
    index.drop()
    kernel.run(services.mark_all)
    begun = threading.Barrier(6)

    def go():
        begun.wait()
        services.prepare(kernel)
        services.send_waiting(kernel)
        kernel.db.close_thread()

    threads = [threading.Thread(target=go) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    services.send_waiting(kernel)
    assert len(index.behind(index.alias)) == 1
    assert len(stored(kernel)) == 1


def test_two_indexes_behind_the_name_are_put_right(kernel, client, make_space, write, settle):
    write(make_space(), "needle")
    settle()
    index = services.index_of(kernel)
    name = index._make()
    index._aliases([{"add": {"index": name, "alias": index.alias}}])
    with pytest.raises(ServerRefused, match="write index"):
        index.write([(7, {"content_id": 7})], 1)
    assert index.facts()["ready"] is False
    settle()
    assert index.behind(index.alias) == [name]
    assert labels(client, "needle") == ["needle"]


# -- rebuild, compare ----------------------------------------------------------------------------------------


def test_rebuild_beside_the_old_index(kernel, client, make_space, write, settle):
    space = make_space()
    for n in range(3):
        write(space, f"needle {n}")
    settle()
    index = services.index_of(kernel)
    old = index.behind(index.alias)
    seen = []

    def progress(what, done, total):
        if not seen:
            assert len(labels(client, "needle")) == 3  # the old one answers
            write(space, "needle meanwhile")
            settle()
            assert len(labels(client, "needle")) == 4
        seen.append((done, total))

    services.rebuild(kernel, progress)
    new = index.behind(index.alias)
    assert len(new) == 1
    assert new != old
    assert index.behind(index.next_alias) == []
    assert len(labels(client, "needle")) == 4
    assert index.server.call("GET", f"/{old[0]}", missing=True) is None
    assert index.facts()["being filled"] == "none"


def test_a_rebuild_tells_of_what_waits(kernel, make_space, write, settle):
    space = make_space()
    ids = [write(space, f"n{n}") for n in range(3)]
    settle()
    with kernel.unit() as ctx:
        statement = text("INSERT INTO search_elastic_waiting(content_id, number) VALUES (:id, 1)")
        ctx.execute(statement, [{"id": i} for i in (*ids, 9999)])

    def progress(what, done, total):
        with kernel.unit() as ctx:
            changed = "UPDATE search_elastic_waiting SET number = 2 WHERE content_id = :id"
            ctx.execute(text(changed), {"id": ids[1]})

    services.rebuild(kernel, progress)
    assert [row.content_id for row in kernel.run(partial(queries.waiting, limit=9), writes=False)] == [ids[1]]


def test_a_rebuild_that_broke_off_leaves_nothing(kernel, client, make_space, write, settle):
    write(make_space(), "needle")
    settle()
    index = services.index_of(kernel)

    def break_off(*_):
        raise RuntimeError("out of power")

    with pytest.raises(RuntimeError):
        services.rebuild(kernel, break_off)
    assert labels(client, "needle") == ["needle"]
    left = index.behind(index.next_alias)
    assert len(left) == 1
    services.rebuild(kernel, lambda *_: None)
    assert index.behind(index.next_alias) == []
    assert index.server.call("GET", f"/{left[0]}", missing=True) is None


def test_differences_are_found(kernel, make_space, write, settle):
    space = make_space()
    ids = [write(space, f"n{n}") for n in range(4)]
    settle()

    def differing(asked):
        with kernel.unit(writes=False) as ctx:
            return list(engine_of(kernel).differences(ctx, "content", asked))

    assert differing(ids) == differing([]) == []
    index = services.index_of(kernel)
    now = time.time_ns() // 1000
    index.write(
        [(ids[0], None), (ids[2], {"content_id": ids[2], "status": "x"}), (9999, {"content_id": 9999})], now
    )
    index.refresh()
    assert differing(ids) == [ids[0], ids[2]]
    assert differing([]) == [9999]
    kernel.run(lambda ctx: engine_of(kernel).put(ctx, "content", [ids[0], ids[2], 9999]))
    services.send_waiting(kernel)
    assert differing(ids) == differing([]) == []


def test_the_same_statements_for_many_hits_as_for_few(kernel, client, make_space, write, settle, statements):
    space = make_space()
    counts = []
    for size in (2, 30):
        for n in range(size):
            write(space, f"needle {size} {n}")
        settle()
        with statements() as seen:
            ask(client, CONTENT, "needle", size=50)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_documents_are_read_in_the_same_statements(kernel, make_space, write, settle, statements):
    space = make_space()
    ids = [write(space, f"n{n}") for n in range(10)]
    counts = []
    for part in (ids[:1], ids):
        with statements() as seen:
            kernel.run(partial(documents.documents, content_ids=part), writes=False)
        counts.append(len(seen))
    assert counts[0] == counts[1]
