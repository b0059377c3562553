"""Settings of search."""

from __future__ import annotations

from dataclasses import dataclass

from atrio.kernel.config import ConfigSection, option


@dataclass(frozen=True)
class SearchConfig:
    """Search in contents, people and spaces."""

    engine: str = option(
        "embedded",
        legacy="search.engine",
        from_legacy=lambda text: "embedded" if text == "simple" else text,
        help="What answers: `embedded`, the index in the database; `simple`, the plain search alone; or the name "
        "of an engine that a plugin brings.",
    )
    operator: str = option(
        "and", choices=("and", "or"), help="Whether a content must hold all words of a query, or any of them."
    )
    text_limit: int = option(
        100_000, minimum=1000, maximum=1_000_000, help="Characters of each text of a content that are searched."
    )
    settle_seconds: int = option(
        2,
        minimum=0,
        maximum=3600,
        help="Seconds after which comments, to-dos and what lies in copied folders are found; what is written "
        "meanwhile is indexed at once with it.",
    )


SECTION = ConfigSection("search", SearchConfig)
