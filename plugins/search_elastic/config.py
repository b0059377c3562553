"""Settings of the search by Elasticsearch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from atrio.kernel.config import Config, ConfigSection, option

LANGUAGES = {
    "ar": ("_arabic_", "arabic"), "de": ("_german_", "german"), "en": ("_english_", "english"),
    "es": ("_spanish_", "spanish"), "fr": ("_french_", "french"),
    "pt": ("_portuguese_", "portuguese"),
}  # fmt: skip
"""Stop words and stemmer of each language, by the names that the server knows."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")


@dataclass(frozen=True)
class ElasticConfig:
    """Search by an Elasticsearch or OpenSearch server, where `search.engine` is `elasticsearch`."""

    product: str = option(
        "elasticsearch", choices=("elasticsearch", "opensearch"),
        help="What is spoken to: `elasticsearch`, 9 or newer, by its own client; or `opensearch`, 2 or newer, "
        "with plain JSON, which Elasticsearch 7.10 to 8 take too.",
    )  # fmt: skip
    host: tuple[str, ...] = option(
        ("localhost",), legacy="search.elasticsearch.host",
        help="Names of the servers, or their whole addresses (https://name:9200); several are asked in turn.",
    )  # fmt: skip
    port: tuple[str, ...] = option(
        ("9200",),
        legacy="search.elasticsearch.port",
        help="Their ports: one for all, or as many as there are names.",
    )
    tls: bool = option(
        False, legacy="search.elasticsearch.ssl.activated", help="Speak TLS with servers that are given by name."
    )
    ca_file: str = option(
        "", legacy="search.elasticsearch.ssl.ca_certs",
        help="File of the authorities that sign their certificates; empty: those of the system.",
    )  # fmt: skip
    user: str = option("", legacy="search.elasticsearch.basic_auth.username", help="Login there; empty: none.")
    password: str = option(
        "", secret=True, legacy="search.elasticsearch.basic_auth.password", help="Password of that login."
    )
    api_key: str = option("", secret=True, help="API key, in its encoded form, instead of a login.")
    request_timeout: int = option(
        60, minimum=1, maximum=600, legacy="search.elasticsearch.request_timeout",
        help="Seconds that a job waits for an answer.",
    )  # fmt: skip
    search_timeout: int = option(
        10,
        minimum=1,
        maximum=60,
        help="Seconds that a search waits for an answer, before it is refused with 20120.",
    )
    index_prefix: str = option(
        "atrio", legacy="search.elasticsearch.index_alias_prefix",
        help="Beginning of the names of index and alias; an own one for each installation on one server.",
    )  # fmt: skip
    index_pattern_template: str = option(
        "{index_alias}-{date}", legacy="search.elasticsearch.index_pattern_template",
        help="Name of each index: `{index_alias}` is the alias, `{date}` when it was made.",
    )  # fmt: skip
    shards: int = option(1, minimum=1, maximum=64, help="Primary shards of an index; with one, facets are exact.")
    replicas: int = option(0, minimum=0, maximum=16, help="Copies of each shard.")
    languages: tuple[str, ...] = option(
        (), choices=tuple(LANGUAGES),
        help="Languages in which a word is also found in its other forms, where they are to be others than "
        "`search.languages`; needs `atrio search index rebuild`.",
    )  # fmt: skip
    bulk_bytes: int = option(
        5 * 1024 * 1024, minimum=100_000, maximum=90_000_000, help="Bytes of one bulk request, about."
    )


SECTION = ConfigSection("search_elastic", ElasticConfig)


def addresses(settings: ElasticConfig) -> list[str]:
    """Return the addresses of the servers; ValueError when names and ports do not go together."""
    ports = settings.port if len(settings.port) > 1 else settings.port * len(settings.host)
    if not settings.host or len(ports) != len(settings.host):
        raise ValueError("search_elastic.host and search_elastic.port differ in length")
    scheme = "https" if settings.tls else "http"
    found = [
        host.rstrip("/") if "://" in host else f"{scheme}://{host}:{port}"
        for host, port in zip(settings.host, ports, strict=True)
    ]
    for address in found:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0 or "@" in parts.netloc:
            raise ValueError("search_elastic.host: expected names, or addresses such as https://name:9200")
    return found


def faults(config: Config) -> str | None:
    """Return what is wrong with the settings, as far as can be told without asking a server."""
    settings = config[ElasticConfig]
    try:
        addresses(settings)
    except ValueError as error:
        return str(error)
    if not _NAME.fullmatch(settings.index_prefix):
        return "search_elastic.index_prefix: expected lower-case letters, digits, dashes"
    pattern = settings.index_pattern_template
    left = pattern.replace("{index_alias}", "", 1).replace("{date}", "", 1)
    if (
        pattern.count("{index_alias}") != 1
        or pattern.count("{date}") != 1
        or not re.fullmatch(r"[a-z0-9_.-]*", left)
    ):
        return "search_elastic.index_pattern_template: expected {index_alias} and {date} once, in lower case"
    if pattern.index("{index_alias}") > pattern.index("{date}"):
        return "search_elastic.index_pattern_template: expected {index_alias} before {date}"
    if settings.api_key and settings.user:
        return "search_elastic.api_key and search_elastic.user exclude each other"
    return None
