"""The command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from atrio.kernel.cli import cli

ADMIN = "admin@admin.admin"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory whose config switches the plugin on."""
    (tmp_path / "atrio.toml").write_text('[plugins]\nenabled = ["hello"]\n', "utf-8")
    return tmp_path


def _atrio(data: Path, *words: str) -> Result:
    base = ["--config", str(data / "atrio.toml"), "--data-dir", str(data)]
    return CliRunner().invoke(cli, [*base, *words])


def test_send_list_tidy(data: Path) -> None:
    sent = _atrio(data, "hello", "send", ADMIN, "Good morning")
    assert (sent.exit_code, sent.output.splitlines()[-1]) == (0, "greeting 2 sent"), sent.output
    assert _atrio(data, "hello", "list", ADMIN).output == "2\tGood morning\n1\tHello! Welcome.\n"
    assert '"text":"Good morning"' in _atrio(data, "hello", "list", ADMIN, "--json").output
    assert _atrio(data, "hello", "tidy").output == "queued\n"
    assert "hello.tidy\tpending" in _atrio(data, "jobs", "list").output


@pytest.mark.parametrize("words", [("send", "nobody", "x"), ("send", ADMIN, "x" * 201)])
def test_refusals_are_errors(data: Path, words: Any) -> None:
    assert _atrio(data, "hello", *words).exit_code == 1
