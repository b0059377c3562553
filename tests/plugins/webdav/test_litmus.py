"""Real clients on a real server: litmus, rclone, cadaver."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from atrio.kernel.testing.live import LiveServer
from atrio.kernel.testing.plugin import ADMIN, PASSWORD, service_url

pytest.importorskip("wsgidav")

TESTS_OF_LITMUS = 104
MARK = {"ATRIO_ADMIN_PASSWORD": PASSWORD, "ATRIO_PLUGINS__ENABLED": "webdav"}


def tool(name: str) -> str:
    """Return the path of a program; where CI is set it must be there."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not installed, and CI asks for it")
        pytest.skip(f"{name} is not installed")
    return found


def run(words: list[str], *, timeout: float = 150, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, check=False,
        **options,  # type: ignore[call-overload]
    )  # fmt: skip


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    served = LiveServer(tmp_path / "live", env=MARK)
    served.space("Alpha")
    yield served
    served.stop()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """A new, empty database of the server that the parameter names."""
    address = service_url(f"{request.param}_url")
    if address is None:
        pytest.skip(f"ATRIO_TEST_{request.param.upper()}_URL is not set")
    name = f"atrio_test_{secrets.token_hex(6)}"
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield engine.url.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        force = " WITH (FORCE)" if request.param == "postgresql" else ""
        connection.execute(text(f"DROP DATABASE {name}{force}"))
    engine.dispose()


def litmus(served: LiveServer, folder: Path) -> None:
    """Run all of litmus: every test passes, none is left out, none warns, and the server logs no failure."""
    folder.mkdir()
    address = f"http://127.0.0.1:{served.port}/webdav/Alpha.space/"
    done = run([tool("litmus"), "-k", address, ADMIN, PASSWORD], cwd=folder)
    said = done.stdout + done.stderr
    passed = sum(int(n) for n in re.findall(r"summary for `\w+': of \d+ tests run: (\d+) passed, 0 failed", said))
    assert passed == TESTS_OF_LITMUS, said
    assert "WARNING" not in said, said
    assert "SKIPPED" not in said, said
    assert done.returncode == 0, said
    assert "Traceback" not in served.log.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("native", ["true", "false"])
@pytest.mark.parametrize("workers", ["1", "2", "4"])
def test_litmus_on_sqlite(tmp_path: Path, workers: str, native: str) -> None:
    env = {**MARK, "ATRIO_WEBDAV__NATIVE": native}
    served = LiveServer(tmp_path / "live", env=env, arguments=["--workers", workers])
    try:
        served.space("Alpha")
        litmus(served, tmp_path / "litmus")
    finally:
        served.stop()


@pytest.mark.services
@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize("workers", ["1", "2", "4"])
def test_litmus_on_a_database_server(database: str, workers: str, tmp_path: Path) -> None:
    env = {**MARK, "ATRIO_DATABASE__URL": database}
    served = LiveServer(tmp_path / "live", env=env, arguments=["--workers", workers])
    try:
        served.space("Alpha")
        litmus(served, tmp_path / "litmus")
    finally:
        served.stop()


@pytest.mark.slow
def test_rclone_there_and_back(server: LiveServer, tmp_path: Path) -> None:
    rclone = tool("rclone")
    here = tmp_path / "here"
    (here / "sub" / "deep er").mkdir(parents=True)
    (here / "a.txt").write_text("a" * 10)
    (here / "empty.bin").write_bytes(b"")
    (here / "sub" / "ü – 日本.txt").write_bytes("日本".encode() * 1000)
    (here / "sub" / "deep er" / "big.bin").write_bytes(secrets.token_bytes(3 * 1024 * 1024 + 7))
    word = run([rclone, "obscure", PASSWORD]).stdout.strip()
    env = {
        **os.environ, "RCLONE_CONFIG": str(tmp_path / "rclone.conf"), "RCLONE_CONFIG_DAV_TYPE": "webdav",
        "RCLONE_CONFIG_DAV_URL": f"http://127.0.0.1:{server.port}/webdav/Alpha.space", "RCLONE_CONFIG_DAV_VENDOR": "other",
        "RCLONE_CONFIG_DAV_USER": ADMIN, "RCLONE_CONFIG_DAV_PASS": word,
    }  # fmt: skip
    back = tmp_path / "back"
    for words in (
        ["copy", str(here), "dav:tree"],
        ["check", "--download", str(here), "dav:tree"],
        ["copy", "dav:tree", str(back)],
        ["check", "--download", str(here), str(back)],
        ["moveto", "dav:tree/a.txt", "dav:tree/sub/b.txt"],
        ["purge", "dav:tree/sub"],
    ):
        done = run([rclone, *words, "--retries", "1"], env=env)
        assert done.returncode == 0, (words, done.stderr)
    left = run([rclone, "lsf", "-R", "dav:"], env=env)
    assert left.stdout.split() == ["tree/", "tree/empty.bin"]
    assert "Traceback" not in server.log.read_text()


@pytest.mark.slow
def test_cadaver(server: LiveServer, tmp_path: Path) -> None:
    cadaver = tool("cadaver")
    home = tmp_path / "home"
    home.mkdir()
    netrc = home / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login {ADMIN} password {PASSWORD}\n")
    netrc.chmod(0o600)
    (home / "one.txt").write_text("one\n")
    script = (
        "mkcol things\ncd things\nput one.txt\nlock one.txt\nput one.txt\nunlock one.txt\ncopy one.txt two.txt\n"
        "move two.txt three.txt\npropset one.txt colour red\npropget one.txt colour\nget three.txt back.txt\n"
        "delete three.txt\nls\nquit\n"
    )
    done = subprocess.run(
        [cadaver, f"http://127.0.0.1:{server.port}/webdav/Alpha.space/"], input=script, capture_output=True,
        text=True, timeout=60, cwd=home, env={**os.environ, "HOME": str(home)}, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert "failed" not in said, said
    assert (home / "back.txt").read_text() == "one\n", said
    assert "red" in said, said
    assert "one.txt" in said.rpartition("Listing collection")[2], said
    assert "three.txt" not in said.rpartition("Listing collection")[2], said
    assert "Traceback" not in server.log.read_text()
