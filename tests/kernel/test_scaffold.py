"""`atrio plugins new` writes what `examples/hello` shows."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from atrio.kernel.cli import cli
from atrio.kernel.errors import BootError
from atrio.kernel.scaffold import LONGEST, placeholders, render, write_plugin

ROOT = Path(__file__).parents[2]
HELLO = ROOT / "examples" / "hello"


def test_the_example_is_the_scaffold_under_the_name_hello() -> None:
    """To renew it: change the template, delete examples/hello, atrio plugins new hello --to examples/hello."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "examples/hello"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    paths = [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]
    assert {p.relative_to(HELLO).as_posix(): p.read_text("utf-8") for p in paths} == render("hello")


def test_any_name_gives_sound_files(tmp_path: Path) -> None:
    target = tmp_path / "new" / "notes"
    written = write_plugin("shared_notes", target)
    assert sorted(written) == sorted(p for p in target.rglob("*") if p.is_file())
    for path in written:
        text = path.read_text("utf-8")
        assert "{{" not in text
        assert "}}" not in text
        assert "hello" not in text.lower().replace('"hello"', "").replace("hello!", ""), path
        if path.suffix == ".py":
            ast.parse(text)
    project = tomllib.loads((target / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["name"] == "atrio-shared-notes"
    assert project["entry-points"]["atrio.plugins"] == {"shared_notes": "atrio_shared_notes.plugin"}
    assert "class SharedNotesConfig" in (target / "src/atrio_shared_notes/config.py").read_text("utf-8")


def test_names_of_constraints_fit_every_database() -> None:
    import re

    longest = "n" * LONGEST
    names = re.findall(r'"((?:pk|fk|uq|ix|ck)_[a-z_]+)"', "".join(render(longest).values()))
    assert names
    assert max(map(len, names)) <= 63
    assert len(f"alembic_version_{longest}") <= 63


def test_error_codes_differ_between_plugins() -> None:
    codes = [placeholders(n)[c] for n in ("hello", "demo", "shared_notes") for c in ("code_1", "code_2")]
    assert len(set(codes)) == len(codes)
    assert all(30_000 < int(c) < 100_000 for c in codes)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Hello", "is no name for a plugin"),
        ("1st", "is no name for a plugin"),
        ("a-b", "is no name for a plugin"),
        ("a__b", "is no name for a plugin"),
        ("_ab", "is no name for a plugin"),
        ("ab_", "is no name for a plugin"),
        ("x", "is no name for a plugin"),
        ("../up", "is no name for a plugin"),
        ("class", "is no name for a plugin"),
        ("é", "is no name for a plugin"),
        ("n" * (LONGEST + 1), "is no name for a plugin"),
        ("spaces", "a plugin named spaces is installed"),
        ("kernel", "a plugin named kernel is installed"),
        ("core", "could not be told from those of core_content"),
        ("spaces_plus", "could not be told from those of spaces"),
    ],
)
def test_names_that_cannot_be(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(BootError, match=message):
        write_plugin(name, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_package_that_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "atrio_taken").mkdir()
    (tmp_path / "atrio_taken" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(BootError, match="a package atrio_taken is installed"):
        write_plugin("taken", tmp_path / "new")


def test_the_target_must_be_empty(tmp_path: Path) -> None:
    assert write_plugin("demo", tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(BootError, match="exists and is not empty"):
        write_plugin("other", tmp_path)
    with pytest.raises(BootError, match="exists and is not empty"):
        write_plugin("other", next(iter(before)))
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["plugins", "new", "shared_notes"])
    assert done.exit_code == 0, done.output
    assert "atrio-shared-notes/src/atrio_shared_notes/plugin.py" in done.output.splitlines()
    refused = CliRunner().invoke(cli, ["plugins", "new", "serve"])
    assert isinstance(refused.exception, BootError)
    assert "there is a command atrio serve" in str(refused.exception)
    assert not (tmp_path / "atrio-serve").exists()
