"""`make bench`: ratios against the bare limit measured in the same run, and sizes.

Prints a Markdown table; `--write docs/benchmarks.md` puts it into the docs. No number here is a test.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from load import Connection, Measured, best_of, cpu_seconds, resident_mib, run

HERE = Path(__file__).parent
PASSWORD = "bench-password"
ROWS: list[tuple[str, str, str, str]] = []


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Server:
    """A real `atrio serve` on an empty data directory."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.port = free_port()
        self.env = {
            **os.environ, "ATRIO_DATA_DIR": str(folder), "ATRIO_BIND": f"127.0.0.1:{self.port}",
            "ATRIO_ADMIN_PASSWORD": PASSWORD, "ATRIO_LOG__LEVEL": "warning", **env,
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "atrio.kernel.cli", "serve"], env=self.env, stdout=subprocess.DEVNULL
        )
        self.pid = self.process.pid
        self.wait()
        self.headers: dict[str, str] = {}

    def wait(self) -> None:
        """Wait until it answers."""
        for _ in range(400):
            try:
                connection = Connection(self.port, {})
                status, _body = connection.request("GET", "/health/live")
                connection.close()
                if status == 200:
                    return
            except OSError:
                time.sleep(0.025)
        raise SystemExit("the server did not start")

    def sign_in(self) -> None:
        """Open a session."""
        body = json.dumps({"email": "admin@admin.admin", "password": PASSWORD}).encode()
        raw = socket.create_connection(("127.0.0.1", self.port))
        raw.sendall(
            b"POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        )
        answer = b""
        while block := raw.recv(65536):
            answer += block
        for line in answer.split(b"\r\n"):
            if line.lower().startswith(b"set-cookie:"):
                self.headers = {"cookie": line.partition(b":")[2].strip().split(b";")[0].decode()}
        self.headers["content-type"] = "application/json"

    def call(self, method: str, path: str, value: Any = None) -> Any:
        """Make one request and return its JSON."""
        connection = Connection(self.port, self.headers)
        body = json.dumps(value).encode() if value is not None else b""
        status, answer = connection.request(method, path, body)
        connection.close()
        assert status == 200, (status, answer)
        return json.loads(answer)

    def stop(self) -> float:
        """End it; returns the seconds it took."""
        began = time.perf_counter()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)
        return time.perf_counter() - began


def fill(server: Server, folder: Path) -> tuple[int, int]:
    """Make a space with 1,000 contents; returns the space and one note."""
    space = server.call(
        "POST", "/api/workspaces",
        {"label": "Bench", "description": "", "access_type": "open", "default_user_role": "reader"},
    )["workspace_id"]  # fmt: skip
    note = 0
    for number in range(1000):
        body = {"label": f"Note {number:04d}", "content_type": "html-document"}
        note = server.call("POST", f"/api/workspaces/{space}/contents", body)["content_id"]
    server.call("PUT", f"/api/workspaces/{space}/html-documents/{note}", {"raw_content": "<p>text</p>" * 50})
    return space, note


def capture_plan(folder: Path, space: int, note: int, cookie: str) -> Path:
    """Record the SQL and values that Atrio runs for the two hot requests, for the bare endpoint."""
    script = (
        "import json,sys\n"
        "from atrio.kernel.config import Sources\n"
        "from atrio.kernel.host import boot\n"
        "from atrio.kernel.db import statement\n"
        "from atrio.kernel.testing.client import Client\n"
        "folder, space, note, cookie = sys.argv[1:]\n"
        "kernel = boot(Sources(None, {}, {}, {'storage.data_dir': folder}))\n"
        "run = statement.Statement._run\n"
        "steps = []\n"
        "def spy(self, ctx, params):\n"
        "    cursor, compiled = run(self, ctx, params)\n"
        "    values = {**compiled.constants, **params}\n"
        "    steps.append({'sql': compiled.text, 'values': [values[n] for n in compiled.positions],"
        " 'names': list(self.keys)})\n"
        "    return cursor, compiled\n"
        "statement.Statement._run = spy\n"
        "client = Client(kernel.app)\n"
        "client.cookies['session_key'] = cookie\n"
        "plan = {'database': folder + '/atrio.db'}\n"
        "for name, path in (('note', f'/api/workspaces/{space}/html-documents/{note}'),"
        " ('list', f'/api/workspaces/{space}/contents?parent_ids=0')):\n"
        "    steps.clear()\n"
        "    assert client.get(path).status == 200\n"
        "    plan[name] = list(steps)\n"
        "print(json.dumps(plan))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder), str(space), str(note), cookie],
        capture_output=True, text=True, check=True, env={**os.environ, "ATRIO_LOG__LEVEL": "error"},
    )  # fmt: skip
    path = folder / "plan.json"
    path.write_text(done.stdout)
    return path


def row(name: str, value: str, limit: str, note: str = "") -> None:
    """Add a row and show it."""
    ROWS.append((name, value, limit, note))
    print(f"{name}: {value}   (aim {limit}) {note}", flush=True)


def bench_reads(server: Server, folder: Path, space: int, note: int, rounds: int) -> None:
    """Reads beside the bare limit."""
    plan = capture_plan(folder, space, note, server.headers["cookie"].partition("=")[2])
    port = free_port()
    bare = subprocess.Popen(
        [sys.executable, str(HERE / "bare.py"), str(port)], env={**os.environ, "BENCH_PLAN": str(plan)}
    )
    try:
        for _ in range(200):
            try:
                Connection(port, {}).close()
                break
            except OSError:
                time.sleep(0.05)
        note_path = f"/api/workspaces/{space}/html-documents/{note}"
        list_path = f"/api/workspaces/{space}/contents?parent_ids=0"

        def ours(path: str, clients: int, each: int) -> Measured:
            return run(server.pid, server.port, server.headers, clients, each, lambda c, n: ("GET", path, b""))

        def theirs(path: str, clients: int, each: int) -> Measured:
            return run(bare.pid, port, server.headers, clients, each, lambda c, n: ("GET", path, b""))

        for warm in (lambda: ours(note_path, 2, 100), lambda: theirs("/note", 2, 100)):
            warm()
        mine = best_of(rounds, lambda: ours(note_path, 1, 1000))
        limit = best_of(rounds, lambda: theirs("/note", 1, 1000))
        row("GET one note, CPU", f"{mine.cpu_ms / limit.cpu_ms:.2f}x", "1.8x",
            f"{mine.cpu_ms:.2f} ms against {limit.cpu_ms:.2f} ms bare")  # fmt: skip
        alone = best_of(rounds, lambda: ours(list_path, 1, 60))
        limit = best_of(rounds, lambda: theirs("/list", 1, 60))
        row("list of 1,000, CPU", f"{alone.cpu_ms / limit.cpu_ms:.2f}x", "2x",
            f"{alone.cpu_ms:.1f} ms against {limit.cpu_ms:.1f} ms bare")  # fmt: skip
        crowd = best_of(rounds, lambda: ours(list_path, 16, 8))
        row("list of 1,000 under 16 clients, CPU", f"{crowd.cpu_ms / alone.cpu_ms:.2f}x", "1.3x",
            f"{crowd.cpu_ms:.1f} ms against {alone.cpu_ms:.1f} ms alone")  # fmt: skip
        who = best_of(rounds, lambda: ours("/api/auth/whoami", 1, 1000))
        row("whoami, CPU", f"{who.cpu_ms:.2f} ms", "0.8 ms")
        create = best_of(rounds, lambda: run(
            server.pid, server.port, server.headers, 1, 200,
            lambda c, n: ("POST", f"/api/workspaces/{space}/contents", _note(f"c {time.time_ns()}")),
        ))  # fmt: skip
        row("create a note, CPU", f"{create.cpu_ms:.2f} ms", "3 ms")
    finally:
        bare.terminate()
        bare.wait()


def _note(label: str) -> bytes:
    return json.dumps({"label": label, "content_type": "html-document"}).encode()


def bench_writers(server: Server, space: int) -> None:
    """Sixteen writers on SQLite."""
    path = f"/api/workspaces/{space}/contents"
    found = run(
        server.pid, server.port, server.headers, 16, 60,
        lambda c, n: ("POST", path, _note(f"w{c}-{n}-{time.time_ns()}")),
    )  # fmt: skip
    row("16 writers: refused or failed", str(found.bad), "0")
    row("16 writers: p99", f"{found.p99_ms:.0f} ms", "100 ms", f"p50 {found.p50_ms:.0f} ms")
    row("16 writers: worst", f"{found.worst_ms:.0f} ms", "500 ms")
    row("16 writers: rate", f"{found.rate:.0f}/s", "300/s")


def bench_bytes(server: Server, space: int, mib: int) -> None:
    """A large upload and download: what stays in memory."""
    before = resident_mib(server.pid)
    peak = [before]
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.05):
            peak[0] = max(peak[0], resident_mib(server.pid))

    thread = threading.Thread(target=watch)
    thread.start()
    boundary = b"bench"
    head = (
        b"--bench\r\nContent-Disposition: form-data; name=\"files\"; filename=\"big.bin\"\r\n"
        b"Content-Type: application/octet-stream\r\n\r\n"
    )  # fmt: skip
    tail = b"\r\n--bench--\r\n"
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=600)
    size = mib * 1024 * 1024
    began = time.perf_counter()
    raw.sendall(
        (
            f"POST /api/workspaces/{space}/files HTTP/1.1\r\nhost: x\r\ncookie: {server.headers['cookie']}\r\n"
            f"content-type: multipart/form-data; boundary={boundary.decode()}\r\nconnection: close\r\n"
            f"content-length: {len(head) + size + len(tail)}\r\n\r\n"
        ).encode() + head
    )  # fmt: skip
    block = os.urandom(1024 * 1024)
    for number in range(mib):
        raw.sendall(number.to_bytes(8, "big") + block[8:])
    raw.sendall(tail)
    answer = b""
    while data := raw.recv(65536):
        answer += data
    up = time.perf_counter() - began
    assert b" 200 " in answer[:20], answer[:500]
    content = json.loads(answer.partition(b"\r\n\r\n")[2])["content_id"]
    row(f"upload of {mib} MiB: memory", f"+{peak[0] - before:.0f} MiB", "64 MiB", f"{mib / up:.0f} MiB/s")
    peak[0] = before
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=600)
    began = time.perf_counter()
    raw.sendall(
        f"GET /api/workspaces/{space}/files/{content}/raw/big.bin HTTP/1.1\r\nhost: x\r\n"
        f"cookie: {server.headers['cookie']}\r\nconnection: close\r\n\r\n".encode()
    )
    got = 0
    while data := raw.recv(1 << 20):
        got += len(data)
    down = time.perf_counter() - began
    assert got > size
    stop.set()
    thread.join()
    row(f"download of {mib} MiB: memory", f"+{peak[0] - before:.0f} MiB", "64 MiB", f"{mib / down:.0f} MiB/s")


def bench_jobs(folder: Path) -> None:
    """From the commit to the run of a job, in one process."""
    script = (
        "import sys, time, statistics, threading\n"
        "from atrio.kernel.config import Sources\n"
        "from atrio.kernel.host import boot\n"
        "from atrio.kernel.tasks import Task\n"
        "kernel = boot(Sources(None, {}, {}, {'storage.data_dir': sys.argv[1]}))\n"
        "seen = {}\n"
        "def handler(ctx, number): seen[number] = time.perf_counter()\n"
        "kernel.jobs.declare(None, Task('kernel.bench', handler))\n"
        "kernel.start(consume=True)\n"
        "time.sleep(1)\n"
        "times = []\n"
        "for number in range(100):\n"
        "    began = kernel.run(lambda ctx: (ctx.defer('kernel.bench', number=number), time.perf_counter())[1])\n"
        "    began = time.perf_counter()\n"
        "    while number not in seen and time.perf_counter() - began < 5: time.sleep(0.001)\n"
        "    times.append(max(0, seen[number] - began) * 1000)\n"
        "    time.sleep(0.01)\n"
        "kernel.stop()\n"
        "print(statistics.median(times), max(times))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True,
        env={**os.environ, "ATRIO_LOG__LEVEL": "error"},
    )  # fmt: skip
    median, worst = (float(x) for x in done.stdout.split()[-2:])
    row("job: commit to run, p50", f"{median:.0f} ms", "50 ms", f"worst {worst:.0f} ms")


def bench_start(folder: Path) -> None:
    """CPU until the first answer, and of `atrio --help`."""
    server = Server(folder)
    spent = cpu_seconds(server.pid)
    row("start to first answer, CPU", f"{spent:.2f} s", "0.8 s", "database already there")
    time.sleep(2)
    row("idle, resident", f"{resident_mib(server.pid):.0f} MiB", "90 MiB")
    row("Ctrl-C to exit", f"{server.stop():.1f} s", "5 s")
    for words, aim in ((["--help"], "0.25 s"), (["plugins", "list"], "0.3 s")):
        best = min(_child_cpu([sys.executable, "-m", "atrio.kernel.cli", *words]) for _ in range(5))
        row(f"atrio {' '.join(words)}, CPU", f"{best:.2f} s", aim)


def _child_cpu(command: list[str]) -> float:
    before = os.times()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return (after.children_user + after.children_system) - (before.children_user + before.children_system)


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = Server(folder)
        server.sign_in()
        space, note = fill(server, folder)
        sqlite3.connect(folder / "atrio.db").execute("ANALYZE").close()
        parts: dict[str, Callable[[], None]] = {
            "reads": lambda: bench_reads(server, folder, space, note, chosen.rounds),
            "writers": lambda: bench_writers(server, space),
            "bytes": lambda: bench_bytes(server, space, chosen.mib),
        }
        for part, call in parts.items():
            if not chosen.only or part in chosen.only.split(","):
                call()
        server.stop()
        if not chosen.only or "start" in chosen.only.split(","):
            bench_start(folder)
        if not chosen.only or "jobs" in chosen.only.split(","):
            bench_jobs(folder)
    if chosen.write:
        lines = [
            "# Benchmarks\n",
            "Written by `make bench ARGS='--write docs/benchmarks.md'`. Ratios are against a bare Starlette "
            "endpoint on Hypercorn that runs the same SQL through sqlite3 and dumps the same objects with "
            "orjson, in the same run; CPU is that of the server process. The machine is shared: read ratios "
            "and orders of size, not milliseconds.\n",
            "| what | measured | aim | beside |", "| --- | --- | --- | --- |",
            *(f"| {a} | {b} | {c} | {d} |" for a, b, c, d in ROWS),
        ]  # fmt: skip
        chosen.write.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
