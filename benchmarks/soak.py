"""Many open streams on a real server while people write: cost, delay, and whether anybody lost a message.

Phases: open all streams; write at a steady rate; break and resume a part of them again and again while writers
run; kill the server in the middle of writing and start it anew. At the end each client must hold exactly the
messages of its inbox, each once. Everything stays on the loopback and ends by itself; exit code 1 when a message
is missing or came twice.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from fill import Filler
from load import cpu_seconds, resident_mib
from server import PASSWORD, Server

BASIC = base64.b64encode(f"admin@admin.admin:{PASSWORD}".encode()).decode()
RECONNECT = 0.2


class Tab(asyncio.Protocol):
    """One client: its stream, what it got, and how it comes back."""

    def __init__(self, soak: Soak, user_id: int) -> None:
        self.soak = soak
        self.user_id = user_id
        self.got: list[int] = []
        self.last = soak.start_id
        self.transport: asyncio.Transport | None = None
        self.buffer = b""
        self.wanted = True
        self.open = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def connect(self) -> None:
        """Come, now or as soon as the server lets us."""
        self._task = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        while self.wanted:
            try:
                await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self.soak.port)
            except OSError:
                await asyncio.sleep(RECONNECT)
            else:
                return

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.buffer = b""
        self.head = True
        transport.write(
            f"GET /api/users/{self.user_id}/live_messages HTTP/1.0\r\nhost: x\r\naccept: text/event-stream\r\n"
            f"authorization: Basic {BASIC}\r\nlast-event-id: {self.last}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.head:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            self.head = False
            self.buffer = rest
            if b" 200 " not in head.partition(b"\r\n")[0]:
                self.soak.refused += 1
                if self.transport is not None:
                    self.transport.abort()
                return
        *whole, self.buffer = self.buffer.split(b"\n\n")
        for block in whole:
            if block.startswith(b"id: "):
                self._message(block)
            elif block.startswith(b"event: stream-open"):
                self.open.set()

    def _message(self, block: bytes) -> None:
        self.soak.blocks += 1
        self.soak.bytes += len(block)
        number = int(block[4 : block.index(b"\n")])
        self.got.append(number)
        self.last = number
        place = block.find(b'"label":"sent ')
        if place > 0 and b"\nevent: message" in block:
            sent = float(block[place + 14 : block.index(b'"', place + 14)])
            self.soak.delays.append(time.time() - sent)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.transport = None
        self.open.clear()
        if self.wanted:
            asyncio.get_running_loop().call_later(RECONNECT * random.random(), self.connect)

    def drop(self) -> None:
        """Break the connection, as a train in a tunnel does."""
        if self.transport is not None:
            self.transport.abort()


class Soak:
    """A server with spaces of users, each with an open stream, and writers."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder = folder
        self.options = options
        self.delays: list[float] = []
        self.refused = 0
        self.blocks = 0
        self.bytes = 0
        self.written = 0
        self.failed = 0
        self.start_id = 0
        self.env = {"ATRIO_LOG__LEVEL": "error", "ATRIO_SERVER__ACCESS_LOG": "false"}
        self.server = Server(folder, **self.env)
        self.port = self.server.port
        self.server.sign_in()
        self.notes: list[tuple[int, int]] = []
        self.users: list[int] = []
        self._prepare()
        self.tabs = [Tab(self, user) for user in self.users]
        self.writing = False

    def _prepare(self) -> None:
        options, call = self.options, self.server.call
        body = {"description": "", "access_type": "confidential", "default_user_role": "reader"}
        spaces = [
            call("POST", "/api/workspaces", {**body, "label": f"Space {n}"})["workspace_id"]
            for n in range(max(1, options.streams // options.members))
        ]
        for space in spaces:
            made = call(
                "POST", f"/api/workspaces/{space}/contents", {"label": "x", "content_type": "html-document"}
            )
            self.notes.append((space, made["content_id"]))
        filler = Filler(self.folder / "atrio.db")
        self.users = filler.users(options.streams)
        filler.members(((spaces[i % len(spaces)], user) for i, user in enumerate(self.users)), "reader")
        filler.close()
        with sqlite3.connect(self.folder / "atrio.db") as database:
            (self.start_id,) = database.execute("SELECT value FROM live_counter").fetchone()

    async def write(self, number: int) -> None:
        """Write one after the other, `number` th of the writers, at its share of the rate."""
        pause = self.options.writers / self.options.rate
        while self.writing:
            began = time.time()
            space, note = random.choice(self.notes)
            label = f"sent {time.time():.6f}"
            body = json.dumps({"label": label}).encode()
            try:
                await self._put(f"/api/workspaces/{space}/html-documents/{note}", body)
                self.written += 1
            except (OSError, asyncio.IncompleteReadError, ValueError, IndexError):
                self.failed += 1
                await asyncio.sleep(RECONNECT)
            await asyncio.sleep(max(0.0, pause - (time.time() - began)))

    async def _put(self, path: str, body: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = (
            f"PUT {path} HTTP/1.0\r\nhost: x\r\nauthorization: Basic {BASIC}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = await reader.read()
        writer.close()
        if int(answer.split(None, 2)[1]) != 200:
            raise ValueError(answer[:200])

    async def all_open(self) -> None:
        """Wait until every stream is open."""
        await asyncio.wait_for(asyncio.gather(*(tab.open.wait() for tab in self.tabs)), 180)

    async def write_for(self, seconds: float) -> None:
        """Let the writers run for some seconds."""
        self.writing = True
        tasks = [asyncio.create_task(self.write(n)) for n in range(self.options.writers)]
        await asyncio.sleep(seconds)
        self.writing = False
        await asyncio.gather(*tasks)

    async def storms(self) -> None:
        """Break a part of the streams, again and again, while writers run."""
        self.writing = True
        tasks = [asyncio.create_task(self.write(n)) for n in range(self.options.writers)]
        for _ in range(self.options.storms):
            for tab in random.sample(self.tabs, min(self.options.storm, len(self.tabs))):
                tab.drop()
            await asyncio.sleep(1)
        self.writing = False
        await asyncio.gather(*tasks)
        await self.all_open()

    async def kill(self) -> None:
        """Kill the server while writers run, and start it anew at the same port."""
        self.writing = True
        tasks = [asyncio.create_task(self.write(n)) for n in range(self.options.writers)]
        await asyncio.sleep(1.5)
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.wait()
        self.server.process = subprocess.Popen(
            [sys.executable, "-m", "atrio.kernel.cli", "serve"], env=self.server.env, stdout=subprocess.DEVNULL
        )
        self.server.pid = self.server.process.pid
        await asyncio.to_thread(self.server.wait)
        await asyncio.sleep(3)
        self.writing = False
        await asyncio.gather(*tasks)
        await self.all_open()

    async def settle(self) -> list[str]:
        """Wait until everybody has everything; return what is wrong."""
        with sqlite3.connect(self.folder / "atrio.db") as database:
            rows = database.execute(
                "SELECT user_id, event_id FROM live_message WHERE event_id > ? ORDER BY event_id", (self.start_id,)
            ).fetchall()
        wanted: dict[int, list[int]] = {}
        for user_id, event_id in rows:
            wanted.setdefault(user_id, []).append(event_id)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if all(len(tab.got) >= len(wanted.get(tab.user_id, ())) for tab in self.tabs):
                break
            await asyncio.sleep(0.2)
        await asyncio.sleep(0.5)
        wrong = []
        for tab in self.tabs:
            mine = wanted.get(tab.user_id, [])
            if tab.got != mine:
                missing, extra = set(mine) - set(tab.got), len(tab.got) - len(set(tab.got))
                wrong.append(f"user {tab.user_id}: {len(missing)} missing, {extra} twice, {len(tab.got)} got")
        return wrong

    def close(self) -> None:
        """End everything."""
        for tab in self.tabs:
            tab.wanted = False
            tab.drop()
        self.server.stop()


async def soak(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Run all phases; returns the figures."""
    run = Soak(folder, options)
    figures: dict[str, Any] = {"streams": options.streams}
    try:
        before = resident_mib(run.server.pid)
        began = time.perf_counter()
        for tab in run.tabs:
            tab.connect()
            if tab.user_id % 50 == 0:
                await asyncio.sleep(0)
        await run.all_open()
        figures["seconds to open all"] = round(time.perf_counter() - began, 1)
        await asyncio.sleep(1)
        figures["KiB a stream"] = round((resident_mib(run.server.pid) - before) * 1024 / options.streams, 1)
        idle = cpu_seconds(run.server.pid)
        await asyncio.sleep(3)
        figures["CPU while idle, %"] = round((cpu_seconds(run.server.pid) - idle) / 3 * 100, 1)
        got = sum(len(tab.got) for tab in run.tabs)
        spent, written, began = cpu_seconds(run.server.pid), run.written, time.perf_counter()
        await run.write_for(options.seconds)
        await asyncio.sleep(1)
        wall = time.perf_counter() - began - 1
        spent = cpu_seconds(run.server.pid) - spent
        delivered = sum(len(tab.got) for tab in run.tabs) - got
        delays = sorted(run.delays)
        figures |= {
            "events a second": round((run.written - written) / wall, 1),
            "messages delivered": delivered,
            "CPU a delivered message, µs": round(spent / max(1, delivered) * 1e6),
            "delay p50, ms": round(delays[len(delays) // 2] * 1000, 1),
            "delay p99, ms": round(delays[int(len(delays) * 0.99)] * 1000, 1),
        }  # fmt: skip
        figures["bare CPU a block, µs"] = await bare(options, round(run.bytes / max(1, run.blocks)))
        if options.storms:
            await run.storms()
        if options.kill:
            await run.kill()
        wrong = await run.settle()
        figures |= {"written": run.written, "writes cut by the kill": run.failed, "refused": run.refused}
        figures["clients with a wrong set"] = len(wrong)
        for line in wrong[:10]:
            print(line, file=sys.stderr)
    finally:
        run.close()
    return figures


class Sink(asyncio.Protocol):
    """A client of the bare server: takes what comes."""


async def bare(options: argparse.Namespace, size: int) -> int:
    """Return the CPU, in microseconds, with which a server that does nothing else writes one block."""
    numbers = (options.streams, size, options.members, options.rate, min(options.seconds, 8))
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).with_name("bare_stream.py")), *map(str, numbers),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout is not None
    port = int(await child.stdout.readline())
    loop = asyncio.get_running_loop()
    clients = [await loop.create_connection(Sink, "127.0.0.1", port) for _ in range(options.streams)]
    cost = int(await child.stdout.readline())
    for transport, _ in clients:
        transport.close()
    await child.wait()
    return cost


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=5000)
    parser.add_argument("--members", type=int, default=50, help="users of each space")
    parser.add_argument("--rate", type=float, default=50, help="events a second")
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--storms", type=int, default=10)
    parser.add_argument("--storm", type=int, default=1000, help="streams that break at once")
    parser.add_argument("--kill", action="store_true", help="kill the server in the middle")
    options = parser.parse_args()
    os.environ.pop("ATRIO_CONFIG", None)
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(soak(Path(folder), options))
    print(json.dumps(figures, indent=2, ensure_ascii=False))
    return 1 if figures["clients with a wrong set"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
