"""The soak script in small: storms of reconnecting clients and a server that is killed lose nobody a message."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(170)]
ROOT = Path(__file__).parents[3]


def test_every_client_ends_with_exactly_its_messages() -> None:
    options = ["--streams", "300", "--rate", "30", "--seconds", "3", "--storms", "5", "--storm", "200", "--kill"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "soak.py"), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    figures = json.loads(done.stdout)
    assert figures["clients with a wrong set"] == 0
    assert figures["messages delivered"] > 1000
    assert figures["writes cut by the kill"] > 0
    assert figures["written"] > 150
