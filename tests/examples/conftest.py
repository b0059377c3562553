"""An environment as a user has it: Atrio and the example from their wheels, and the real `atrio` command."""

from __future__ import annotations

import os
import signal
import site
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

ROOT = Path(__file__).parents[2]
ADMIN = ("admin@admin.admin", "admin-password")


@dataclass(frozen=True)
class Installation:
    """A virtual environment with wheels in it."""

    folder: Path

    @property
    def packages(self) -> Path:
        """Where the wheels were unpacked."""
        return self.folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"

    def run(self, program: str, *words: str, cwd: Path, fails: bool = False) -> str:
        """Run a program of the environment and return its standard output; with `fails` both outputs."""
        done = subprocess.run(
            [str(self.folder / "bin" / program), *words],
            cwd=cwd, env=clean_environ(), capture_output=True, text=True, check=False, timeout=170,
        )  # fmt: skip
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done.stdout + done.stderr if fails else done.stdout

    def pip_install(self, *words: str) -> None:
        """Install without looking at any index."""
        self.run("python", "-m", "pip", "install", "-q", "--no-deps", "--no-index", *words, cwd=self.folder)


@dataclass(frozen=True)
class Instance:
    """A data directory with its config file, and the command that works on it."""

    installation: Installation
    folder: Path

    @property
    def config(self) -> Path:
        """The config file."""
        return self.folder / "atrio.toml"

    def atrio(self, *words: str, fails: bool = False) -> str:
        """Run `atrio`."""
        return self.installation.run("atrio", "--data-dir", str(self.folder), *words, cwd=self.folder, fails=fails)

    @contextmanager
    def serve(self) -> Iterator[Server]:
        """Run `atrio serve` on a free port of the loopback interface, until the end of the block."""
        port = free_port()
        command = [str(self.installation.folder / "bin" / "atrio"), "--data-dir", str(self.folder), "serve"]
        with (self.folder / "serve.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, "--bind", f"127.0.0.1:{port}"],
                cwd=self.folder, env=clean_environ(), stdout=log, stderr=log,
            )  # fmt: skip
            try:
                with httpx2.Client(base_url=f"http://127.0.0.1:{port}", auth=ADMIN, timeout=30) as client:
                    server = Server(process, client)
                    server.wait(lambda: client.get("/health/live").status_code == 200)
                    yield server
                process.send_signal(signal.SIGTERM)
                assert process.wait(20) == 0
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()


@dataclass(frozen=True)
class Server:
    """A running server and a client of its administrator."""

    process: subprocess.Popen[bytes]
    client: httpx2.Client

    def wait(self, condition: Any, seconds: float = 30) -> None:
        """Wait until the condition holds; a server that cannot be reached yet does not fulfil it."""
        end = time.monotonic() + seconds
        while True:
            try:
                if condition():
                    return
            except httpx2.TransportError:
                pass
            assert self.process.poll() is None, "the server ended; see serve.log"
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.05)

    def make_content(self, label: str) -> int:
        """Create a space and a note in it; returns the id of the note."""
        space = self.client.post(
            "/api/workspaces",
            json={
                "label": f"Space of {label}", "description": "", "access_type": "confidential",
                "default_user_role": "reader",
            },
        )  # fmt: skip
        assert space.status_code == 200, space.text
        made = self.client.post(
            f"/api/workspaces/{space.json()['workspace_id']}/contents",
            json={"label": label, "content_type": "html-document", "parent_id": None},
        )
        assert made.status_code == 200, made.text
        return int(made.json()["content_id"])


def clean_environ() -> dict[str, str]:
    """Return the environment without what would reach into the installation from here."""
    dropped = ("ATRIO_", "PYTHON", "PYTEST_", "COV_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Atrio and the example from wheels built now; what they depend on is borrowed from this environment.

    A path file lends the dependencies: path files inside a lent folder are not read, so the editable install
    of this environment stays out of it and the wheel is what runs.
    """
    folder = tmp_path_factory.mktemp("installation")
    wheels = folder / "wheels"
    for source in (ROOT, ROOT / "examples" / "hello"):
        subprocess.run(
            [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(source)],
            check=True, capture_output=True,
        )  # fmt: skip
    venv.create(folder / "venv", with_pip=True)
    made = Installation(folder / "venv")
    (made.packages / "borrowed.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    made.pip_install(*map(str, sorted(wheels.glob("*.whl"))))
    return made


@pytest.fixture
def instance(installation: Installation, tmp_path: Path) -> Instance:
    """A fresh data directory whose config has comments."""
    made = Instance(installation, tmp_path)
    made.config.write_text(CONFIG)
    return made


CONFIG = f"""\
# Our instance. Ask Ada before you change anything.
[accounts]
admin_password = "{ADMIN[1]}"  # only for the first start

[plugins]  # what runs here
# nothing beside the defaults yet
enabled = [
    # (add names below)
]

[log]
level = "info"  # debug is noisy
"""
