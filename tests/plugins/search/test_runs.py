"""Searches for three letters: an index of runs of three letters answers them, exactly. On SQLite only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.db import migrate
from atrio.kernel.host import Kernel
from atrio.kernel.schema_state import lineages
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.engines import chosen
from atrio.plugins.search.choice import embedded
from atrio.plugins.search.engines.indexes import sqlite

from . import suite

write = suite.write
pytestmark = pytest.mark.skipif(chosen() is not None, reason="an index of SQLite")
PLAIN = "/api/search/content"
TEXTS = {
    "alpha": 'She said "so!": a-b, 50%_off.',
    "beta": "Übergrößen für Ñandú; naïve façades",
    "gamma": "so so so, offal and alphabets",
    "delta": "один два три, 東京都庁",
}


def found(client: Client, *needles: str) -> list[str]:
    answer = suite.ask(client, PLAIN, " ".join(needles), size=50)
    assert answer["total_hits"] == len(answer["contents"])
    return sorted(content["label"] for content in answer["contents"])


def run(kernel: Kernel, sql: str) -> Any:
    return kernel.run(lambda ctx: ctx.execute(text(sql)))


@pytest.fixture
def written(make_space: Any, write: Callable[..., int]) -> dict[str, int]:
    space = make_space()
    return {label: write(space, label, body) for label, body in TEXTS.items()} | {"space": space}


def folded(kernel: Kernel) -> dict[str, list[str]]:
    """Return the texts of contents as they are compared."""
    columns = "label, filename, description, body, tags, more, comments, todos"
    rows = run(kernel, f"SELECT label, {columns} FROM search_text").all()
    return {row[0]: list(row[1:]) for row in rows}


@pytest.mark.parametrize("least", [0, 10**9])
def test_every_run_of_three_letters_is_found_where_it_is(
    kernel: Kernel, client: Client, written: Any, least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "LEAST", least)
    texts = folded(kernel)
    runs = {t[i : i + 3] for all_texts in texts.values() for t in all_texts for i in range(len(t) - 2)}
    runs = {r for r in runs if " " not in r and "," not in r and "\n" not in r}
    assert len(runs) > 60
    for needle in sorted({*runs, "zzz", '""!', "off", "_of"}):
        expected = sorted(label for label, all_texts in texts.items() if any(needle in t for t in all_texts))
        assert found(client, needle) == expected, needle
    assert found(client, "off", "fur") == ["alpha", "beta", "gamma"]


def test_runs_follow_every_change(kernel: Kernel, client: Client, written: Any) -> None:
    path = f"/api/workspaces/{written['space']}/html-documents/{written['gamma']}"
    assert found(client, "bet") == ["beta", "gamma"]
    assert client.put(path, {"raw_content": "nothing of it"}).status == 200
    assert found(client, "bet") == ["beta"]
    assert found(client, "hin") == ["gamma"]
    contents = f"/api/workspaces/{written['space']}/contents/{written['gamma']}"
    client.put(f"{contents}/trashed")
    assert found(client, "hin") == []
    assert client.delete(f"{contents}/permanently").status == 204
    run(kernel, "INSERT INTO search_parts(search_parts, rank) VALUES ('integrity-check', 1)")


def test_without_the_index_it_is_not_ready_and_an_upgrade_makes_it(
    kernel: Kernel, client: Client, written: Any
) -> None:
    lineage = next(one for one in lineages(kernel) if one.owner == "search")
    with migrate.migrating(kernel.db) as connection:
        migrate.downgrade(connection, lineage, "s003")
    assert not embedded(kernel).status(kernel).ready
    with migrate.migrating(kernel.db) as connection:
        migrate.upgrade(connection, lineage)
    assert embedded(kernel).status(kernel).ready
    assert found(client, "bet") == ["beta", "gamma"]
    run(kernel, "INSERT INTO search_parts(search_parts, rank) VALUES ('integrity-check', 1)")
