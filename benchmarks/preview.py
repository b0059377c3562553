"""Previews: one that is there beside a static file of the same server; a first one beside Pillow alone."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from load import Connection, Measured, best_of, cpu_seconds, run
from PIL import Image
from server import Server

Row = Callable[..., None]
SIZE = (4000, 3000)
COUNT = 2000
COLD = 25
FORM = (
    b"--bench\r\nContent-Disposition: form-data; name=\"files\"; filename=\"%s\"\r\n"
    b"Content-Type: image/jpeg\r\n\r\n%s\r\n--bench--\r\n"
)  # fmt: skip
EACH = (
    "import sys, time\nfor line in sys.stdin:\n    began = time.process_time()\n    draw(line.strip())\n"
    "    print(time.process_time() - began, flush=True)\n"
)
ALONE = (
    "from PIL import Image\ndef draw(path):\n    with Image.open(path) as image:\n"
    "        image.thumbnail((256, 256), Image.Resampling.LANCZOS, reducing_gap=2.0)\n"
    "        image.save('/dev/null', 'JPEG', quality=85)\n" + EACH
)
"""Pillow's own thumbnail, as it comes."""
SAME = (
    "from atrio.plugins.preview.adapters.pictures import thumbnail\n"
    "def draw(path):\n    thumbnail(path, '/dev/null', 256, 256, 10**9)\n" + EACH
)
"""The very calls of Pillow that the server's child makes: it decodes at half the scale of the other."""


def photograph(seed: int) -> bytes:
    """Return a JPEG of 12 megapixels that looks like one to a decoder: soft shapes, some noise."""
    soft = Image.effect_noise((SIZE[0] // 50, SIZE[1] // 50), 90).resize(SIZE, Image.Resampling.BICUBIC)
    grain = Image.effect_noise(SIZE, 12)
    image = Image.merge("RGB", (soft, Image.blend(soft, grain, 0.3), soft.rotate(seed)))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


class Alone:
    """A process that draws what it is told to, one picture after the other, with all it needs at hand."""

    def __init__(self, script: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.seconds: list[float] = []

    def draw(self, path: Path) -> None:
        """Draw a picture, and note the CPU it took."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        self.seconds.append(float(self.process.stdout.readline()))

    def stop(self) -> float:
        """End it; returns the mean without the first, at which it imported what it needs."""
        self.process.communicate()
        return sum(self.seconds[1:]) / len(self.seconds[1:])


def bench_preview(folder: Path, row: Row, rounds: int) -> None:
    """Measure both."""
    pictures = folder / "pictures"
    pictures.mkdir(parents=True)
    web = folder / "web"
    web.mkdir()
    thumbnail = Image.open(io.BytesIO(photograph(0)))
    thumbnail.thumbnail((256, 256))
    thumbnail.save(web / "picture.jpg", quality=85)
    server = Server(folder / "data", ATRIO_WEB__BRANDING_FOLDER=str(web))
    server.sign_in()
    body = {"label": "Bench", "description": "", "access_type": "open", "default_user_role": "reader"}
    space = server.call("POST", "/api/workspaces", body)["workspace_id"]
    connection = Connection(server.port, server.headers)
    paths = []
    for number in range(COLD):
        data = photograph(number)
        (pictures / f"{number}.jpg").write_bytes(data)
        status, answer = connection.request(
            "POST", f"/api/workspaces/{space}/files", FORM % (b"%d.jpg" % number, data),
            "content-type: multipart/form-data; boundary=bench\r\n",
        )  # fmt: skip
        assert status == 200, answer
        content = int(answer.partition(b'"content_id":')[2].partition(b",")[0])
        paths.append(f"/api/workspaces/{space}/files/{content}/preview/jpg/256x256/x.jpg")
    cold(server, connection, pictures, paths, row)
    cached(server, paths[0], row, rounds)
    connection.close()
    server.stop()


def cold(server: Server, connection: Connection, pictures: Path, paths: list[str], row: Row) -> None:
    """CPU of the server and all its children, in turn with the same work in programs that have Pillow at hand."""
    alone, same = Alone(ALONE), Alone(SAME)
    mine, first, before = [], 0.0, 0.0
    for number, path in enumerate(paths):
        began = time.perf_counter()
        status, answer = connection.request("GET", path)
        mine.append(time.perf_counter() - began)
        assert status == 200, answer
        for one in (alone, same):
            one.draw(pictures / f"{number}.jpg")
        if number == 0:  # each has imported Pillow now
            first, before = mine.pop(), tree_seconds(server.pid)
    limit, least = alone.stop(), same.stop()
    time.sleep(0.5)  # the last child has been waited for
    spent = (tree_seconds(server.pid) - before) / len(mine)
    row(
        "preview: 12 MP JPEG to 256 px, the first time, against Pillow alone", f"{spent / limit:.2f}", "1.3",
        f"{spent * 1000:.0f} ms against {limit * 1000:.0f}, fork and request included; the calls of the child "
        f"in a warm process {least * 1000:.0f} ({spent / least:.2f}); by the clock {median(mine) * 1000:.0f} ms, "
        f"the very first {first * 1000:.0f}",
    )  # fmt: skip


def tree_seconds(pid: int) -> float:
    """Return the CPU of a process and of all its children, those that have ended included."""
    tick = os.sysconf("SC_CLK_TCK")
    total = 0.0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        number, parent = int(entry.parent.name), int(fields[1])
        if number == pid:
            total += cpu_seconds(pid)
        elif parent == pid:
            total += sum(int(ticks) for ticks in fields[11:15]) / tick
    return total


def cached(server: Server, path: str, row: Row, rounds: int) -> None:
    """CPU of the server for one that is there."""

    def measure(what: str) -> Measured:
        def make(_client: int, _number: int) -> tuple[str, str, bytes]:
            return "GET", what, b""

        found = best_of(rounds, lambda: run(server.pid, server.port, server.headers, 1, COUNT, make))
        assert not found.bad
        return found

    mine, static = measure(path), measure("/assets/branding/picture.jpg")
    raw = measure(path.replace("preview/jpg/256x256", "raw"))
    ratio = f"{mine.cpu_ms / static.cpu_ms:.2f}"
    beside = f"{mine.cpu_ms:.2f} ms against {static.cpu_ms:.2f}; raw bytes of the picture {raw.cpu_ms:.2f}"
    row("preview: thumbnail that is there, against a static file of the server", ratio, "2", beside)
