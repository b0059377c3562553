"""Previews: one that is there beside a static file of the same server; a first one beside Pillow alone."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from load import Connection, Measured, best_of, run
from PIL import Image
from server import Server

Row = Callable[..., None]
SIZE = (4000, 3000)
COUNT = 2000
COLD = 15
FORM = (
    b"--bench\r\nContent-Disposition: form-data; name=\"files\"; filename=\"%s\"\r\n"
    b"Content-Type: image/jpeg\r\n\r\n%s\r\n--bench--\r\n"
)  # fmt: skip
ALONE = (
    "import sys, time\nfrom PIL import Image\ntimes = []\n"
    "for path in sys.argv[1:]:\n    began = time.perf_counter()\n    with Image.open(path) as image:\n"
    "        image.thumbnail((256, 256), Image.Resampling.LANCZOS, reducing_gap=2.0)\n"
    "        image.save('/dev/null', 'JPEG', quality=85)\n    times.append(time.perf_counter() - began)\n"
    "print(*times)\n"
)


def photograph(seed: int) -> bytes:
    """Return a JPEG of 12 megapixels that looks like one to a decoder: soft shapes, some noise."""
    soft = Image.effect_noise((SIZE[0] // 50, SIZE[1] // 50), 90).resize(SIZE, Image.Resampling.BICUBIC)
    grain = Image.effect_noise(SIZE, 12)
    image = Image.merge("RGB", (soft, Image.blend(soft, grain, 0.3), soft.rotate(seed)))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


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
    cold(connection, pictures, paths, row)
    cached(server, paths[0], row, rounds)
    connection.close()
    server.stop()


def cold(connection: Connection, pictures: Path, paths: list[str], row: Row) -> None:
    """From the request to the answer, beside the same work in a program that has Pillow at hand; by the clock."""
    times = []
    for path in paths:
        began = time.perf_counter()
        status, answer = connection.request("GET", path)
        times.append(time.perf_counter() - began)
        assert status == 200, answer
    files = [str(pictures / f"{n}.jpg") for n in range(len(paths))]
    said = subprocess.run([sys.executable, "-c", ALONE, *files], capture_output=True, text=True, check=True).stdout
    alone = median([float(t) for t in said.split()][1:])
    mine = median(times[1:])
    row(
        "preview: 12 MP JPEG to 256 px, the first time, against Pillow alone", f"{mine / alone:.2f}", "1.3",
        f"{mine * 1000:.0f} ms against {alone * 1000:.0f} by the clock; the first of all {times[0] * 1000:.0f} ms",
    )  # fmt: skip


def cached(server: Server, path: str, row: Row, rounds: int) -> None:
    """CPU of the server for one that is there."""

    def measure(what: str) -> Measured:
        make = lambda c, n: ("GET", what, b"")  # noqa: E731
        found = best_of(rounds, lambda: run(server.pid, server.port, server.headers, 1, COUNT, make))
        assert not found.bad
        return found

    mine, static = measure(path), measure("/assets/branding/picture.jpg")
    raw = measure(path.replace("preview/jpg/256x256", "raw"))
    ratio = f"{mine.cpu_ms / static.cpu_ms:.2f}"
    beside = f"{mine.cpu_ms:.2f} ms against {static.cpu_ms:.2f}; raw bytes of the picture {raw.cpu_ms:.2f}"
    row("preview: thumbnail that is there, against a static file of the server", ratio, "2", beside)
