"""The two processes that are measured: Atrio, and the bare endpoint beside it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from load import Connection

HERE = Path(__file__).parent
PASSWORD = "bench-password"


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Server:
    """A real `atrio serve` on a data directory."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.port = free_port()
        self.env = {
            **{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
            "ATRIO_DATA_DIR": str(folder), "ATRIO_BIND": f"127.0.0.1:{self.port}",
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

    def session(self, login: str = "admin@admin.admin") -> dict[str, str]:
        """Open a session and return the headers that carry it."""
        body = json.dumps({"email" if "@" in login else "username": login, "password": PASSWORD}).encode()
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
                cookie = line.partition(b":")[2].strip().split(b";")[0].decode()
                return {"cookie": cookie, "content-type": "application/json"}
        raise SystemExit(f"cannot sign in: {answer[:300]!r}")

    def sign_in(self) -> None:
        """Open the administrator's session."""
        self.headers = self.session()

    def call(self, method: str, path: str, value: Any = None, headers: dict[str, str] | None = None) -> Any:
        """Make one request and return its JSON; as the one who signed in unless headers say otherwise."""
        connection = Connection(self.port, self.headers if headers is None else headers)
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


CAPTURE = """
import json, sys
from atrio.kernel.config import Sources
from atrio.kernel.host import boot
from atrio.kernel.db import statement
from atrio.kernel.testing.client import Client
folder, cookie, paths = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
kernel = boot(Sources(None, {}, {}, {'storage.data_dir': folder}))
run = statement.Statement._run
steps = []
def spy(self, ctx, params):
    cursor, compiled = run(self, ctx, params)
    values = {**compiled.constants, **params}
    given = [values[n] for n in compiled.positions]
    steps.append({'sql': compiled.text, 'values': given, 'names': list(self.keys)})
    return cursor, compiled
statement.Statement._run = spy
client = Client(kernel.app)
client.cookies['session_key'] = cookie
routes = {}
for name, (shape, path) in paths.items():
    client.get(path)
    steps.clear()
    assert client.get(path).status == 200, path
    routes[name] = {'shape': shape, 'steps': list(steps)}
print(json.dumps({'database': folder + '/atrio.db', 'routes': routes}))
"""


class Bare:
    """The bare endpoint, with the SQL and the values that Atrio itself runs for these paths."""

    def __init__(self, folder: Path, cookie: str, paths: Mapping[str, tuple[str, str]]) -> None:
        done = subprocess.run(
            [sys.executable, "-c", CAPTURE, str(folder), cookie.partition("=")[2], json.dumps(dict(paths))],
            capture_output=True, text=True, check=False, env={**os.environ, "ATRIO_LOG__LEVEL": "error"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        plan = folder / "plan.json"
        plan.write_text(done.stdout)
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "bare.py"), str(self.port)], env={**os.environ, "BENCH_PLAN": str(plan)}
        )
        self.pid = self.process.pid
        for _ in range(200):
            try:
                Connection(self.port, {}).close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit("the bare endpoint did not start")

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()
