"""Fixtures for tests of Atrio and of third-party plugins; registered with pytest by an entry point.

Everything is imported late, so that having Atrio installed costs other test runs nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from atrio.kernel.context import Clock
    from atrio.kernel.host import Kernel
    from atrio.kernel.testing.client import Client

ADMIN = "admin@admin.admin"
PASSWORD = "admin-password"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker with which a test chooses settings."""
    config.addinivalue_line("markers", "atrio_config(**settings): settings `section__key=value` of the kernel")


def make_kernel(folder: Path, settings: dict[str, Any] | None = None, records: Any = None) -> Kernel:
    """Boot an instance in a folder: SQLite, jobs run at once after each commit, no file, no environment."""
    from atrio.kernel.config import Sources
    from atrio.kernel.host import boot

    overrides: dict[str, Any] = {
        "storage.data_dir": str(folder), "storage.fsync": False, "database.fsync": False,
        "server.threads": 2, "server.access_log": False,
    }  # fmt: skip
    if records is None or any(r.name == "accounts" for r in records):
        overrides["accounts.admin_password"] = PASSWORD
    overrides.update({k.replace("__", "."): v for k, v in (settings or {}).items()})
    return boot(Sources(None, {}, {}, overrides), immediate_jobs=True, records=records)


@pytest.fixture(scope="session")
def _templates(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any]], Path]:
    """Initialised databases, one for each choice of plugins, made once and copied for each test.

    The choice counts: a plugin that is off by default has its tables only where the test switches it on.
    """
    made: dict[str, Path] = {}

    def give(settings: dict[str, Any]) -> Path:
        choice = {k: v for k, v in settings.items() if k.startswith("plugins__")}
        key = repr(sorted(choice.items()))
        if key not in made:
            folder = tmp_path_factory.mktemp("template")
            make_kernel(folder, choice).db.close()
            made[key] = folder
        return made[key]

    return give


@pytest.fixture(scope="session")
def _databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Prepared databases of the engine that ATRIO_TEST_ENGINE names; None for SQLite."""
    from . import engines

    name = engines.chosen()
    if name is None:
        yield None
        return
    server = service_url(f"{name}_url")
    assert server is not None, f"ATRIO_TEST_{name.upper()}_URL is not set"

    def initialise(folder: Path, settings: dict[str, Any]) -> None:
        make_kernel(folder, settings).db.close()

    made = engines.Databases(server, initialise, tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


class FrozenClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: int) -> None:
        self.micros = start

    def now(self) -> int:
        """Return microseconds since the epoch."""
        return self.micros

    def move(self, seconds: float) -> None:
        """Move on."""
        self.micros += int(seconds * 1_000_000)


@pytest.fixture
def kernel(
    request: pytest.FixtureRequest, tmp_path: Path, _templates: Callable[[dict[str, Any]], Path], _databases: Any
) -> Iterator[Kernel]:
    """A booted instance on a fresh database, SQLite unless ATRIO_TEST_ENGINE names another; jobs run at once."""
    marker = request.node.get_closest_marker("atrio_config")
    settings = dict(marker.kwargs) if marker else {}
    data = tmp_path / "data"
    data.mkdir()
    if "database__url" not in settings and _databases is not None:
        settings["database__url"] = _databases.give(settings)
    elif "database__url" not in settings:
        for path in _templates(settings).glob("atrio.db*"):
            shutil.copy(path, data / path.name)
    booted = make_kernel(data, settings)
    try:
        yield booted
    finally:
        booted.stop()
        booted.app.pool.close()
        booted.app.io.close()
        booted.app.receiving.close()


@pytest.fixture
def clock(kernel: Kernel) -> Clock:
    """The kernel's clock, standing still; `clock.move(seconds)`."""
    frozen: Any = FrozenClock(kernel.clock.now())
    kernel.clock = frozen
    return frozen  # type: ignore[no-any-return]


@pytest.fixture
def client(kernel: Kernel) -> Iterator[Client]:
    """The administrator's client, by Basic credentials."""
    from atrio.kernel.testing.client import Client

    made = Client(kernel.app, ADMIN, PASSWORD)
    yield made
    made.close()


@pytest.fixture
def stranger(kernel: Kernel) -> Iterator[Client]:
    """A client that is not signed in."""
    from atrio.kernel.testing.client import Client

    made = Client(kernel.app)
    yield made
    made.close()


@contextmanager
def acting(kernel: Kernel) -> Iterator[Callable[..., Client]]:
    """Give what the fixture `as_actor` gives, for as long as the block lasts."""
    from sqlalchemy import text

    from atrio.kernel.testing.client import Client

    made: dict[str, Any] = {}

    def give(name: str, *, profile: str = "users", active: bool = True) -> Client:
        if name not in made:
            admin = Client(kernel.app, ADMIN, PASSWORD)
            answer = admin.post(
                "/api/users",
                {"email": f"{name}@example.org", "username": name, "password": PASSWORD, "profile": profile},
            )
            admin.close()
            assert answer.status == 200, answer.body
            client: Any = Client(kernel.app, name, PASSWORD)
            client.user_id = answer.json["user_id"]
            if not active:
                with kernel.unit() as ctx:
                    ctx.execute(
                        text("UPDATE accounts_user SET is_active = 0 WHERE user_id = :id"), {"id": client.user_id}
                    )
            made[name] = client
        return made[name]  # type: ignore[no-any-return]

    try:
        yield give
    finally:
        for client in made.values():
            client.close()


@pytest.fixture
def as_actor(kernel: Kernel) -> Iterator[Callable[..., Client]]:
    """`as_actor("bob")` gives the client of a user with this username, made on first use.

    Options: `profile` (users), `active` (True). The user's id is `client.user_id`.
    """
    with acting(kernel) as give:
        yield give


@pytest.fixture
def make_space(client: Client) -> Callable[..., int]:
    """`make_space("Alpha", bob="reader")` creates a space with members by user id or client; gives its id."""

    def make(label: str = "Alpha", members: dict[int, str] | None = None, **values: Any) -> int:
        body = {
            "label": label, "description": "", "access_type": "confidential", "default_user_role": "reader",
            **values,
        }  # fmt: skip
        answer = client.post("/api/workspaces", body)
        assert answer.status == 200, answer.body
        space_id = int(answer.json["workspace_id"])
        for user_id, role in (members or {}).items():
            added = client.post(f"/api/workspaces/{space_id}/members", {"user_id": user_id, "role": role})
            assert added.status == 200, added.body
        return space_id

    return make


@pytest.fixture
def make_content(client: Client) -> Callable[..., dict[str, Any]]:
    """`make_content(space_id, "Note")` creates a content and gives its JSON."""

    def make(
        space_id: int, label: str, content_type: str = "html-document", parent_id: int | None = None
    ) -> dict[str, Any]:
        body = {"label": label, "content_type": content_type, "parent_id": parent_id}
        answer = client.post(f"/api/workspaces/{space_id}/contents", body)
        assert answer.status == 200, answer.body
        return dict(answer.json)

    return make


@pytest.fixture
def events(kernel: Kernel) -> list[Any]:
    """Every event that was committed since the fixture was asked for, in order."""
    from atrio.kernel.events import Event, Subscription

    heard: list[Any] = []
    kernel.bus.subscribe(None, Subscription(Event, lambda _kernel, event: heard.append(event)))
    return heard


@contextmanager
def counting(kernel: Kernel) -> Iterator[list[str]]:
    """Collect the text of every statement that runs inside the block."""
    from sqlalchemy import event

    from atrio.kernel.db import statement

    seen: list[str] = []

    def on_execute(conn: Any, cursor: Any, text: str, *rest: Any) -> None:
        seen.append(text)

    engines = (kernel.db.reader, kernel.db.writer)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", on_execute)
    statement.watchers.append(seen.append)
    try:
        yield seen
    finally:
        statement.watchers.remove(seen.append)
        for engine in engines:
            event.remove(engine, "before_cursor_execute", on_execute)


FRAME = ("BEGIN", "START", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK")
LOCK = ("FOR UPDATE", "FOR NO KEY UPDATE")
FIRST_OF_A_JOB = "UPDATE kernel_outbox SET state"


def counted(seen: list[str]) -> list[str]:
    """Leave out what only frames a transaction, or only locks a row: SQLite has no need of that."""
    return [t for t in seen if not t.lstrip().upper().startswith(FRAME) and not t.rstrip().endswith(LOCK)]


def of_the_request(seen: list[str]) -> list[str]:
    """Leave out what only frames a transaction, and what jobs do after it: in tests they run at once."""
    jobs = (number for number, text in enumerate(seen) if text.startswith(FIRST_OF_A_JOB))
    return counted(seen[: next(jobs, len(seen))])


@pytest.fixture
def statements(kernel: Kernel) -> Callable[[], Any]:
    """`with statements() as seen:` collects what reaches the database."""
    return lambda: counting(kernel)


def service_url(name: str) -> str | None:
    """Return the address of a real service for tests, from ATRIO_TEST_<NAME>; where CI is set it must be there."""
    url = os.environ.get(f"ATRIO_TEST_{name.upper()}")
    if not url and os.environ.get("CI"):
        pytest.fail(f"ATRIO_TEST_{name.upper()} is not set, and CI asks for every service")
    return url or None
