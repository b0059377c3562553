"""What is the engine's own: outages, what is late, rebuilds, races, versions of servers."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from functools import partial

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from atrio.plugins.core_content.api import get_content
from atrio.plugins.core_content.services.trash import purge
from atrio.plugins.search import services as search_services
from atrio.plugins.search.choice import engine_of
from atrio.plugins.search_elastic import documents, layout, queries, services
from atrio.plugins.search_elastic import index as index_module
from atrio.plugins.search_elastic.adapters.server import Server, ServerAway, ServerRefused
from atrio.plugins.search_elastic.config import ElasticConfig
from atrio.plugins.search_elastic.index import Index
from tests.plugins.search.suite import CONTENT, ask, labels
from tests.plugins.search_elastic.shim import Shim

pytestmark = pytest.mark.services


@pytest.fixture
def shim(wire):
    made = Shim(wire.url)
    yield made
    made.close()


@pytest.fixture
def quick(monkeypatch):
    """Wait for nobody."""
    monkeypatch.setattr(index_module, "PAUSES", (0.0,) * 5)


def point_at(kernel, shim, **changes):
    """Let an instance that runs ask another server."""
    index = services.index_of(kernel)
    settings = replace(index.settings, product=shim.product, host=(shim.url,), search_timeout=2, **changes)
    index.server.close()
    index.server, index.settings = Server(settings), settings
    return index


def number_waiting(kernel):
    return kernel.run(queries.number_waiting, writes=False)


def stored(kernel):
    index = services.index_of(kernel)
    index.refresh()
    return {int(h["_id"]) for h in index.search({"query": {"match_all": {}}, "size": 1000})["hits"]["hits"]}


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


# -- order of writes -----------------------------------------------------------------------------------------


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


# -- servers -------------------------------------------------------------------------------------------------


def test_the_official_client(kernel, client, make_space, write, settle, shim):
    point_at(kernel, shim, user="ada", password="secret")
    write(make_space(), "needle")
    settle()
    assert labels(client, "needle") == ["needle"]
    sent = {headers["authorization"] for _, _, headers in shim.seen}
    assert sent == {"Basic YWRhOnNlY3JldA=="}
    assert [s for s in shim.seen if "compatible-with=9" not in s[2]["accept"]] == []


@pytest.mark.parametrize(
    ("spoken", "product", "number", "fault"),
    [
        ("elasticsearch", "elasticsearch", "9.2.0", None),
        ("elasticsearch", "elasticsearch", "8.19.1", "too old, 9.0"),
        ("elasticsearch", "opensearch", "3.1.0", "search_elastic.product"),
        ("opensearch", "opensearch", "2.19.0", None),
        ("opensearch", "opensearch", "1.3.2", "too old, 2.0"),
        ("opensearch", "plain", "8.19.1", None),
        ("opensearch", "plain", "7.9.0", "too old, 7.10"),
        ("opensearch", "plain", "nonsense", "too old"),
    ],
)
def test_versions(shim, spoken, product, number, fault):
    shim.product, shim.number = product, number
    server = Server(ElasticConfig(product=spoken, host=(shim.url,), api_key="k"))
    if fault is None:
        assert number in server.verify()
    else:
        with pytest.raises(ServerRefused, match=fault):
            server.verify()
    assert shim.seen[0][2]["authorization"] == "ApiKey k"
    server.close()


def test_no_server_at_all():
    server = Server(ElasticConfig(product="opensearch", host=("127.0.0.1",), port=("9",), search_timeout=1))
    with pytest.raises(ServerAway):
        server.verify()
    assert "password" not in repr(server)


@pytest.mark.atrio_config(search_elastic__languages=["fr", "en"])
def test_other_forms_of_a_word(kernel, client, make_space, write, settle):
    space = make_space()
    write(space, "un", "<p>les chevaux</p>")
    write(space, "one", "<p>running horses</p>")
    settle()
    assert labels(client, "cheval ") == ["un"]
    assert labels(client, "horse runs") == ["one"]
    assert labels(client, '"horse running"') == []
    assert labels(client, "chevaux -cheval") == []
    assert labels(client, 'chevaux -"cheval"') == ["un"]
    assert labels(client, '"cheval"') == labels(client, "cheval*") == []
    assert labels(client, '"chevaux"') == ["un"]


@pytest.mark.atrio_config(search__languages=["french", "english", "russian"])
def test_languages_of_the_search_count_where_no_others_are_named(kernel, client, make_space, write, settle):
    assert services.index_of(kernel).settings.languages == ("en", "fr")
    write(make_space("Chevaux blancs"), "un", "<p>les chevaux</p>")
    settle()
    assert labels(client, "cheval ") == ["un"]
    with kernel.unit(writes=False) as ctx:
        assert ctx.config[ElasticConfig].languages == ()


def test_a_layout_of_other_settings_is_told(kernel, settle):
    settle()
    index = services.index_of(kernel)
    assert index.facts()["layout"] == "as set"
    index.settings = replace(index.settings, languages=("fr",))
    assert "rebuild" in index.facts()["layout"]
    services.rebuild(kernel, lambda *_: None)
    assert index.facts()["layout"] == "as set"


def test_two_installations_on_one_server(kernel, wire, settle, client, make_space, write):
    write(make_space(), "needle")
    settle()
    other = Index(
        Server(ElasticConfig(product="opensearch", host=(wire.url.rstrip("/"),))),
        ElasticConfig(index_prefix="other"),
    )
    other.ensure()
    assert other.drop() == 1
    assert labels(client, "needle") == ["needle"]
    assert layout.alias_of(other.settings) == "other-content"


def test_the_command_line(kernel, settings_of, client, make_space, write, settle, tmp_path):
    from atrio.plugins.search.cli import search

    write(make_space(), "needle")
    settle()

    class Settings:
        def boot(self):
            return kernel

    def run(*words):
        kernel_close, kernel.db.close = kernel.db.close, lambda: None
        try:
            return CliRunner().invoke(search, ["index", *words], obj=Settings())
        finally:
            kernel.db.close = kernel_close

    status = json.loads(run("status", "--json").stdout)
    assert (status["engine"], status["ready"], status["waiting"]) == ("elasticsearch", True, 0)
    assert run("check").exit_code == 0
    assert run("rebuild").exit_code == 0
    assert labels(client, "needle") == ["needle"]
    assert run("drop", "--yes").exit_code == 0
    assert run("status").exit_code == 1
    assert client.get(CONTENT, query={"search_string": "needle"}).code == 20120
    assert run("create").exit_code == 0
    assert run("populate").exit_code == 0
    settle()
    assert labels(client, "needle") == ["needle"]
