"""Real clients on a real server: the library caldav, caldav-server-tester, vdirsyncer, khal, todoman."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.testing.live import LiveServer, Wire
from atrio.kernel.testing.plugin import ADMIN, PASSWORD

from .conftest import card, event, todo

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
HERE = Path(__file__).parent
STOCK_LACKS = {
    "principal-search", "scheduling", "sync-token.limit", "search.recurrences.expanded.todo",
    "search.text.comp-type-optional", "url.encode-at.identity", "save-load.event.timezone",
}  # fmt: skip
"""What Radicale 3.9 with its own storage deviates in, by the same tester; the last is its own fault without vobject."""


def tool(name: str) -> str:
    """Return the path of a program; where CI is set it must be there."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not installed, and CI asks for it")
        pytest.skip(f"{name} is not installed")
    return found


def library() -> Path:
    """Return the folder of programs of the environment that holds the library caldav; .ci/services makes it."""
    given = os.environ.get("ATRIO_TEST_CALDAV_TOOLS")
    if not given:
        if os.environ.get("CI"):
            pytest.fail("ATRIO_TEST_CALDAV_TOOLS is not set, and CI asks for it")
        pytest.skip("ATRIO_TEST_CALDAV_TOOLS is not set")
    return Path(given)


def run(words: list[str], *, timeout: float = 200, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, check=False, **options
    )


@pytest.fixture(params=["true", "false"], ids=["native", "library"])
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LiveServer]:
    env = {"ATRIO_PLUGINS__ENABLED": "caldav", "ATRIO_CALDAV__NATIVE": request.param}
    served = LiveServer(tmp_path / "live", env=env)
    served.space("Alpha")
    yield served
    served.stop()
    assert "Traceback" not in served.log.read_text()


def call(served: LiveServer, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    wire = Wire(served.port)
    status, _, answer = wire.call(method, path, served.basic, body)
    wire.close()
    return status, answer


def test_the_client_library_finds_its_way(server: LiveServer) -> None:
    for number, path in enumerate(("/", "/dav/", "/.well-known/caldav")):
        url = f"http://127.0.0.1:{server.port}{path}"
        done = run([str(library() / "python"), str(HERE / "sessions.py"), url, ADMIN, PASSWORD, "user_1"])
        assert done.stdout.strip() == "done", (number, done.stdout, done.stderr[-3000:])
        for left in ("VTODO", "VJOURNAL"):
            status, text = call(server, "GET", "/dav/user_1/user_1_calendar/")
            assert (status, text.count(b"BEGIN:" + left.encode()) >= 1) == (200, True)


def test_the_server_tester_finds_nothing_that_stock_radicale_has(server: LiveServer) -> None:
    words = [str(library() / "caldav-server-tester"), "--caldav-url", f"http://127.0.0.1:{server.port}/dav/"]
    done = run([*words, "--caldav-user", ADMIN, "--caldav-pass", PASSWORD, "--format", "json"], timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    features = json.loads(done.stdout)["features"]
    assert len(features) > 5
    lacking = {
        n for n, f in features.items() if f.get("support") in ("unsupported", "broken", "fragile", "ungraceful")
    }
    assert lacking - STOCK_LACKS == set()


SYNC = """[general]
status_path = "{folder}/status/"
[pair events]
a = "here"
b = "there"
collections = [["cal", "cal", "user_1_calendar"]]
conflict_resolution = "b wins"
metadata = ["displayname"]
[storage here]
type = "filesystem"
path = "{folder}/cal/"
fileext = ".ics"
[storage there]
type = "caldav"
url = "http://127.0.0.1:{port}/"
username = "{user}"
password = "{password}"
[pair people]
a = "here_people"
b = "there_people"
collections = [["book", "book", "user_1_addressbook"]]
[storage here_people]
type = "filesystem"
path = "{folder}/book/"
fileext = ".vcf"
[storage there_people]
type = "carddav"
url = "http://127.0.0.1:{port}/"
username = "{user}"
password = "{password}"
"""


def test_vdirsyncer_both_ways_with_khal_and_todoman(server: LiveServer, tmp_path: Path) -> None:
    program, folder = tool("vdirsyncer"), tmp_path / "sync"
    home = tmp_path / "home"
    (folder / "cal" / "cal").mkdir(parents=True)
    (folder / "book" / "book").mkdir(parents=True)
    home.mkdir()
    config = tmp_path / "vdirsyncer.conf"
    config.write_text(SYNC.format(folder=folder, port=server.port, user=ADMIN, password=PASSWORD))
    env = {
        **os.environ,
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "XDG_CONFIG_HOME": str(home / "config"),
    }

    def sync() -> None:
        for words in (["discover"], ["sync"]):
            done = run([program, "-c", str(config), *words], env=env)
            assert done.returncode == 0, (words, done.stdout, done.stderr)

    base = "/dav/user_1/user_1_calendar"
    mine = folder / "cal" / "cal"
    corpus = {p.name: p.read_bytes() for p in (HERE / "corpus").glob("*.ics")}
    for name, body in corpus.items():
        assert call(server, "PUT", f"{base}/{name}", body)[0] == 201
    (mine / "local.ics").write_bytes(event("local"))
    (folder / "book" / "book" / "c.vcf").write_bytes(card())
    sync()
    assert len(list(mine.glob("*.ics"))) == len(corpus) + 1
    listing = call(server, "GET", "/dav/user_1/user_1_addressbook/")[1]
    assert b"FN:Ann Example" in listing
    assert b"About local" in call(server, "GET", f"{base}/")[1]
    for name, body in corpus.items():
        assert call(server, "GET", f"{base}/{name}")[1] == body
    (mine / "local.ics").write_bytes(event("local", "20260107T100000Z", "20260107T110000Z"))
    assert call(server, "PUT", f"{base}/task.ics", todo("task"))[0] == 201
    assert call(server, "DELETE", f"{base}/journal.ics")[0] == 200
    sync()
    assert b"20260107T100000Z" in call(server, "GET", f"{base}/")[1]
    assert not [p for p in mine.iterdir() if b"VJOURNAL" in p.read_bytes()]
    _khal_and_todoman(home, mine, env)
    sync()
    text = call(server, "GET", f"{base}/")[1]
    assert b"Tea with khal" in text
    assert b"COMPLETED" in text.split(b"UID:task")[1]


def _khal_and_todoman(home: Path, folder: Path, env: dict[str, str]) -> None:
    """Look at what was synchronised, add an event and finish a to-do."""
    khal_conf = home / "khal.conf"
    khal_conf.write_text(
        f"[calendars]\n[[mine]]\npath = {folder}\n[locale]\ntimeformat = %H:%M\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\n"
        "datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\nlocal_timezone = UTC\ndefault_timezone = UTC\n[default]\ndefault_calendar = mine\n"
    )  # fmt: skip
    khal = [tool("khal"), "-c", str(khal_conf)]
    shown = run([*khal, "list", "2026-01-07", "1d"], env=env)
    assert "About local" in shown.stdout, shown.stderr
    done = run([*khal, "new", "2026-01-08", "15:00", "16:00", "Tea with khal"], env=env)
    assert done.returncode == 0, done.stderr
    conf = home / "todoman.py"
    conf.write_text(
        f'path = "{folder.parent}/*"\ndate_format = "%Y-%m-%d"\ntime_format = "%H:%M"\ndefault_list = "cal"\n'
    )
    todoman = [tool("todoman"), "--config", str(conf)]
    listed = run([*todoman, "--porcelain", "list"], env=env)
    assert listed.returncode == 0, listed.stderr
    (number,) = [t["id"] for t in json.loads(listed.stdout) if t["summary"] == "Do task"]
    done = run([*todoman, "done", str(number)], env=env)
    assert done.returncode == 0, done.stderr
