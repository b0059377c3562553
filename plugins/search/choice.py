"""Which engine answers, as the operator chose it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from atrio.kernel.config import Config
from atrio.kernel.host import Kernel

from .config import SearchConfig
from .engines import Engine
from .engines.absent import AbsentEngine
from .engines.embedded import EmbeddedEngine
from .engines.indexes import Index

log = logging.getLogger("atrio.search")
EMBEDDED = ("embedded", "simple")


def offered(kernel: Kernel) -> Mapping[str, Callable[[Any], Engine]]:
    """Return the engines that plugins bring, by name."""
    given = kernel.hooks.hook.register_search_engine(config=kernel.config)
    return {name: factory for engines in given for name, factory in (engines or {}).items()}


def embedded(kernel: Kernel) -> EmbeddedEngine:
    """Return the engine in the database, which the simple search uses whatever was chosen."""
    return kernel.memo("search.embedded", lambda: EmbeddedEngine(kernel))


def index_of(kernel: Kernel) -> Index:
    """Return the index of this database."""
    return embedded(kernel).index


def engine_of(kernel: Kernel) -> Engine:
    """Return the engine that answers advanced searches."""
    return kernel.memo("search.engine", lambda: _make(kernel))


def _make(kernel: Kernel) -> Engine:
    chosen = kernel.config[SearchConfig].engine
    if chosen in EMBEDDED:
        return embedded(kernel)
    factory = offered(kernel).get(chosen)
    if factory is None:
        log.error("search.engine is %s, which no running plugin brings: searches are refused", chosen)
        return AbsentEngine(chosen)
    return factory(kernel)


def outside(kernel: Kernel) -> bool:
    """Tell whether the engine keeps an index outside the database, which jobs have to feed."""
    return engine_of(kernel) is not embedded(kernel)


def chosen_engine(config: Config) -> str:
    """Return the name of the engine that the operator chose."""
    return config[SearchConfig].engine


def languages(config: Config) -> tuple[str, ...]:
    """Return the languages in which words are found in their other forms too, by the names of Snowball."""
    return config[SearchConfig].languages


def is_advanced(config: Config) -> bool:
    """Tell whether advanced searches are answered."""
    return config[SearchConfig].engine != "simple"
