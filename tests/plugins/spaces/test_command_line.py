"""`atrio space`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from atrio.kernel.cli import cli
from atrio.kernel.config import DatabaseConfig
from atrio.kernel.errors import KernelError
from atrio.kernel.host import Kernel


@pytest.fixture
def run(kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run `atrio space …` on the instance of the test; gives (exit code, output)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATRIO_DATABASE__URL", kernel.config[DatabaseConfig].url or "")

    def call(*arguments: str, answer: str = "") -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["--data-dir", str(tmp_path / "data"), "space", *arguments], input=answer)
        if isinstance(result.exception, KernelError):  # `main` turns it into one line and exit 1
            return 1, result.exception.in_words()
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    return call


def test_the_way_of_a_space(run: Any, client: Any, make_content: Any) -> None:
    assert run("create", "Été", "--json")[0] == 0
    code, output = run(
        "create", "Below", "--parent", "1", "--access-type", "open", "--default-role", "contributor"
    )
    assert (code, output.strip()) == (0, "space 2 created")
    code, output = run("show", "2", "--json")
    assert json.loads(output) == client.get("/api/workspaces/2").json
    assert json.loads(output)["owner"]["user_id"] == 1
    assert [s["label"] for s in json.loads(run("list", "--json")[1])] == ["Below", "Été"]
    assert run("list")[1].splitlines()[0] == "2\tBelow\topen\t1 member(s)"
    assert "parent\t1" in run("show", "2")[1]
    (member,) = json.loads(run("members", "1", "--json")[1])
    assert member == client.get("/api/workspaces/1/role").json[0]
    assert run("members", "1")[1] == "1\tGlobal manager\tworkspace-manager\n"
    assert run("move", "2", "--parent", "0")[0] == 0
    assert client.get("/api/workspaces/2").json["parent_id"] is None
    code, output = run("delete", "1", "--dry-run")
    assert (code, "nothing was changed" in output, "1 members" in output) == (0, True, True)
    assert client.get("/api/workspaces/1").json["is_deleted"] is False
    assert run("delete", "1", "1")[1].splitlines()[-1] == "1 space(s) trashed"
    assert client.get("/api/workspaces/1").json["is_deleted"] is True
    assert "trashed\tyes" in run("show", "1")[1]
    assert run("restore", "1")[0] == 0
    assert client.get("/api/workspaces/1").json["label"] == "Été"


def test_purging(run: Any, client: Any, make_space: Any, make_content: Any) -> None:
    space = str(make_space())
    child = make_space("Child", parent_id=int(space))
    parent = None
    for depth in range(20):
        parent = make_content(int(space), f"d{depth}", "folder", parent)["content_id"]
    assert run("delete", space, "--purge", answer="n\n")[0] == 1
    assert client.get(f"/api/workspaces/{space}").status == 200
    assert run("delete", space, "--purge", "--dry-run")[0] == 0
    assert client.get(f"/api/workspaces/{space}").status == 200
    code, output = run("delete", space, "--purge", answer="y\n")
    assert (code, output.splitlines()[-1]) == (0, "1 space(s) purged")
    assert client.get(f"/api/workspaces/{space}").code == 1002
    assert client.get(f"/api/workspaces/{child}").json["parent_id"] is None
    assert run("delete", str(child), "--purge", "--yes")[0] == 0
    assert client.get("/api/workspaces").json == []


def test_refusals_have_an_exit_code(run: Any, make_space: Any) -> None:
    top = make_space()
    child = make_space("B", parent_id=top)
    for arguments in (
        ("show", "99"), ("members", "99"), ("move", "99", "--parent", "0"), ("move", str(top), "--parent", "99"),
        ("move", str(top), "--parent", str(top)), ("move", str(top), "--parent", str(child)), ("delete", "99"),
        ("delete", str(child), "99"), ("restore", "99"), ("create", "x", "--owner", "nobody"), ("create", "  "),
        ("create", "x", "--parent", "99"),
    ):  # fmt: skip
        code, output = run(*arguments)
        assert (code, bool(output)) == (1, True), (arguments, output)
    for arguments in (("show", "x"), ("delete",), ("move", "1"), ("create", "x", "--access-type", "secret")):
        assert run(*arguments)[0] == 2, arguments
    assert "B" in run("list")[1], "the refused deletion of two deleted none"
