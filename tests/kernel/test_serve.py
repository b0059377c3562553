"""The server as a process: early answers, lost clients, signals, workers, TLS, other ASGI servers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from atrio.kernel.testing.client import encode_form
from atrio.kernel.testing.live import LiveServer, Wire, certificate
from atrio.kernel.testing.plugin import service_url

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    made = LiveServer(
        tmp_path_factory.mktemp("serve"),
        env={"ATRIO_SERVER__DRAIN_LIMIT": "8000000", "ATRIO_SERVER__DRAIN_SECONDS": "3"},
    )
    yield made
    made.stop()


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.parametrize(
    ("method", "path", "signed_in", "status"),
    [
        ("POST", "/api/workspaces/1/files", False, 401),
        ("POST", "/api/nowhere/", True, 404),
        ("DELETE", "/api/auth/whoami", True, 405),
        ("POST", "/api/workspaces/77/files", True, 400),
        ("GET", "/health/live", False, 200),
    ],
)
def test_an_early_answer_leaves_the_connection_usable(
    server: LiveServer, method: str, path: str, signed_in: bool, status: int
) -> None:
    """3 MB that nobody reads: the answer comes, and so does the next one on the same connection."""
    wire = Wire(server.port)
    headers = {"content-type": "multipart/form-data; boundary=x", **(server.basic if signed_in else {})}
    answered, _, _ = wire.call(method, path, headers, b"x" * 3_000_000)
    assert answered == status
    again, _, body = wire.call("GET", "/health/live")
    assert (again, json.loads(body)) == (200, {"status": "ok"})
    wire.close()


def test_a_body_beyond_the_drain_limit_closes_the_connection(server: LiveServer) -> None:
    before = open_files(server.process.pid)
    for _ in range(5):
        wire = Wire(server.port)
        head = b"POST /api/nowhere/ HTTP/1.1\r\nhost: x\r\ncontent-length: 40000000\r\n\r\n"
        wire.socket.sendall(head)
        try:
            for _ in range(40):
                wire.socket.sendall(b"x" * 1_000_000)
        except OSError:
            pass
        status, headers, _ = wire.read()
        assert status == 404
        assert headers["connection"] == "close"
        wire.close()
    deadline = time.monotonic() + 15
    while open_files(server.process.pid) > before and time.monotonic() < deadline:
        time.sleep(0.2)
    assert open_files(server.process.pid) <= before, "connections stay open on the server"
    assert server.call("GET", "/api/auth/whoami")[0] == 200


def test_an_announced_body_that_never_comes_is_answered(server: LiveServer) -> None:
    wire = Wire(server.port)
    wire.socket.sendall(b"POST /api/nowhere/ HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\nabc")
    began = time.monotonic()
    status, headers, _ = wire.read()
    assert status == 404
    assert headers["connection"] == "close"
    assert time.monotonic() - began < 10
    wire.close()


def test_a_client_that_goes_away_in_an_upload_leaves_nothing(server: LiveServer) -> None:
    space = server.space("Lost")
    form, media = encode_form({}, {"files": ("lost.bin", os.urandom(3_000_000), "application/octet-stream")})
    incoming = server.folder / "data" / "blobs" / "incoming"
    for cut in (10, 200, 70_000, 1_500_000, len(form) - 1):
        wire = Wire(server.port)
        head = {**server.basic, "content-type": media, "content-length": str(len(form))}
        wire.send("POST", f"/api/workspaces/{space}/files", head)
        wire.socket.sendall(form[:cut])
        time.sleep(0.1)
        wire.close()
    deadline = time.monotonic() + 10
    while incoming.exists() and any(incoming.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not incoming.exists() or not any(incoming.iterdir())
    assert server.call("GET", f"/api/workspaces/{space}/contents")[1]["items"] == []
    wire = Wire(server.port)
    status, _, body = wire.call(
        "POST", f"/api/workspaces/{space}/files", {**server.basic, "content-type": media}, form
    )
    assert (status, json.loads(body)["filename"]) == (200, "lost.bin")
    wire.close()


def test_many_requests_on_one_connection(server: LiveServer) -> None:
    """Hypercorn's default closes a connection after 1,000 requests."""
    wire = Wire(server.port)
    for _ in range(1100):
        assert wire.call("GET", "/health/live")[0] == 200
    wire.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_with_open_connections(tmp_path: Path, number: int) -> None:
    server = LiveServer(tmp_path)
    space = server.space()
    form, media = encode_form({}, {"files": ("big.bin", os.urandom(40_000_000), "application/octet-stream")})
    wire = Wire(server.port)
    status, _, body = wire.call(
        "POST", f"/api/workspaces/{space}/files", {**server.basic, "content-type": media}, form
    )
    assert status == 200
    content = json.loads(body)["content_id"]
    idle = Wire(server.port)
    idle.call("GET", "/health/live")
    wire.send("GET", f"/api/workspaces/{space}/files/{content}/raw/big.bin", server.basic)
    time.sleep(0.3)  # the download is under way and nobody reads it
    code, seconds = server.stop(number)
    assert code == 0
    assert seconds < 15, "it does not wait for those who stall (30 s); the bench has the figure"
    assert "Traceback" not in server.log.read_text()


def test_hangup_restarts_with_the_new_config(tmp_path: Path) -> None:
    server = LiveServer(tmp_path)
    assert server.call("GET", "/api/doc/spec.json")[0] == 200
    done = subprocess.run(
        [sys.executable, "-m", "atrio.kernel.cli", "plugins", "disable", "api_docs"],
        env=server.env, cwd=server.folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "disabled" in done.stdout
    server.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 20
    status = 200
    while status != 404 and time.monotonic() < deadline:
        time.sleep(0.02)
        status, _ = server.call("GET", "/api/doc/spec.json")  # no connection is refused meanwhile
        status = 404 if status == 307 else status
    assert status == 404
    code, _ = server.stop()
    assert code == 0


def test_two_workers_share_the_database(tmp_path: Path) -> None:
    server = LiveServer(tmp_path, arguments=["--workers", "2"])
    space = server.space()
    for number in range(20):
        body = {"label": f"n{number}", "content_type": "html-document"}
        assert server.call("POST", f"/api/workspaces/{space}/contents", body)[0] == 200
    assert len(server.call("GET", f"/api/workspaces/{space}/contents")[1]["items"]) == 20
    code, seconds = server.stop()
    assert code == 0
    assert seconds < 8


def test_https_and_http2(tmp_path: Path) -> None:
    import httpx2

    cert, key = certificate(tmp_path)
    server = LiveServer(tmp_path, arguments=["--tls-cert", str(cert), "--tls-key", str(key)], tls=True)
    with httpx2.Client(http2=True, verify=False) as client:
        answer = client.get(f"https://127.0.0.1:{server.port}/api/auth/whoami", headers=server.basic)
        assert answer.http_version == "HTTP/2"
        assert answer.status_code == 200
        refused = client.post(f"https://127.0.0.1:{server.port}/api/nowhere/", content=b"x" * 1_000_000)
        assert refused.status_code == 404
        assert client.get(f"https://127.0.0.1:{server.port}/health/live").status_code == 200
    assert server.stop()[0] == 0


def test_another_asgi_server(tmp_path: Path) -> None:
    from atrio.kernel.testing.live import free_port

    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "atrio.asgi:app", "--port", str(port), "--log-level", "warning"]
    server = LiveServer(tmp_path, command=command, port=port)
    assert server.call("GET", "/api/auth/whoami")[1]["email"] == "admin@admin.admin"
    space = server.space()
    form, media = encode_form({}, {"files": ("a.txt", b"hello", "text/plain")})
    wire = Wire(port)
    status, _, body = wire.call(
        "POST", f"/api/workspaces/{space}/files", {**server.basic, "content-type": media}, form
    )
    assert status == 200, body
    wire.close()
    server.stop(signal.SIGTERM)


def test_a_broken_essential_plugin_refuses_to_start(tmp_path: Path) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith("ATRIO_")}
    env |= {"ATRIO_DATA_DIR": str(tmp_path), "ATRIO_ACCOUNTS__DEFAULT_PROFILE": "emperor"}
    done = subprocess.run(
        [sys.executable, "-m", "atrio.kernel.cli", "serve"], env=env, cwd=tmp_path, capture_output=True, text=True
    )  # fmt: skip
    assert done.returncode == 1
    assert "accounts" in done.stderr
    assert "emperor" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_first_login_is_printed_once(tmp_path: Path) -> None:
    server = LiveServer(tmp_path, env={"ATRIO_ADMIN_PASSWORD": "", "ATRIO_ADMIN_EMAIL": "boss@example.org"})
    text = server.log.read_text()
    line = next(x for x in text.splitlines() if x.startswith("Password"))
    password = line.split()[1]
    assert "boss@example.org" in text
    wire = Wire(server.port)
    body = json.dumps({"email": "boss@example.org", "password": password}).encode()
    status, _, answer = wire.call("POST", "/api/auth/login", {"content-type": "application/json"}, body)
    assert (status, json.loads(answer)["user_id"]) == (200, 1)
    assert json.loads(answer)["public_name"] == "Global manager"
    wire.close()
    server.stop()
    assert password not in (tmp_path / "data" / "atrio.db").read_bytes().decode("latin-1")


def test_a_worker_runs_what_others_defer(tmp_path: Path) -> None:
    """With Redis the jobs run in `atrio worker`, not in the server."""
    url = service_url("redis_url")
    if url is None:
        pytest.skip("ATRIO_TEST_REDIS_URL is not set")
    server = LiveServer(tmp_path, env={"ATRIO_REDIS_URL": url})
    atrio = [sys.executable, "-m", "atrio.kernel.cli"]
    script = (
        "from atrio.kernel.config import Sources\n"
        "from atrio.kernel.host import boot\n"
        "kernel = boot(Sources.load())\n"
        "kernel.run(lambda ctx: ctx.defer('kernel.tidy'))\n"
    )

    def states() -> list[str]:
        done = subprocess.run([*atrio, "jobs", "list", "--json"], env=server.env, capture_output=True, check=True)
        return [job["state"] for job in json.loads(done.stdout) if job["job"] == "kernel.tidy"]

    subprocess.run([sys.executable, "-c", script], env=server.env, check=True, cwd=tmp_path)
    time.sleep(1)
    assert states() == ["pending"]
    worker = subprocess.Popen([*atrio, "worker"], env=server.env, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while states() != ["done"] and time.monotonic() < deadline:
        time.sleep(0.2)
    assert states() == ["done"]
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0
    assert server.stop()[0] == 0
