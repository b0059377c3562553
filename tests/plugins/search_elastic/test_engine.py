"""What is the engine's own: outages, what is late, rebuilds, races, versions of servers."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text

from atrio.plugins.core_content.api import get_content
from atrio.plugins.core_content.services.trash import purge
from atrio.plugins.search import services as search_services
from atrio.plugins.search.choice import engine_of
from atrio.plugins.search_elastic import index as index_module
from atrio.plugins.search_elastic import services
from atrio.plugins.search_elastic.adapters.server import ServerAway
from tests.plugins.search.suite import CONTENT, ask, labels
from tests.plugins.search_elastic.instance import number_waiting, point_at, stored

pytestmark = pytest.mark.services


def test_the_engine_is_the_one_that_was_chosen(kernel, client):
    assert engine_of(kernel).name == "elasticsearch"
    assert client.get("/api/system/config").json["search_engine"] == "elasticsearch"


def test_the_index_is_made_and_filled_at_start(kernel, client, make_space, write):
    space = make_space()
    write(space, "needle")
    services.index_of(kernel).drop()
    assert client.get(CONTENT, query={"search_string": "needle"}).code == 20120
    kernel.start()
    kernel.jobs.sweep()
    while number_waiting(kernel):
        services.send_waiting(kernel)
    assert labels(client, "needle") == ["needle"]


# -- late ----------------------------------------------------------------------------------------------------


def test_what_may_not_be_found_any_more_is_not_found_at_once(
    kernel, client, as_actor, make_space, write, settle, shim
):  # fmt: skip
    bob = as_actor("bob")
    shared = make_space("Shared", members={bob.user_id: "reader"})
    secret = make_space("Secret")
    moved, trashed, purged = (write(shared, f"needle {name}") for name in ("moved", "trashed", "purged"))
    settle()
    assert set(labels(bob, "needle")) == {"needle moved", "needle trashed", "needle purged"}
    index = services.index_of(kernel)
    before = stored(kernel)
    index.ensure = lambda: (_ for _ in ()).throw(ServerAway("for this test"))  # nothing is told from here on
    client.put(
        f"/api/workspaces/{shared}/contents/{moved}/move",
        {"new_parent_id": None, "new_workspace_id": secret},
    )
    client.put(f"/api/workspaces/{shared}/contents/{trashed}/trashed")
    with kernel.unit() as ctx:
        purge(ctx, get_content(ctx, shared, purged))
    while kernel.run(search_services.catch_up):
        pass
    assert stored(kernel) == before
    found = ask(bob, CONTENT, "needle")
    assert (found["contents"], found["total_hits"], found["facets"]["statuses"]) == ([], 0, [])
    del index.ensure
    settle()
    assert labels(client, "needle") == ["needle moved"]
    assert stored(kernel) == before - {purged}


def test_a_role_counts_at_once(client, as_actor, make_space, write, settle):
    bob = as_actor("bob")
    space = make_space(members={bob.user_id: "reader"})
    write(space, "needle")
    settle()
    assert labels(bob, "needle") == ["needle"]
    client.delete(f"/api/workspaces/{space}/members/{bob.user_id}")
    assert labels(bob, "needle") == []
    client.post(f"/api/workspaces/{space}/members", {"user_id": bob.user_id, "role": "reader"})
    assert labels(bob, "needle") == ["needle"]


def test_an_index_of_somebody_else_gives_nothing_away(kernel, client, make_space, write, settle):
    write(make_space(), "needle")
    settle()
    index = services.index_of(kernel)
    document = next(iter(index.stored(list(stored(kernel))).values()))
    index.write([(999, {**document, "content_id": 999})], time.time_ns() // 1000)
    index.refresh()
    found = ask(client, CONTENT, "needle")
    assert [c["label"] for c in found["contents"]] == ["needle"]
    assert (found["total_hits"], found["is_total_hits_accurate"]) == (1, False)


# -- away ----------------------------------------------------------------------------------------------------


def test_a_server_that_is_away_and_comes_back(kernel, client, make_space, write, settle, shim, caplog):
    space = make_space()
    write(space, "needle one")
    settle()
    point_at(kernel, shim)
    assert labels(client, "needle") == ["needle one"]
    shim.away = True
    write(space, "needle two")
    settle()
    assert number_waiting(kernel) > 0
    answer = client.get(CONTENT, query={"search_string": "needle"})
    assert (answer.status, answer.code) == (503, 20120)
    assert str(shim.port) not in str(answer.json)
    assert ask(client, "/api/advanced_search/workspace", "alpha")["total_hits"] == 1
    assert client.get("/api/search/content", query={"search_string": "needle"}).json["total_hits"] == 2
    assert engine_of(kernel).status(kernel).ready is False
    shim.away = False
    settle()
    assert number_waiting(kernel) == 0
    assert set(labels(client, "needle")) == {"needle one", "needle two"}


def test_nothing_holds_the_database_while_a_server_takes_its_time(kernel, client, make_space, write, settle):
    space = make_space()
    write(space, "needle")
    settle()
    index = services.index_of(kernel)
    real, others = index.search, []

    def slow(request):
        others.append(kernel.run(lambda ctx: ctx.execute(text("UPDATE accounts_user SET is_active = 1")).rowcount))
        return real(request)

    index.search = slow
    assert labels(client, "needle") == ["needle"]
    assert others
    assert others[0] >= 1


def test_a_busy_server_is_given_time(kernel, make_space, write, settle, shim, quick):
    space = make_space()
    index = point_at(kernel, shim)
    index.ensure()
    busy = {"index": {"_id": "x", "status": 429, "error": {"type": "rejected_execution_exception"}}}
    document = {"content_id": 7, "space_id": space}
    shim.answers = [("/_bulk", 200, {"errors": True, "items": [busy, busy]})] * 2
    index.write([(7, document), (8, document)], 1)
    assert stored(kernel) == {7, 8}
    shim.answers = [("/_bulk", 200, {"errors": True, "items": [busy]})] * 20
    with pytest.raises(ServerAway, match="not taken"):
        index.write([(9, document)], 1)
    shim.answers = [("/_bulk", 429, {"error": "busy"})]
    with pytest.raises(ServerAway, match="429"):
        index.write([(9, document)], 1)
    shim.answers = []
    index.write([(9, document)], 1)
    assert stored(kernel) == {7, 8, 9}


def test_a_document_that_is_refused_does_not_stop_the_others(
    kernel, client, make_space, write, settle, shim, caplog
):
    space = make_space()
    settle()
    point_at(kernel, shim)
    bad = {"index": {"_id": "1", "status": 400, "error": {"type": "document_parsing_exception"}}}
    shim.answers = [("/_bulk", 200, {"errors": True, "items": [bad]})]
    number = write(space, "needle")
    settle()
    assert number_waiting(kernel) == 0
    assert "refuses content" in caplog.text
    with kernel.unit(writes=False) as ctx:
        differing = list(engine_of(kernel).differences(ctx, "content", [number]))
    assert differing in ([number], [])  # written again since by the next change of it


def test_requests_are_cut_at_their_size():
    items = [(n, {"body": "x" * 1000}) for n in range(100)] + [(n, None) for n in range(100, 110)]
    portions = list(index_module._portions(items, ["a", "b"], 1, 20_000))
    assert sum(len(lines) for lines in portions) == 220
    assert all(sum(len(a) + len(d or b"") for a, d in lines) < 24_000 for lines in portions)
    assert len(portions) > 9
