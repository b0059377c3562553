"""Folders in and out: byte-identical, resumable, under the rights of whoever acts."""

from __future__ import annotations

import filecmp
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.plugins.core_content.transfer import (
    Report,
    disk_name,
    export_tree,
    import_tree,
    measure,
    open_transfer,
)

ODD = (
    "a b", "\N{LATIN SMALL LETTER E WITH ACUTE}", "日本語.txt", "😀.bin", "-rf", "~$x", "con", "a\\b",
    'q?*|<>"', "x" * 255, ".hidden", "..a", "a.", " lead", "trail ", "%41", "a;b&c", "tab\tx", "\nnew",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files with every odd character, an empty file, an empty folder, a deep one, equal bytes twice."""
    root = tmp_path / "in"
    root.mkdir()
    for name in ODD:
        (root / name).write_text(name)
    (root / "empty").touch()
    (root / "emptydir").mkdir()
    deep = root / "d" / ("y" * 200) / "z"
    deep.mkdir(parents=True)
    (deep / "big.bin").write_bytes(os.urandom(2_500_000))
    (deep / "twin.bin").write_bytes((deep / "big.bin").read_bytes())
    return root


def same(left: Path, right: Path) -> bool:
    found = filecmp.dircmp(left, right, ignore=[], hide=[])
    if found.left_only or found.right_only or found.funny_files:
        return False
    _, differing, errors = filecmp.cmpfiles(left, right, found.common_files, shallow=False)
    if differing or errors:
        return False
    return all(same(left / name, right / name) for name in found.common_dirs)


def bring(kernel: Kernel, folder: Path, label: str = "Docs") -> Report:
    return import_tree(open_transfer(kernel, label, None, create=True), folder)


def take(kernel: Kernel, target: Path, label: str = "Docs") -> Report:
    return export_tree(open_transfer(kernel, label, None, create=False), target)


def test_a_tree_comes_back_byte_for_byte(kernel: Kernel, client: Client, folder: Path, tmp_path: Path) -> None:
    count, size = measure(folder)
    report = bring(kernel, folder)
    assert report.problems == []
    assert (report.created, report.size) == (count, size)
    assert take(kernel, tmp_path / "out").created == count
    assert same(folder, tmp_path / "out")
    found = client.get("/api/workspaces/1/contents", query={"label": "BIG"}).json["items"]
    raw = client.get(f"/api/workspaces/1/files/{found[0]['content_id']}/raw/big.bin")
    assert raw.body == (folder / "d" / ("y" * 200) / "z" / "big.bin").read_bytes()


def test_again_changes_only_what_changed(kernel: Kernel, client: Client, folder: Path, tmp_path: Path) -> None:
    bring(kernel, folder)
    take(kernel, tmp_path / "out")
    (folder / "empty").write_text("no longer")
    (folder / "new").write_text("new")
    again = bring(kernel, folder)
    assert (again.created, again.changed, again.folders) == (1, 1, 0)
    out = take(kernel, tmp_path / "out")
    assert (out.created, out.changed) == (1, 1)
    assert same(folder, tmp_path / "out")
    row = client.get("/api/workspaces/1/contents", query={"label": "empty", "content_type": "file"}).json["items"]
    revisions = client.get(f"/api/workspaces/1/files/{row[0]['content_id']}/revisions").json["items"]
    assert [r["size"] for r in revisions] == [0, 9]


def test_what_cannot_be_stored_is_told(kernel: Kernel, tmp_path: Path) -> None:
    root = tmp_path / "in"
    root.mkdir()
    (root / "good").write_text("x")
    (root / "link").symlink_to("/etc/passwd")
    os.mkfifo(root / "pipe")
    Path(os.fsdecode(os.fsencode(root) + b"/\xff\xfe")).write_text("x")
    report = bring(kernel, root)
    assert report.created == 1
    assert len(report.problems) == 3
    assert any("symbolic link" in p for p in report.problems)
    assert any("UTF-8" in p for p in report.problems)


def test_rights_are_those_of_the_actor(kernel: Kernel, as_actor: Any, make_space: Any, folder: Path) -> None:
    bob = as_actor("bob")
    make_space("Theirs", {bob.user_id: "reader"})
    report = import_tree(open_transfer(kernel, "Theirs", "bob", create=True), folder)
    assert report.created == 0
    assert all("InsufficientUserRole" in p for p in report.problems)
    with pytest.raises(Exception, match="InsufficientUserProfile"):
        open_transfer(kernel, "Mine", "bob", create=True)
    with pytest.raises(Exception, match="no space named"):
        open_transfer(kernel, "Nowhere", "bob", create=False)


def test_notes_leave_as_pages(kernel: Kernel, client: Client, make_space: Any, tmp_path: Path) -> None:
    space = make_space("Docs")
    body = {"label": "a/b", "content_type": "html-document"}
    note = client.post(f"/api/workspaces/{space}/contents", body).json
    client.put(f"/api/workspaces/{space}/html-documents/{note['content_id']}", {"raw_content": "<p>é</p>"})
    take(kernel, tmp_path / "out")
    assert (tmp_path / "out" / "a⧸b.document.html").read_text() == "<p>é</p>"


@pytest.mark.parametrize(
    ("label", "extension", "expected"),
    [
        ("..", "", "_.."),
        (".", ".", "_.."),
        ("../../etc/passwd", "", "..⧸..⧸etc⧸passwd"),
        ("é" * 300, ".txt", "é" * 124 + "~7.txt"),
    ],
)
def test_names_on_the_disk_stay_in_their_folder(label: str, extension: str, expected: str) -> None:
    name = disk_name(label, extension, 7)
    assert name == expected
    assert len(os.fsencode(name)) <= 255


def test_the_commands(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from atrio.kernel.cli import cli

    for name in [n for n in os.environ if n.startswith("ATRIO_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATRIO_ADMIN_PASSWORD", "transfer-password")
    monkeypatch.setenv("ATRIO_STORAGE__FSYNC", "no")
    runner = CliRunner()
    first = runner.invoke(cli, ["content", "import", str(folder), "--space", "Docs"], catch_exceptions=False)
    assert first.exit_code == 0, first.output
    assert "22 new" in first.output
    (folder / "link").symlink_to("nowhere")
    again = runner.invoke(cli, ["content", "import", str(folder), "--space", "Docs"], catch_exceptions=False)
    assert again.exit_code == 1
    assert "22 unchanged" in again.output
    out = runner.invoke(
        cli, ["content", "export", "--space", "Docs", str(tmp_path / "out")], catch_exceptions=False
    )
    assert out.exit_code == 0
    (folder / "link").unlink()
    assert same(folder, tmp_path / "out")


def test_a_folder_that_cannot_be_read_is_one_problem(
    kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "in"
    (root / "shut").mkdir(parents=True)
    (root / "z").write_text("z")
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = bring(kernel, root)
    assert (report.created, report.folders) == (1, 1)
    assert [p.rpartition(": ")[2] for p in report.problems] == ["Permission denied"]
