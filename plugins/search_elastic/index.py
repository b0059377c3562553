"""The index on the server: made, filled beside the old one, written to, deleted. Knows no database."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from . import layout
from .adapters.server import BUSY, Server, ServerAway, ServerRefused
from .config import ElasticConfig

log = logging.getLogger("atrio.search")
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts at what a server was too busy to take."""
Item = tuple[int, Mapping[str, Any] | None]
"""A content and its document; None: it is gone."""


class Index:
    """The index of one installation."""

    def __init__(self, server: Server, settings: ElasticConfig) -> None:
        self.server = server
        self.settings = settings
        self.alias = layout.alias_of(settings)
        self.next_alias = layout.next_alias_of(settings)

    def behind(self, alias: str) -> list[str]:
        """Return the indexes behind an alias: one, or none."""
        found = self.server.call("GET", f"/_alias/{alias}", missing=True)
        return sorted(found or ())

    def ensure(self) -> bool:
        """Make the index where there is none, and tell whether it has to be filled.

        Of several behind the alias, which nothing could be written to, the newest stays.
        """
        self.server.verified()
        names = self.behind(self.alias)
        if not names:
            name = self._make()
            self._aliases([{"add": {"index": name, "alias": self.alias}}])
            log.info("search index %s was made", name)
        for name in names[:-1]:
            log.warning("search index %s is one too many behind %s", name, self.alias)
            self.server.call("DELETE", f"/{name}", missing=True)
        return len(names) != 1

    def _make(self) -> str:
        self.server.call("PUT", f"/_index_template/{self.alias}", layout.template(self.settings))
        name = layout.index_name(self.settings)
        self.server.call("PUT", f"/{name}", layout.body(self.settings))
        return name

    def _aliases(self, actions: Sequence[Mapping[str, Any]]) -> None:
        self.server.call("POST", "/_aliases", {"actions": list(actions)})

    def begin_next(self) -> str:
        """Make an index that is filled beside the one that answers; what an earlier attempt left is deleted."""
        self.server.verified()
        for left in self.behind(self.next_alias):
            self.server.call("DELETE", f"/{left}", missing=True)
        name = self._make()
        self._aliases([{"add": {"index": name, "alias": self.next_alias}}])
        return name

    def swap(self, name: str) -> None:
        """Let the new index take the place of the old one, in one step, and delete the old one."""
        self.server.call("POST", f"/{name}/_refresh")
        old = [index for index in self.behind(self.alias) if index != name]
        self._aliases([
            {"add": {"index": name, "alias": self.alias}}, {"remove": {"index": name, "alias": self.next_alias}},
            *({"remove": {"index": index, "alias": self.alias}} for index in old),
        ])  # fmt: skip
        for index in old:
            self.server.call("DELETE", f"/{index}", missing=True)

    def drop(self) -> int:
        """Delete every index of this installation, and the template; returns how many indexes."""
        names = sorted({*self.behind(self.alias), *self.behind(self.next_alias), *self._named()})
        for name in names:
            self.server.call("DELETE", f"/{name}", missing=True)
        self.server.call("DELETE", f"/_index_template/{self.alias}", missing=True)
        return len(names)

    def _named(self) -> list[str]:
        found = self.server.call("GET", f"/{layout.index_pattern(self.settings)}/_alias", missing=True)
        return sorted(found or ())

    def write(self, items: Iterable[Item], version: int, *, aliases: Sequence[str] | None = None) -> int:
        """Write documents, delete those of what is gone, and return how many bytes were sent.

        `version` is when the documents were read, in microseconds: an older state never overwrites a newer one.
        Where an index is being filled, it is written to as well. ServerAway when the server does not take all.
        """
        if aliases is None:
            aliases = [self.alias, *([self.next_alias] if self.behind(self.next_alias) else ())]
        sent = 0
        for lines in _portions(items, aliases, version, self.settings.bulk_bytes):
            sent += self._bulk(lines)
        return sent

    def _bulk(self, lines: list[tuple[bytes, bytes | None]]) -> int:
        sent = 0
        for pause in (*PAUSES, None):
            parts = [part for pair in lines for part in pair if part is not None]
            sent += sum(map(len, parts))
            answer = self.server.call("POST", "/_bulk", parts)
            lines = [
                line
                for line, item in zip(lines, answer["items"], strict=True)
                if not _taken(next(iter(item.values())))
            ]
            if not lines:
                return sent
            if pause is not None:
                time.sleep(pause)
        raise ServerAway(f"{len(lines)} document(s) were not taken")

    def refresh(self) -> None:
        """Make what was written findable."""
        self.server.call("POST", f"/{self.alias}/_refresh")

    def search(self, request: Mapping[str, Any]) -> Any:
        """Return the answer to a search."""
        return self.server.call(
            "POST", f"/{self.alias}/_search", request, timeout=self.settings.search_timeout
        )  # fmt: skip

    def stored(self, ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
        """Return the documents of some contents as the index has them."""
        if not ids:
            return {}
        answer = self.server.call("POST", f"/{self.alias}/_mget", {"ids": [str(i) for i in ids]})
        return {int(doc["_id"]): doc["_source"] for doc in answer["docs"] if doc.get("found")}

    def ids_between(self, after: int, last: int | None) -> set[int]:
        """Return the contents that the index has after an id, up to another one."""
        bounds = {"gt": after, **({"lte": last} if last is not None else {})}
        request = {"query": {"range": {"content_id": bounds}}, "size": 10_000, "_source": False}
        return {int(hit["_id"]) for hit in self.search(request)["hits"]["hits"]}

    def facts(self) -> dict[str, Any]:
        """Return how the index stands; `ready` when it can answer."""
        product = self.server.verify()
        names = self.behind(self.alias)
        if len(names) != 1:
            return {"ready": False, "server": product, "index": ", ".join(names) or "none"}
        mappings = self.server.call("GET", f"/{names[0]}/_mapping")[names[0]]["mappings"]
        same = mappings.get("_meta", {}).get("layout") == layout.fingerprint(self.settings)
        stats = self.server.call("GET", f"/{names[0]}/_stats/docs,store")["_all"]["primaries"]
        return {
            "ready": True, "server": product, "index": names[0], "documents": stats["docs"]["count"],
            "bytes": stats["store"]["size_in_bytes"],
            "layout": "as set" if same else "of other settings: type atrio search index rebuild",
            "being filled": ", ".join(self.behind(self.next_alias)) or "none",
        }  # fmt: skip


def _taken(item: Mapping[str, Any]) -> bool:
    """Tell whether a line of a bulk request is settled; False: it is to be sent again.

    A newer version that is there already settles it; so does a delete of what is not there. What the server will
    never take is logged: the check of the index shows it. ServerRefused when there is no index.
    """
    status = int(item["status"])
    if status < 300 or status == 409 or (status == 404 and "error" not in item):
        return True
    if status in BUSY:
        return False
    error = item.get("error", {})
    if status == 404 or "write index" in str(error.get("reason")):
        raise ServerRefused(404, str(error.get("type")), str(error.get("reason")))
    log.error("the search index refuses content %s: %s %s", item.get("_id"), status, error.get("type"))
    return True


def _portions(
    items: Iterable[Item], aliases: Sequence[str], version: int, limit: int
) -> Iterator[list[tuple[bytes, bytes | None]]]:  # fmt: skip
    """Yield pairs of lines (action, document), as many as make one request."""
    lines: list[tuple[bytes, bytes | None]] = []
    size = 0
    for content_id, document in items:
        source = None if document is None else msgspec.json.encode(document)
        for alias in aliases:
            about = {
                "_index": alias, "require_alias": True, "_id": str(content_id), "version": version,
                "version_type": "external_gte",
            }  # fmt: skip
            if source is None:
                about.pop("require_alias")  # a delete takes no such word
            lines.append((msgspec.json.encode({"delete" if source is None else "index": about}), source))
            size += len(lines[-1][0]) + len(source or b"")
        if size >= limit:
            yield lines
            lines, size = [], 0
    if lines:
        yield lines
