"""The drive beside Debian's Apache (mod_dav) and plain wsgidav on its own server: the same requests, one run.

Apache and cheroot are asked for by `make bench` alone; without them their columns are left out.
"""

from __future__ import annotations

import base64
import http.client
import itertools
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from load import cpu_seconds, resident_mib
from server import PASSWORD, Server, free_port

BLOCK = os.urandom(1024 * 1024)
NUMBER = itertools.count()
FRESH = (number.to_bytes(8, "big") + BLOCK[8:] for number in itertools.count(1 << 32))
"""Bodies of a megabyte, no two alike, so that no server finds them among what it has."""
FOLDERS, FILES = 5, 1000
WHO = base64.b64encode(f"admin@admin.admin:{PASSWORD}".encode()).decode()
LOCK = (
    b'<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    b"<D:locktype><D:write/></D:locktype></D:lockinfo>"
)
MODULES = ("mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "dav", "dav_fs")

Row = Callable[..., None]


@dataclass
class Target:
    """A server with a folder that may be written; `pid` is that of the process that is measured.

    `behind` tells which files hold what was saved under a path, so that they can be brought to the disk.
    """

    name: str
    port: int
    root: str
    pid: int
    behind: Callable[[str], list[Path]] = lambda path: []

    def open(self) -> http.client.HTTPConnection:
        """Return a connection."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=600, blocksize=1024 * 1024)


class Client:
    """Requests on one connection that is opened anew when the server has closed it."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.connection = target.open()

    def __call__(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """Send a request below the folder and read its answer."""
        given = {"Authorization": f"Basic {WHO}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        for attempt in (0, 1):
            try:
                self.connection.request(method, self.target.root + path, body, given)
                answer = self.connection.getresponse()
                self.token = answer.headers.get("lock-token", "")
                return answer.status, answer.read()
            except (http.client.HTTPException, OSError):
                self.connection.close()
                self.connection = self.target.open()
                if attempt:
                    raise
        raise AssertionError

    def good(self, method: str, path: str, body: bytes | None = None, **headers: str) -> bytes:
        """Send a request that must succeed."""
        status, answer = self(method, path, body, **headers)
        assert 200 <= status < 300, (self.target.name, method, path, status, answer[:300])
        return answer


def blocks(mib: int) -> Iterator[bytes]:
    """Yield so many MiB, no two alike."""
    for number in range(mib):
        yield number.to_bytes(8, "big") + BLOCK[8:]


def put_large(target: Target, name: str, mib: int) -> float:
    """Upload a large file; returns seconds. What others left for the disk to do is done before."""
    os.sync()
    began = time.perf_counter()
    connection = target.open()
    headers = {"Authorization": f"Basic {WHO}", "Content-Length": str(mib * 1024 * 1024)}
    connection.request("PUT", f"{target.root}/{name}", blocks(mib), headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status in (201, 204), (target.name, answer.status)
    connection.close()
    return time.perf_counter() - began


def put_to_disk(target: Target, name: str, mib: int) -> float:
    """Upload a large file; returns the seconds until its bytes are on the disk."""
    return put_large(target, name, mib) + once(os.sync)


def in_folder(files: Path) -> Callable[[str], list[Path]]:
    """Return what plain servers write for a path: the file and the folder that names it."""
    return lambda path: [files / path.strip("/"), (files / path.strip("/")).parent]


def settle(target: Target, path: str) -> None:
    """Bring what was saved under a path to the disk, as far as the server has not done it."""
    for each in target.behind(path):
        handle = os.open(each, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def put_fresh(dav: Client, path: str, size: int, *, to_disk: bool = False) -> None:
    """Save bytes that nobody has saved before; with `to_disk` they are on the disk afterwards."""
    dav.good("PUT", path, next(FRESH)[:size])
    if to_disk:
        settle(dav.target, path)


def get_large(target: Target, name: str, mib: int) -> float:
    """Download it; returns seconds. The last block is looked at."""
    began = time.perf_counter()
    connection = target.open()
    connection.request("GET", f"{target.root}/{name}", headers={"Authorization": f"Basic {WHO}"})
    answer = connection.getresponse()
    size, last = 0, b""
    while data := answer.read(1024 * 1024):
        size += len(data)
        last = (last + data)[-len(BLOCK) :]
    assert size == mib * 1024 * 1024
    assert last == (mib - 1).to_bytes(8, "big") + BLOCK[8:]
    connection.close()
    return time.perf_counter() - began


def median(call: Callable[[], object], times: int) -> float:
    """Return the median of seconds."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def once(call: Callable[[], object]) -> float:
    """Return the seconds of one call."""
    return median(call, 1)


def measure(target: Target, mib: int) -> dict[str, float]:
    """Return seconds by row."""
    dav = Client(target)
    found = {
        f"PUT {mib} MiB": put_large(target, "big.bin", mib), f"GET {mib} MiB": get_large(target, "big.bin", mib)
    }  # fmt: skip
    dav.good("DELETE", "/big.bin")
    found[f"PUT {mib} MiB and on the disk"] = min(put_to_disk(target, f"sync{n}.bin", mib) for n in range(2))
    for number in range(2):
        dav.good("DELETE", f"/sync{number}.bin")
    megabyte = len(BLOCK)
    found["PUT 1 MiB"] = median(lambda: put_fresh(dav, "/small.bin", megabyte), 60)
    disk = median(lambda: put_fresh(dav, "/small.bin", megabyte, to_disk=True), 60)
    found["PUT 1 MiB and on the disk"] = disk
    found["GET 1 MiB"] = median(lambda: dav.good("GET", "/small.bin"), 60)
    found["PUT 16 bytes"] = median(lambda: put_fresh(dav, "/tiny.bin", 16), 200)
    found["PUT 16 bytes and on the disk"] = median(lambda: put_fresh(dav, "/tiny.bin", 16, to_disk=True), 200)
    found["PUT 16 bytes, a new name"] = median(lambda: put_fresh(dav, f"/new-{next(NUMBER)}.bin", 16), 100)
    found["PROPFIND, depth 0"] = median(lambda: dav.good("PROPFIND", "/tiny.bin", Depth="0"), 200)
    dav.good("MKCOL", "/tree")
    for folder in range(FOLDERS):
        dav.good("MKCOL", f"/tree/{folder}")
        for file in range(FILES):
            dav.good("PUT", f"/tree/{folder}/file-{file:04}.txt", b"x")
    found["PROPFIND, 1,000 entries"] = median(lambda: dav.good("PROPFIND", "/tree/1", Depth="1"), 9)
    found["COPY, 5,000 entries"] = once(lambda: dav.good("COPY", "/tree", Destination=_at(target, "/copy")))
    found["MOVE, 5,000 entries"] = once(lambda: dav.good("MOVE", "/copy", Destination=_at(target, "/moved")))
    found["DELETE, 5,000 entries"] = once(lambda: dav.good("DELETE", "/moved"))
    found["LOCK, PUT refused, PUT, UNLOCK"] = median(lambda: _locked(dav), 50)
    return found


def _at(target: Target, path: str) -> str:
    return f"http://127.0.0.1:{target.port}{target.root}{path}"


def _locked(dav: Client) -> None:
    dav.good("LOCK", "/tiny.bin", LOCK, Timeout="Second-60")
    token = dav.token
    assert dav("PUT", "/tiny.bin", b"no")[0] == 423
    dav.good("PUT", "/tiny.bin", b"yes", If=f"({token})")
    dav.good("UNLOCK", "/tiny.bin", Lock_Token=token)


@contextmanager
def apache(folder: Path) -> Iterator[Target | None]:
    """Debian's Apache with mod_dav, Basic and nothing else."""
    program = shutil.which("apache2")
    if program is None:
        yield None
        return
    port = free_port()
    for name in ("files", "locks"):
        (folder / name).mkdir(parents=True)
    for path in (folder.parents[1], folder.parents[0], folder):
        path.chmod(0o755)  # Apache runs as another user
    for path in (folder / "files", folder / "locks"):
        path.chmod(0o777)
    words = subprocess.run(
        ["openssl", "passwd", "-apr1", PASSWORD], capture_output=True, text=True, check=True
    ).stdout.strip()
    (folder / "users").write_text(f"admin@admin.admin:{words}\n")
    modules = "\n".join(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so" for m in MODULES)
    (folder / "apache.conf").write_text(
        f"{modules}\nServerName localhost\nServerRoot {folder}\nDocumentRoot {folder}/files\n"
        f"PidFile {folder}/pid\n"
        f"Listen 127.0.0.1:{port}\nErrorLog {folder}/error.log\nUser www-data\nGroup www-data\nMutex pthread\n"
        f"DavLockDB {folder}/locks/db\nMaxKeepAliveRequests 0\nDavDepthInfinity on\n"
        f"<Directory {folder}/files>\nDav on\nAuthType Basic\nAuthName x\nAuthUserFile {folder}/users\n"
        "Require valid-user\n</Directory>\n"
    )
    running = subprocess.Popen([program, "-DFOREGROUND", "-f", str(folder / "apache.conf")])
    try:
        target = Target("Apache", port, "", running.pid, in_folder(folder / "files"))
        _wait(target)
        yield target
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(20)


@contextmanager
def plain(folder: Path) -> Iterator[Target | None]:
    """wsgidav's own server on a folder of the disk."""
    try:
        import cheroot  # noqa: F401
    except ImportError:
        yield None
        return
    port = free_port()
    (folder / "files").mkdir(parents=True)
    (folder / "wsgidav.yaml").write_text(
        f"host: 127.0.0.1\nport: {port}\nserver: cheroot\nverbose: 0\nprovider_mapping:\n  '/': {folder}/files\n"
        "http_authenticator: {accept_basic: true, accept_digest: false, default_to_digest: false}\n"
        f"simple_dc: {{user_mapping: {{'*': {{'admin@admin.admin': {{password: '{PASSWORD}'}}}}}}}}\n"
        "lock_storage: true\nproperty_manager: true\nlogging: {enable: false}\n"
    )
    running = subprocess.Popen(
        [sys.executable, "-m", "wsgidav.server.server_cli", "-c", str(folder / "wsgidav.yaml")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        target = Target("wsgidav", port, "", running.pid, in_folder(folder / "files"))
        _wait(target)
        yield target
    finally:
        running.send_signal(signal.SIGINT)
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()


def _wait(target: Target) -> None:
    for _ in range(200):
        try:
            Client(target)("OPTIONS", "/")
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{target.name} did not start")


def rest(pid: int) -> None:
    """Wait until a server has done what it does behind its answers, for two minutes at most.

    Some of that is put off for seconds, to be done once for several answers.
    """
    quiet = 0
    for _ in range(120):
        before = cpu_seconds(pid)
        time.sleep(1)
        quiet = quiet + 1 if cpu_seconds(pid) - before < 0.03 else 0
        if quiet == 5:
            return


def others(server: Server, target: Target, row: Row, mib: int) -> None:
    """What two large uploads do to those who ask for something small, and to the memory of the process."""

    def ask(times: int) -> list[float]:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        found = []
        for _ in range(times):
            began = time.perf_counter()
            connection.request("GET", "/api/auth/whoami", headers=server.headers)
            connection.getresponse().read()
            found.append(time.perf_counter() - began)
            time.sleep(0.005)
        connection.close()
        return sorted(found)

    rest(server.pid)
    idle = ask(400)
    before = resident_mib(server.pid)
    words = [sys.executable, __file__, str(target.port), target.root]
    uploads = [subprocess.Popen([*words, f"both{n}.bin", str(mib)]) for n in range(2)]
    busy: list[float] = []
    peak = before
    while any(each.poll() is None for each in uploads):
        busy += ask(20)
        peak = max(peak, resident_mib(server.pid))
    busy.sort()
    p95, during = idle[int(len(idle) * 0.95)], busy[int(len(busy) * 0.95)]
    row(
        "drive: p95 of a small request during two large uploads", f"{during / p95:.1f}x", "3x",
        f"{during * 1000:.1f} ms, {p95 * 1000:.1f} ms idle; the client runs on the same two cores",
    )  # fmt: skip
    row("drive: memory during two large uploads", f"+{peak - before:.0f} MiB", "64 MiB", f"{mib} MiB each")


AIMS = {"PUT": "1.43x", "GET": "2.5x", "PROPFIND, 1": "3x"}
"""How much longer than Apache: 0.7 and 0.4 of its speed for large bodies, three times its listing."""


def bench_drive(folder: Path, row: Row, mib: int) -> None:
    """Measure all three and compare."""
    found: dict[str, dict[str, float]] = {}
    with apache(folder / "apache") as target:
        if target is not None:
            found["Apache"] = measure(target, mib)
    with plain(folder / "wsgidav") as target:
        if target is not None:
            found["wsgidav"] = measure(target, mib)
    server = Server(folder / "atrio", ATRIO_WEBDAV__LITTER="")
    server.sign_in()
    body = {"label": "Bench", "description": "", "access_type": "open", "default_user_role": "reader"}
    server.call("POST", "/api/workspaces", body)
    # Bytes are on the disk when it answers; what SQLite committed is in its log, which it syncs now and then.
    log = folder / "atrio" / "atrio.db-wal"
    mine = Target("Atrio", server.port, "/webdav/Bench.space", server.pid, lambda path: [log])
    found["Atrio"] = measure(mine, mib)
    server.call("POST", "/api/workspaces", {**body, "label": "Other"})
    other = f"http://127.0.0.1:{server.port}/webdav/Other.space/tree"
    across = once(lambda: Client(mine).good("MOVE", "/tree", Destination=other))
    row("drive: MOVE of 5,000 entries to another space", f"{across:.2f} s", "2 s")
    others(server, mine, row, mib)
    server.stop()
    if "Apache" in found:
        _unsynced(folder / "unsynced", found["Apache"][f"PUT {mib} MiB"], row, mib)
    for name, seconds in found["Atrio"].items():
        large = f" {mib} MiB" in name
        aim = next((a for k, a in AIMS.items() if name.startswith(k) and (large or k not in ("PUT", "GET"))), "")
        beside = ", ".join(f"{who} {_shown(found[who][name])}" for who in ("Apache", "wsgidav") if who in found)
        if "Apache" in found:
            ratio = f"{seconds / found['Apache'][name]:.2f}x"
            row(f"drive: {name}, time against Apache's", ratio, aim, f"{_shown(seconds)}; {beside}")
        if "wsgidav" in found:
            row(f"drive: {name}, time against wsgidav's", f"{seconds / found['wsgidav'][name]:.2f}x", "1x")


def _unsynced(folder: Path, apache_seconds: float, row: Row, mib: int) -> None:
    """The same upload without waiting for the disk, as the other servers do."""
    server = Server(folder, ATRIO_STORAGE__FSYNC="false")
    server.sign_in()
    body = {"label": "Bench", "description": "", "access_type": "open", "default_user_role": "reader"}
    server.call("POST", "/api/workspaces", body)
    mine = Target("Atrio", server.port, "/webdav/Bench.space", server.pid)
    seconds = min(put_large(mine, f"{n}.bin", mib) for n in range(2))
    name = f"drive: PUT {mib} MiB without fsync, as the others, time against Apache's"
    row(name, f"{seconds / apache_seconds:.2f}x", AIMS["PUT"], f"{_shown(seconds)}; the better of two")
    server.stop()


def _shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.2g} ms"


if __name__ == "__main__":  # one of the two uploads of `others`
    put_large(Target("Atrio", int(sys.argv[1]), sys.argv[2], 0), sys.argv[3], int(sys.argv[4]))
