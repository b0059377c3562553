"""`atrio content show`, `delete`, `delete-revision`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from atrio.kernel.config import DatabaseConfig
from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client


@pytest.fixture
def run(kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call `atrio …` on the data of the kernel fixture."""
    from atrio.kernel.cli import cli

    monkeypatch.setenv("ATRIO_STORAGE__DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATRIO_DATABASE__URL", kernel.config[DatabaseConfig].url or "")
    return lambda *words: CliRunner().invoke(cli, list(words))


def test_show(run: Any, place: Any) -> None:
    folder = place.make("F", "folder")
    note = place.make("Note", parent=folder)
    place.comment(note)
    found = run("content", "show", str(note), "--json")
    assert found.exit_code == 0, found.output
    facts = json.loads(found.output)
    assert (facts["label"], facts["path"], facts["below"]) == ("Note", ["F", "Note"], 1)
    assert [r["type"] for r in facts["revisions"]] == ["creation"]
    assert "label: Note" in run("content", "show", str(note)).output
    assert run("content", "show", "999").exit_code == 1


def test_delete_for_good(run: Any, place: Any) -> None:
    folder = place.make("F", "folder")
    place.make("Note", parent=folder)
    refused = run("content", "delete", str(folder))
    assert refused.exit_code == 1
    assert "not in the trash" in refused.output
    assert place.act(folder, "trashed").status == 204
    dry = run("content", "delete", str(folder), "--dry-run")
    assert (dry.exit_code, dry.output.strip()) == (0, f"would delete F ({folder}) and 1 below it")
    assert run("content", "delete", str(folder)).exit_code == 0
    assert place.root.get(f"/api/contents/{folder}").code == 1003
    other = place.make("N")
    assert run("content", "delete", str(other), "--force").exit_code == 0
    assert run("content", "delete", str(other), "--force").exit_code == 1


def test_delete_a_revision(run: Any, place: Any, client: Client) -> None:
    note = place.make("First")
    path = f"{place.base}/html-documents/{note}"
    for body in ({"raw_content": "<p>1</p>"}, {"label": "Second"}):
        assert client.put(path, body).status == 200
    first, middle, last = (r["revision_id"] for r in client.get(f"{path}/revisions").json["items"])
    assert run("content", "delete-revision", str(last), "--dry-run").exit_code == 0
    assert client.get(path).json["label"] == "Second"
    assert run("content", "delete-revision", str(last)).exit_code == 0
    shown = client.get(path).json
    assert (shown["label"], shown["raw_content"], shown["current_revision_id"]) == ("First", "<p>1</p>", middle)
    assert client.put(path, {"label": "Third"}).json["version_number"] == 3
    assert run("content", "delete-revision", str(first)).exit_code == 0
    other = place.make("Only")
    only = client.get(f"{place.base}/html-documents/{other}").json["current_revision_id"]
    refused = run("content", "delete-revision", str(only))
    assert refused.exit_code == 1
    assert "only one" in str(refused.exception)
    assert run("content", "delete-revision", "9999").exit_code == 1
