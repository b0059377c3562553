"""Calendars beside stock Radicale with its files: the same 2,000 events, the same requests, one run."""

from __future__ import annotations

import base64
import hashlib
import http.client
import re
import sqlite3
import statistics
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from server import PASSWORD, Server, free_port

EVENTS = 2000
BASIC = base64.b64encode(f"admin@admin.admin:{PASSWORD}".encode()).decode()
NAMES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/"'
POLL = f"<D:propfind {NAMES}><D:prop><CS:getctag/><D:sync-token/></D:prop></D:propfind>".encode()
SYNC = (
    f"<D:sync-collection {NAMES}><D:sync-token>%s</D:sync-token><D:sync-level>1</D:sync-level>"
    "<D:prop><D:getetag/></D:prop></D:sync-collection>"
)
QUERY = (
    f'<C:calendar-query {NAMES}><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR">'
    '<C:comp-filter name="VEVENT">%s</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>'
)
ASKED = "event-1234-"
UID = QUERY % f'<C:prop-filter name="UID"><C:text-match collation="i;octet">{ASKED}</C:text-match></C:prop-filter>'
WEEK = QUERY % '<C:time-range start="20260601T000000Z" end="20260608T000000Z"/>'
Row = Callable[..., None]
DAY = 86400
START = 1767225600
"""2026-01-01 in seconds."""


def event(number: int) -> str:
    """Return an event: one in ten repeats, one in five has an alarm and guests."""
    day = time.strftime("%Y%m%d", time.gmtime(START + number % 365 * DAY))
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Bench//EN", "BEGIN:VEVENT", f"UID:event-{number}-bench",
        "DTSTAMP:20260101T000000Z", f"DTSTART:{day}T100000Z", f"DTEND:{day}T110000Z", f"SUMMARY:Meeting {number}",
        "DESCRIPTION:" + "words of a description " * 8,
    ]  # fmt: skip
    lines += ["RRULE:FREQ=WEEKLY;COUNT=20"] if number % 10 == 0 else []
    if number % 5 == 0:
        lines += [f"ATTENDEE;CN=Guest {n};PARTSTAT=ACCEPTED:mailto:guest{n}@example.org" for n in range(5)]
        lines += ["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Soon", "TRIGGER:-PT15M", "END:VALARM"]
    return "\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""])


class Caller:
    """Requests to a calendar on one connection."""

    def __init__(self, port: int, root: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.root = root

    def __call__(self, method: str, name: str = "", body: bytes | str = b"") -> str:
        """Send a request that must succeed; returns the body."""
        data = body.encode() if isinstance(body, str) else body
        headers = {"Authorization": f"Basic {BASIC}", "Depth": "0" if method == "PROPFIND" else "1"}
        self.connection.request(method, f"{self.root}{name}", data, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        assert 200 <= answer.status < 300, (method, name, answer.status, text[:300])
        return text


@contextmanager
def stock(folder: Path) -> Iterator[int]:
    """Run Radicale as it comes, its files filled beforehand; gives its port."""
    port = free_port()
    calendar = folder / "files" / "collection-root" / "admin@admin.admin" / "cal"
    calendar.mkdir(parents=True)
    (calendar / ".Radicale.props").write_text('{"tag": "VCALENDAR"}')
    for number in range(EVENTS):
        (calendar / f"{number}.ics").write_text(event(number), newline="")
    config = folder / "radicale.conf"
    config.write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = none\n[web]\ntype = none\n[logging]\nlevel = error\n"
        f"[storage]\nfilesystem_folder = {folder / 'files'}\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "radicale", "--config", str(config)], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                Caller(port, "/admin@admin.admin/cal/")("PROPFIND", body=POLL)
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def fill(database: Path, name: str, count: int) -> None:
    """Write events into a collection that is there, as saving them would."""
    connection = sqlite3.connect(database, timeout=30)
    find = "SELECT collection_id FROM caldav_collection WHERE path = ?"
    (number,) = connection.execute(find, (f"user_1/{name}",)).fetchone()
    rows = []
    for n in range(count):
        body, uid = event(n).encode(), f"event-{n}-bench"
        starts = [START + (n % 365 + 7 * week) * DAY + 36000 for week in range(20 if n % 10 == 0 else 1)]
        spans = b"A" + b"".join(struct.pack(">qq", start, start + 3600) for start in starts)
        keys = hashlib.sha256(body).hexdigest(), hashlib.sha256(uid.encode()).hexdigest()
        times = starts[0], starts[-1] + 3600
        rows.append((number, f"{n}.ics", n + 10, 0, 0, "VEVENT", *times, *keys, uid, spans, body))
    columns = (
        "collection_id, href, seq, deleted, modified, component, tstart, tend, etag, uid_key, uid, spans, body"
    )
    connection.executemany(f"INSERT INTO caldav_item ({columns}) VALUES ({', '.join('?' * 13)})", rows)
    connection.execute("UPDATE caldav_collection SET seq = ? WHERE collection_id = ?", (count + 10, number))
    connection.commit()
    connection.close()


def median(call: Callable[[], object], rounds: int) -> float:
    """Return the median of some calls in milliseconds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def puts(port: int, root: str, clients: int, each: int, first: int) -> float:
    """Return how many new events a second some clients save."""

    def save(client: int) -> None:
        call = Caller(port, root)
        for n in range(each):
            number = first + client * each + n
            call("PUT", f"{number}.ics", event(number))

    threads = [threading.Thread(target=save, args=(c,)) for c in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return clients * each / (time.perf_counter() - began)


def measure(port: int, root: str, rounds: int) -> dict[str, float]:
    """Return what one server needs: events a second, and milliseconds."""
    call = Caller(port, root)
    assert call("REPORT", body=WEEK).count("<href>") > 30
    token = re.findall(r"sync-token>([^<]+)<", call("PROPFIND", body=POLL))[0]
    found = {
        "poll": median(lambda: call("PROPFIND", body=POLL), rounds),
        "sync": median(lambda: call("REPORT", body=SYNC % token), rounds),
        "week": median(lambda: call("REPORT", body=WEEK), rounds),
        "uid": median(lambda: call("REPORT", body=UID), min(rounds, 3) if rounds < 10 else rounds),
        "get": median(lambda: call("GET", "7.ics"), 30),
    }
    found["put"] = puts(port, root, 1, 30, 10_000)
    found["put by 4"] = puts(port, root, 4, 8, 20_000)
    return found


def compared(callers: dict[str, Caller], rounds: int = 60) -> tuple[dict[str, float], dict[str, float]]:
    """Return the medians of a poll and of an unchanged sync, in turns: whatever the machine does meets all."""
    tokens = {
        name: re.findall(r"sync-token>([^<]+)<", one("PROPFIND", body=POLL))[0] for name, one in callers.items()
    }
    polls: dict[str, list[float]] = {name: [] for name in callers}
    syncs: dict[str, list[float]] = {name: [] for name in callers}
    for _ in range(rounds):
        for name, one in callers.items():
            polls[name].append(median(lambda one=one: one("PROPFIND", body=POLL), 1))
            syncs[name].append(median(lambda one=one, name=name: one("REPORT", body=SYNC % tokens[name]), 1))
    return (
        {name: statistics.median(times) for name, times in polls.items()},
        {name: statistics.median(times) for name, times in syncs.items()},
    )


def bench_calendars(folder: Path, row: Row) -> None:
    """Fill both servers, ask both the same, and ours with ten times as much."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(folder / "ours")
    home = "/dav/user_1/"
    call = Caller(server.port, home)
    for name in ("few", "many", "cal"):
        call("MKCALENDAR", f"{name}/")
        call("PUT", f"{name}/first.ics", event(99_999))
    for name, count in (("few", 200), ("many", 20_000), ("cal", EVENTS)):
        fill(folder / "ours" / "atrio.db", name, count)
    ours = measure(server.port, f"{home}cal/", 60)
    poll, sync = compared({name: Caller(server.port, f"{home}{name}/") for name in ("few", "many")})
    server.stop()
    with stock(folder / "stock") as port:
        theirs = measure(port, "/admin@admin.admin/cal/", 5)
    beside = "Radicale 3.9 with its files, 2,000 events"
    for name, aim in (("put", "2×"), ("put by 4", "8×")):
        note = f"{ours[name]:.0f}/s against {theirs[name]:.0f}/s: {beside}"
        row(f"calendar: {name}", f"{ours[name] / theirs[name]:.1f}×", aim, note)
    for name, aim in (("poll", "50×"), ("sync", "50×"), ("uid", "500×"), ("week", "4×"), ("get", "")):
        note = f"{ours[name]:.1f} ms against {theirs[name]:.1f} ms: {beside}"
        row(f"calendar: {name}", f"{theirs[name] / ours[name]:.1f}×", aim, note)
    for name, found in (("poll", poll), ("unchanged sync", sync)):
        note = f"{found['many']:.2f} ms against {found['few']:.2f} ms"
        row(f"calendar: {name} of 20,000 events", f"{found['many'] / found['few']:.2f} of 200's", "1.2", note)
