"""`make bench`: ratios against the bare limit measured in the same run, and sizes.

Prints a Markdown table; `--write docs/benchmarks.md` puts it into the docs. No number here is a test.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import core
import mail
import page
from calendars import bench_calendars
from doors import bench_doors
from drive import bench_drive
from fill import Filler
from load import cpu_seconds, resident_mib, run
from preview import bench_preview
from search import bench_search
from server import Server
from soak import soak

ROWS: list[page.Row] = []
WHY = {
    "whoami": "a third is the socket and HTTP, the rest the hop to a thread, the session and the dump",
    "one note": "as whoami; beside it the rights and the note",
    "list of 1,000 contents": "well over half is sqlite3 handing over 30 columns a row, as for the bare endpoint; "
    "fewer columns need a second statement for the people",
    "list of 100 comments": "the rows from sqlite3 and their dump are two thirds",
    "create a note": "eight writes in a unit, four savepoints, and the wait for the disk",
    "upload of 1 MiB": "a third each: the event loop, the unit of work, hash and file",
    "drive: PUT 1024 MiB and": "the bytes are on the disk before the answer; the others leave that to the system",
    "drive: PUT 16 bytes": "a save is a revision with its event, its place in the search and two jobs, in a "
    "transaction; file, folder and log are on the disk before the answer; the others write a file",
    "drive: PUT 1 MiB": "see PUT of 16 bytes; beside it the hash",
    "start": "a fifth is SQLAlchemy's import, an eighth the making of dataclasses",
    "calendar: uid": "nearly all of it is the way of any request; beside it parses every entry",
    "drive: PROPFIND, depth 0": "four SELECTs for who asks, his spaces, the way to it, locks and properties, and "
    "the hop to a thread and back",
    "drive: LOCK": "four requests, one of them a save; locks are rows of the database",
    "drive: COPY": "two rows with all their indexes for each entry",
    "search: two frequent": "half of it is the index of words, which gives 43,591 numbers; such words stand in "
    "nearly half of all contents",
    "drive: PUT 1024 MiB without": "the system writes out what came before while it takes this in",
    "search: edit": "2 KB of other words at each edit: the index forgets 300 words and learns 300, in the unit "
    "that writes, so that what is saved is found",
    "drive: p95": "the client and both uploads run on the same two cores",
}
"""Where the time of a row goes that may miss its aim, from profiles."""


def row(name: str, value: str, limit: str, note: str = "") -> None:
    """Add a row and show it; CPU where a row names no other unit."""
    ROWS.append((name, value, limit, note, f"{os.getloadavg()[0]:.1f}"))
    print(f"{name}: {value}   (aim {limit}) {note}", flush=True)


def bench_core(folder: Path, wanted: set[str], rounds: int, mib: int) -> None:
    """The core routes on a large instance, many writers, large bodies."""
    server = Server(folder)
    server.sign_in()
    body = {"label": "Bench", "description": "", "access_type": "open", "default_user_role": "reader"}
    space = server.call("POST", "/api/workspaces", body)["workspace_id"]
    fresh = server.call("POST", "/api/workspaces", {**body, "label": "Fresh"})["workspace_id"]
    bench = core.Bench(server, row, rounds)
    if not wanted or "core" in wanted:
        small = core.created(bench, fresh)
        filler = Filler(folder / "atrio.db")
        began = time.perf_counter()
        world = core.fill(filler, space)
        print(f"filled in {time.perf_counter() - began:.0f} s", flush=True)
        core.reads(bench, folder, world)
        core.pages(bench, filler, world)
        core.signing_in(bench)
        core.writes(bench, world, small)
        core.crowd(bench, world)
        filler.close()
    if not wanted or "writers" in wanted:
        bench_writers(server, fresh)
    if not wanted or "bytes" in wanted:
        bench_bytes(server, space, mib)
    server.stop()


def bench_writers(server: Server, space: int) -> None:
    """Sixteen writers on SQLite."""
    path = f"/api/workspaces/{space}/contents"
    found = run(
        server.pid, server.port, server.headers, 16, 60,
        lambda c, n: ("POST", path, core.note(f"w{c}-{n}-{time.time_ns()}")),
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


def bench_streams() -> None:
    """Event streams: what one costs open, what a delivered message costs, how late it comes."""
    options = argparse.Namespace(
        streams=5000, members=50, rate=50.0, writers=8, seconds=15.0, storms=5, storm=1000, kill=True
    )
    with tempfile.TemporaryDirectory() as name:
        found = asyncio.run(soak(Path(name), options))
    many = f"{options.streams} streams, {found['events a second']} events/s to {options.members} users each"
    cost, bare = found["CPU a delivered message, µs"], found["bare CPU a block, µs"]
    row(
        "memory of an open stream", f"{found['KiB a stream']} KiB", "", f"{options.streams} streams in one process"
    )
    row("message delivered, with its share of the write", f"{cost} µs", "", f"{bare} µs bare socket write; {many}")
    row(
        "delay from request to delivery, p99", f"{found['delay p99, ms']} ms", "250 ms",
        f"p50 {found['delay p50, ms']} ms, the write included; {many}; clients on the same two cores",
    )  # fmt: skip
    wrong = found["clients with a wrong set"]
    row(
        "clients with a message missing or twice", str(wrong), "0",
        f"after {options.storms} storms of {options.storm} reconnects and kill -9 while writing",
    )  # fmt: skip


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    wanted = set(filter(None, chosen.only.split(",")))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not wanted or wanted & {"core", "writers", "bytes"}:
            bench_core(folder, wanted, chosen.rounds, chosen.mib)
        elif wanted & {"start", "jobs"}:
            Server(folder).stop()
        if not wanted or "start" in wanted:
            bench_start(folder)
        if not wanted or "jobs" in wanted:
            bench_jobs(folder)
        if not wanted or "search" in wanted:
            bench_search(folder / "search", row, chosen.rounds)
        if not wanted or "preview" in wanted:
            bench_preview(folder / "preview", row, chosen.rounds)
        if not wanted or "doors" in wanted:
            bench_doors(folder / "doors", row, chosen.mib)
        if not wanted or "drive" in wanted:
            bench_drive(folder / "drive", row, chosen.mib)
    if not wanted or "mail" in wanted:
        with tempfile.TemporaryDirectory() as name:
            mail.bench_requests(Path(name), row)
            mail.bench_delivery(Path(name), row)
    if not wanted or "calendars" in wanted:
        with tempfile.TemporaryDirectory() as name:
            bench_calendars(Path(name) / "calendars", row)
    if not wanted or "streams" in wanted:
        bench_streams()
    if chosen.write:
        page.write(chosen.write, ROWS, WHY)


if __name__ == "__main__":
    main()
