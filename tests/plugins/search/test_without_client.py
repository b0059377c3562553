"""The default install has no client of Elasticsearch: the plugin is there, does nothing, and harms nobody."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.any_engine

WITHOUT = """
import sys
sys.modules.update(dict.fromkeys(("elasticsearch", "elastic_transport")))
from pathlib import Path
from atrio.kernel.testing.plugin import make_kernel
kernel = make_kernel(Path(sys.argv[1]), {"search__engine": sys.argv[2]})
kernel.db.close()
for record in kernel.records:
    if record.name in ("search", "search_elastic"):
        print(record.name, record.state.value, record.reason or "")
"""


def states(folder: Path, engine: str) -> dict[str, str]:
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(folder), engine], capture_output=True, text=True, check=True
    )
    return {line.partition(" ")[0]: line.partition(" ")[2] for line in done.stdout.splitlines()}


def test_another_engine_needs_no_client(tmp_path: Path) -> None:
    found = states(tmp_path / "a", "embedded")
    assert {name: words.split()[0] for name, words in found.items()} == {
        "search": "enabled", "search_elastic": "enabled",
    }  # fmt: skip


def test_who_chose_the_engine_is_told_what_to_install(tmp_path: Path) -> None:
    found = states(tmp_path / "b", "elasticsearch")
    assert found["search"].startswith("enabled")
    assert "pip install 'atrio[search_elastic]'" in found["search_elastic"]
