"""Several writers, workers and engines: a reader who follows the sync-tokens ends with an exact mirror."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.testing.live import LiveServer, Wire
from atrio.kernel.testing.plugin import ADMIN, PASSWORD, service_url

from .conftest import NAMES, Desk, event

BASE = "/dav/user_1/user_1_calendar"
SYNC = f"<D:sync-collection {NAMES}><D:sync-token>%s</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>"


class Reader:
    """A client that keeps a mirror by sync-tokens alone."""

    def __init__(self, call: Callable[..., tuple[int, bytes]]) -> None:
        self.call = call
        self.token = ""
        self.mirror: dict[str, str] = {}
        self.walks = 0

    def walk(self) -> None:
        """Ask once what changed and apply it."""
        status, body = self.call("REPORT", f"{BASE}/", (SYNC % self.token).encode())
        assert status == 207, (status, body[:300])
        text = body.decode()
        for response in re.findall(r"<response>(.*?)</response>", text):
            href = re.findall(r"<href>([^<]+)</href>", response)[0]
            etag = re.findall(r"<getetag>([^<]+)</getetag>", response)
            if etag:
                self.mirror[href] = etag[0]
            else:
                self.mirror.pop(href, None)
        self.token = re.findall(r"<sync-token>([^<]+)</sync-token>", text)[0]
        self.walks += 1


def listing(call: Callable[..., tuple[int, bytes]]) -> dict[str, str]:
    body = f"<D:propfind {NAMES}><D:prop><D:getetag/></D:prop></D:propfind>".encode()
    status, answer = call("PROPFIND", f"{BASE}/", body, depth="1")
    assert status == 207
    found = re.findall(r"<href>([^<]+)</href><propstat><prop><getetag>([^<]+)</getetag>", answer.decode())
    return {href: etag for href, etag in found if not href.endswith("/")}


def together(dial: Callable[[], Callable[..., tuple[int, bytes]]], writers: int, rounds: int) -> Reader:
    """Let writers save, change and delete while a reader follows; he ends with what the server lists."""
    failures: list[Any] = []
    busy = threading.Event()
    busy.set()

    def write(number: int) -> None:
        call = dial()
        try:
            for turn in range(rounds):
                name = f"{BASE}/{number}-{turn % 5}.ics"
                start = f"2026{turn % 12 + 1:02d}{number % 28 + 1:02d}T100000Z"
                status, _ = call("PUT", name, event(f"{number}-{turn % 5}", start, start.replace("T10", "T11")))
                if status not in (201, 204):
                    failures.append(("PUT", name, status))
                if turn % 3 == 2:
                    status, _ = call("DELETE", name)
                    if status != 200:
                        failures.append(("DELETE", name, status))
        except Exception as error:
            failures.append(repr(error))

    def follow(reader: Reader) -> None:
        try:
            while busy.is_set():
                reader.walk()
        except Exception as error:
            failures.append(repr(error))

    reader = Reader(dial())
    threads = [threading.Thread(target=write, args=(n,)) for n in range(writers)]
    follower = threading.Thread(target=follow, args=(reader,))
    for thread in (*threads, follower):
        thread.start()
    for thread in threads:
        thread.join(150)
    busy.clear()
    follower.join(30)
    assert failures == []
    reader.walk()
    assert reader.mirror == listing(dial())
    assert reader.mirror
    assert reader.walks > 3
    return reader


def test_in_one_process(desk: Desk) -> None:
    from atrio.kernel.testing.client import Client

    def dial() -> Callable[..., tuple[int, bytes]]:
        client = Client(desk.kernel.app, ADMIN, PASSWORD)

        def call(method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
            answer = client.request(method, path, body=body or None, headers=headers)
            return answer.status, answer.body

        return call

    together(dial, 4, 9)
    deleted = desk.scalar("SELECT count(*) FROM caldav_item WHERE deleted = 1")
    assert deleted > 0
    assert desk.scalar("SELECT seq FROM caldav_collection") == 4 * 12


def of(served: LiveServer) -> Callable[[], Callable[..., tuple[int, bytes]]]:
    token = base64.b64encode(f"{ADMIN}:{PASSWORD}".encode()).decode()

    def dial() -> Callable[..., tuple[int, bytes]]:
        wire = Wire(served.port, timeout=60)

        def call(method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
            status, _, answer = wire.call(method, path, {"authorization": f"Basic {token}", **headers}, body)
            return status, answer

        return call

    return dial


@pytest.mark.services
@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", ["sqlite", "postgresql", "mariadb"])
def test_eight_writers_and_two_workers(engine: str, tmp_path: Path) -> None:
    import secrets

    from sqlalchemy import create_engine, text

    env: dict[str, str] = {"ATRIO_PLUGINS__ENABLED": "caldav"}
    admin = None
    name = f"atrio_test_{secrets.token_hex(6)}"
    if engine != "sqlite":
        address = service_url(f"{engine}_url")
        if address is None:
            pytest.skip(f"ATRIO_TEST_{engine.upper()}_URL is not set")
        admin = create_engine(address, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        env["ATRIO_DATABASE_URL"] = admin.url.set(database=name).render_as_string(hide_password=False)
    served = None
    try:
        served = LiveServer(tmp_path / "live", env=env, arguments=["--workers", "2"])
        together(of(served), 8, 30)
        assert "Traceback" not in served.log.read_text()
    finally:
        if served is not None:
            served.stop()
        if admin is not None:
            with admin.connect() as connection:
                force = " WITH (FORCE)" if engine == "postgresql" else ""
                connection.execute(text(f"DROP DATABASE {name}{force}"))
            admin.dispose()
