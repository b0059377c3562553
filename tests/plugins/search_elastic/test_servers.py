"""Servers: products and versions, languages, several installations, the command line."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from atrio.plugins.search_elastic import layout, services
from atrio.plugins.search_elastic.adapters.server import Server, ServerAway, ServerRefused
from atrio.plugins.search_elastic.config import ElasticConfig
from atrio.plugins.search_elastic.index import Index
from tests.plugins.search.suite import CONTENT, labels
from tests.plugins.search_elastic.instance import point_at

pytestmark = pytest.mark.services


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
