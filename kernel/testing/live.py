"""A real server for tests: a child process on a free port of the loopback, with its own data directory."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .plugin import ADMIN, PASSWORD


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Wire:
    """One connection on which requests follow each other."""

    def __init__(self, port: int, *, tls: bool = False, timeout: float = 20) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.socket: socket.socket = context.wrap_socket(plain)
        else:
            self.socket = plain
        self.file = self.socket.makefile("rb")

    def send(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> None:
        """Send a request."""
        given = {"host": "localhost", "content-length": str(len(body)), **(headers or {})}
        head = "".join(f"{k}: {v}\r\n" for k, v in given.items())
        self.socket.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)

    def read(self) -> tuple[int, dict[str, str], bytes]:
        """Read an answer with a length."""
        status = int(self.file.readline().split()[1])
        headers: dict[str, str] = {}
        while (line := self.file.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, self.file.read(int(headers.get("content-length", "0")))

    def call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request and read its answer."""
        self.send(method, path, headers, body)
        return self.read()

    def close(self) -> None:
        """Close."""
        self.file.close()
        self.socket.close()


class LiveServer:
    """`atrio serve` as people run it; `env` and `arguments` are added."""

    def __init__(
        self, folder: Path, *, env: Mapping[str, str] | None = None, arguments: Sequence[str] = (),
        command: Sequence[str] | None = None, port: int | None = None, tls: bool = False,
    ) -> None:  # fmt: skip
        self.port = port or free_port()
        self.tls = tls
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        clean = {k: v for k, v in os.environ.items() if not k.startswith("ATRIO_")}
        self.env = {
            **clean, "ATRIO_DATA_DIR": str(folder / "data"), "ATRIO_BIND": f"127.0.0.1:{self.port}",
            "ATRIO_ADMIN_PASSWORD": PASSWORD, **(env or {}),
        }  # fmt: skip
        self.log = folder / "server.log"
        words = list(command or [sys.executable, "-m", "atrio.kernel.cli", "serve"])
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([*words, *arguments], env=self.env, stdout=log, stderr=log, cwd=folder)
        self.wait()

    def wait(self, seconds: float = 40) -> None:
        """Wait until it answers; the log is shown when it does not."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                wire = Wire(self.port, tls=self.tls, timeout=5)
                status, _, _ = wire.call("GET", "/health/live")
                wire.close()
                if status == 200:
                    return
            except (OSError, IndexError, ValueError):
                time.sleep(0.05)
        raise AssertionError(f"the server did not start:\n{self.log.read_text()[-4000:]}")

    @property
    def basic(self) -> dict[str, str]:
        """The administrator's credentials."""
        token = base64.b64encode(f"{ADMIN}:{PASSWORD}".encode()).decode()
        return {"authorization": f"Basic {token}"}

    def call(self, method: str, path: str, value: Any = None, **headers: str) -> tuple[int, Any]:
        """Make one request as the administrator, on a connection of its own."""
        wire = Wire(self.port, tls=self.tls)
        body = json.dumps(value).encode() if value is not None else b""
        given = {**self.basic, "content-type": "application/json", **headers}
        status, _, answer = wire.call(method, path, given, body)
        wire.close()
        try:
            return status, json.loads(answer) if answer else None
        except ValueError:
            return status, answer

    def space(self, label: str = "Alpha") -> int:
        """Create a space and return its id."""
        body = {"label": label, "description": "", "access_type": "open", "default_user_role": "reader"}
        status, answer = self.call("POST", "/api/workspaces", body)
        assert status == 200, answer
        return int(answer["workspace_id"])

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def stop(self, number: int = signal.SIGINT, seconds: float = 20) -> tuple[int, float]:
        """End it; returns the exit code and the seconds it took."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        return code, time.monotonic() - began


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for `localhost` and its key; returns both paths. Needs the package cryptography."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    cert_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return cert_path, key_path
