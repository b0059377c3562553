"""What tests ask of an instance whose index lies on a server."""

from __future__ import annotations

from dataclasses import replace

from atrio.plugins.search_elastic import queries, services
from atrio.plugins.search_elastic.adapters.server import Server


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
