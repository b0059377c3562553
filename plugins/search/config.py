"""Settings of search."""

from __future__ import annotations

from dataclasses import dataclass

from atrio.kernel.config import ConfigSection, option

from .stems.stemmer import LANGUAGES


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
    languages: tuple[str, ...] = option(
        (),
        choices=LANGUAGES,
        help="Languages in which a word is also found in its other forms (`castle` finds `castles`).",
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
    read_files: bool = option(
        True, legacy="search.elasticsearch.use_ingest", help="Find files by the text in them (read by jobs)."
    )
    file_size: int = option(
        50 * 1024 * 1024,
        minimum=0,
        legacy="search.elasticsearch.ingest.size_limit",
        help="Bytes of the largest file whose text is read.",
    )
    file_types: tuple[str, ...] = option(
        (),
        legacy="search.elasticsearch.ingest.mimetype_whitelist",
        help="Media types of files whose text is read; none: of all that can be read.",
    )
    file_types_excluded: tuple[str, ...] = option(
        (),
        legacy="search.elasticsearch.ingest.mimetype_blacklist",
        help="Media types of files whose text is not read.",
    )
    file_seconds: int = option(
        20,
        minimum=1,
        maximum=300,
        help="Seconds of processor time for reading one file; of the clock, twice as many.",
    )
    file_memory_mib: int = option(
        512, minimum=128, maximum=8192, help="MiB of memory for reading one file, in a process of its own."
    )


SECTION = ConfigSection("search", SearchConfig)
