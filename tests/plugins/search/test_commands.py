"""`atrio search`: what operators type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.plugins.search.cli import search


class Settings:
    """Gives the test's instance to commands, which close what they boot."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def boot(self) -> Kernel:
        """Return the instance."""
        return self.kernel


@pytest.fixture
def type_in(kernel: Kernel) -> Any:
    """`type_in("index", "status")` runs a command and gives its exit code and output."""

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(search, list(words), obj=Settings(kernel))
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    return run


def test_the_life_of_an_index(client: Client, make_space: Any, make_content: Any, type_in: Any) -> None:
    space = make_space()
    note = make_content(space, "needle")["content_id"]
    code, output = type_in("index", "status", "--json")
    facts = json.loads(output)
    assert (code, facts["engine"], facts["ready"], facts["texts"]) == (0, "embedded", True, 1)
    assert type_in("index", "check")[0] == 0
    assert type_in("index", "drop", "--yes")[0] == 0
    assert type_in("index", "status")[0] == 1
    assert type_in("index", "create") == (0, "the index of embedded is there\n")
    code, output = type_in("index", "check")
    assert (code, f"1 content(s) differ: {note}" in output) == (1, True)
    code, output = type_in("index", "populate", "--content", str(note))
    assert (code, output) == (0, "1 content(s) indexed\n")
    code, output = type_in("index", "rebuild")
    assert code == 0
    assert output.rstrip().endswith("the index of embedded is new")
    assert type_in("index", "check", "--repair")[0] == 0
    answer = client.get("/api/advanced_search/content", query={"search_string": "needle"}).json
    assert answer["total_hits"] == 1


def test_a_drop_asks_first(type_in: Any, kernel: Kernel) -> None:
    assert type_in("index", "drop")[0] == 1
    assert type_in("index", "status")[0] == 0


@pytest.mark.slow
def test_a_plugin_that_comes_to_a_filled_database_fills_its_index(tmp_path: Path) -> None:
    from atrio.kernel.lifecycle import purge
    from atrio.kernel.schema_state import upgrade
    from atrio.kernel.testing.plugin import ADMIN, PASSWORD, make_kernel

    folder = tmp_path / "data"
    folder.mkdir()
    kernel = make_kernel(folder)
    client = Client(kernel.app, ADMIN, PASSWORD)
    body = {"label": "Space", "description": "", "access_type": "open", "default_user_role": "reader"}
    space = client.post("/api/workspaces", body).json["workspace_id"]
    client.post(f"/api/workspaces/{space}/contents", {"label": "needle", "content_type": "html-document"})
    client.close()
    kernel.db.close()
    without = make_kernel(folder, {"plugins__disabled": ["search", "search_elastic"]})
    for name in ("search_elastic", "search"):  # whoever needs it goes first
        purge(without, name)
    without.db.close()
    waiting = make_kernel(folder)
    upgrade(waiting, ["search"])
    waiting.db.close()
    again = make_kernel(folder)
    again.start(consume=False)
    client = Client(again.app, ADMIN, PASSWORD)
    try:
        found = client.get("/api/advanced_search/content", query={"search_string": "needle"})
        assert found.json["total_hits"] == 1
    finally:
        client.close()
        again.stop()
