"""A server that speaks the wire of OpenSearch, in memory, one for all tests; no real one is to be had here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.plugins.search_elastic import index as index_module
from tests.plugins.search.suite import write  # noqa: F401 - a fixture
from tests.plugins.search_elastic.shim import Shim


@pytest.fixture(scope="session")
def wire() -> Iterator[Any]:
    """The server; where CI is set it must be there."""
    try:
        from osmem_server import OsmemServer
    except ImportError:
        if os.environ.get("CI"):
            pytest.fail("osmem-server is not installed, and CI asks for every service")
        pytest.skip("osmem-server is not installed")
    server = OsmemServer.start()
    yield server
    server.close()


@pytest.fixture
def settings_of(wire: Any) -> dict[str, Any]:
    """The settings of an instance that searches there."""
    return {
        "search__engine": "elasticsearch", "search_elastic__product": "opensearch",
        "search_elastic__host": [wire.url.rstrip("/")],
    }  # fmt: skip


@pytest.fixture(autouse=True)
def _searches_there(request: pytest.FixtureRequest, wire: Any, settings_of: dict[str, Any]) -> None:
    """Let the instance of a test search there, in no index yet."""
    from atrio.plugins.search_elastic.adapters.server import Server
    from atrio.plugins.search_elastic.config import ElasticConfig

    server = Server(ElasticConfig(product="opensearch", host=(wire.url.rstrip("/"),)))
    for name in server.call("GET", "/_alias", missing=True) or {}:
        server.call("DELETE", f"/{name}", missing=True)
    server.close()
    given = request.node.get_closest_marker("atrio_config")
    request.node.add_marker(
        pytest.mark.atrio_config(**settings_of, **(given.kwargs if given else {})), append=False
    )


@pytest.fixture
def settle(kernel: Kernel) -> Callable[[], None]:
    """Index what waits now."""
    from atrio.plugins.search import services
    from atrio.plugins.search_elastic import tasks

    def run() -> None:
        while kernel.run(services.catch_up):
            pass
        tasks.TASKS[1].handler(SimpleNamespace(kernel=kernel, config=kernel.config))

    return run


@pytest.fixture
def shim(wire: Any) -> Iterator[Shim]:
    """A server between that can be told to misbehave."""
    made = Shim(wire.url)
    yield made
    made.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nobody."""
    monkeypatch.setattr(index_module, "PAUSES", (0.0,) * 5)
