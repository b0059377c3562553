"""A plugin of a stranger from its wheel, with the real command and a real server."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from .conftest import ADMIN, CONFIG, ROOT, Installation, Instance, Server

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("examples"), pytest.mark.timeout(400)]
PATH = "/api/hello/greetings"


def _listed(instance: Instance, name: str = "hello", *, check: bool = False) -> dict[str, Any]:
    shown = instance.atrio("plugins", "list", "--json", *(["--check"] if check else []))
    return next(r for r in json.loads(shown) if r["name"] == name)


def _texts(server: Server) -> list[str]:
    answer = server.client.get(PATH)
    assert answer.status_code == 200, answer.text
    return [g["text"] for g in answer.json()]


def _status(server: Server) -> int:
    """Return what the route answers in the end: an absent path is first sent to the same with a slash."""
    return server.client.get(PATH, follow_redirects=True).status_code


def _rows(instance: Instance) -> dict[str, list[Any]]:
    """Return every row of every table."""
    with closing(sqlite3.connect(instance.folder / "atrio.db")) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for (name,) in tables}


def test_the_wheel_is_what_runs(installation: Installation, tmp_path: Path) -> None:
    code = "import atrio, atrio_hello; print(atrio.__file__); print(atrio_hello.__file__)"
    for line in installation.run("python", "-c", code, cwd=tmp_path).splitlines():
        assert Path(line).is_relative_to(installation.packages)


def test_listing_imports_no_body_of_the_example(instance: Instance) -> None:
    code = (
        "import sys; from atrio.kernel.cli import cli\n"
        "cli(['plugins', 'list'], standalone_mode=False)\n"
        "print('---', *[m for m in sys.modules if m.startswith('atrio_hello')])"
    )
    shown = instance.installation.run("python", "-c", code, cwd=instance.folder)
    assert shown.rpartition("---")[2].split() == ["atrio_hello", "atrio_hello.plugin"]


def test_the_life_of_a_plugin(instance: Instance) -> None:
    instance.atrio("db", "init")
    _enable(instance)
    greeting_id = _use(instance)
    before = _disable(instance, greeting_id)
    _purge(instance, before)
    # and again from the beginning
    instance.atrio("plugins", "enable", "hello", "--upgrade")
    assert _rows(instance)["hello_greeting"] == []
    assert _listed(instance, check=True)["state"] == "enabled"


def _enable(instance: Instance) -> None:
    off = _listed(instance)
    assert (off["state"], off["reason"]) == ("disabled", "not enabled by default")
    assert off["distribution"] == "atrio-hello 0.1.0"
    assert "hello\tdisabled\tGreetings between users" in instance.atrio("plugins", "list")
    assert "No such command" in instance.atrio("hello", "list", ADMIN[0], fails=True)
    shown = instance.atrio("plugins", "enable", "hello")
    assert "hello: 3 route(s)" in shown
    assert "pending migrations (nothing → g001); type: atrio db upgrade hello" in shown
    text = instance.config.read_text()
    assert {line for line in CONFIG.splitlines() if "#" in line} <= set(text.splitlines())
    assert text.replace('    "hello"\n', "") == CONFIG
    assert _listed(instance)["state"] == "enabled"
    pending = _listed(instance, check=True)
    assert (pending["state"], pending["reason"]) == ("migrations_pending", "type: atrio db upgrade hello")
    refused = instance.atrio("hello", "list", ADMIN[0], fails=True)
    assert "hello is not running" in refused
    assert "type: atrio db upgrade hello" in refused
    assert instance.atrio("db", "upgrade", "hello") == "upgraded: hello\n"
    assert _listed(instance, check=True)["state"] == "enabled"


def _use(instance: Instance) -> int:
    with instance.serve() as server:
        client = server.client
        assert client.get("/health/ready").json()["plugins"]["hello"] == {"state": "enabled"}
        document = client.get("/api/doc/spec.json").json()
        assert {"get", "post"} <= set(document["paths"][PATH])
        sent = client.post(PATH, json={"user_id": 1, "text": "Good morning"})
        assert (sent.status_code, sent.json()["text"]) == (200, "Good morning")
        assert client.get(PATH, auth=("nobody", "wrong")).status_code == 401
        server.make_content("Logbook")
        server.wait(lambda: _texts(server) == ["Hello! You created Logbook.", "Good morning"])
        sent_by_command = instance.atrio("hello", "send", ADMIN[0], "From the shell")
        assert sent_by_command.startswith("greeting ")
        assert _texts(server)[0] == "From the shell"
        assert "Hello! You created Logbook." in instance.atrio("hello", "list", ADMIN[0])
        instance.atrio("hello", "tidy")
        server.wait(lambda: _job_states(instance, "hello.tidy") == ["done"])
        assert _job_states(instance, "hello.greet_author") == ["done"]
        return int(sent.json()["greeting_id"])


def _job_states(instance: Instance, job: str) -> list[str]:
    return [j["state"] for j in json.loads(instance.atrio("jobs", "list", "--json")) if j["job"] == job]


def _disable(instance: Instance, greeting_id: int) -> dict[str, list[Any]]:
    with instance.serve() as server:
        assert _status(server) == 200
        assert "disabled in" in instance.atrio("plugins", "disable", "hello")
        assert _status(server) == 200  # not before the restart
        server.process.send_signal(signal.SIGHUP)
        server.wait(lambda: _status(server) == 404)
        assert PATH not in server.client.get("/api/doc/spec.json").json()["paths"]
        server.make_content("Nobody is greeted for this")
    with instance.serve() as server:
        assert _status(server) == 404
        assert server.client.delete(f"{PATH}/{greeting_id}").status_code == 404
    assert "# nothing beside the defaults yet" in instance.config.read_text()
    rows = _rows(instance)
    assert greeting_id in [row[0] for row in rows["hello_greeting"]]
    assert len(rows["hello_greeting"]) == 3
    return rows


def _purge(instance: Instance, before: dict[str, list[Any]]) -> None:
    assert "nothing was deleted" in instance.atrio("plugins", "purge", "hello", "--yes", "helo", fails=True)
    shown = instance.atrio("plugins", "purge", "hello", "--dry-run")
    assert shown == "table hello_greeting: 3 row(s)\n"
    assert _rows(instance) == before
    assert "tables of hello deleted" in instance.atrio("plugins", "purge", "hello", "--yes", "hello")
    after = _rows(instance)
    assert set(before) - set(after) == {"hello_greeting", "alembic_version_hello"}
    others = set(after) - {"kernel_outbox"}
    assert {t: after[t] for t in others} == {t: before[t] for t in others}
    gone = [row for row in before["kernel_outbox"] if row not in after["kernel_outbox"]]
    assert {row[1] for row in gone} == {"hello.greet_author", "hello.tidy"}
    assert not [row for row in after["kernel_outbox"] if row[1].startswith("hello.")]


# -- broken on purpose -------------------------------------------------------------------------------------


@pytest.fixture
def damage(installation: Installation) -> Iterator[Any]:
    """`damage("plugin.py", "line")` appends a line to an installed file of the example, for one test."""
    folder = installation.packages / "atrio_hello"
    sound: dict[Path, str] = {}

    def append(relative: str, line: str) -> None:
        path = folder / relative
        sound.setdefault(path, path.read_text("utf-8"))
        path.write_text(f"{path.read_text('utf-8')}\n{line}\n", "utf-8")

    yield append
    for path, text in sound.items():
        path.write_text(text, "utf-8")


HOOK = "def register_tasks() -> None:\n    raise RuntimeError('broken on purpose')"
STEP = "def upgrade() -> None:\n    raise RuntimeError('broken on purpose')"
LOAD = "load_error"


@pytest.mark.parametrize(
    ("file", "line", "state", "reason"),
    [
        ("plugin.py", "import nowhere_at_all", LOAD, "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("routes.py", "raise SyntaxError('broken on purpose')", LOAD, "SyntaxError: broken on purpose"),
        ("plugin.py", HOOK, LOAD, "RuntimeError: broken on purpose"),
        ("", 'max_length = "many"', "config_error", "hello.max_length: expected integer, got 'many'"),
        (
            "migrations/versions/g001_greetings.py", STEP, "migrations_pending",
            "migration of hello to g001 failed: RuntimeError: broken on purpose; type: atrio db upgrade hello",
        ),
    ],
    ids=["import", "body", "hook", "config", "migration"],
)  # fmt: skip
def test_a_broken_plugin_is_parked_and_the_rest_serves(
    instance: Instance, damage: Any, file: str, line: str, state: str, reason: str
) -> None:
    text = CONFIG.replace("    # (add names below)", '    "hello"')
    instance.config.write_text(f"{text}\n[hello]\n{line}\n" if not file else text)
    if file:
        damage(file, line)
    with instance.serve() as server:
        ready = server.client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "ok")
        assert ready.json()["plugins"]["hello"] == {"state": state, "reason": reason}
        others = {n: p["state"] for n, p in ready.json()["plugins"].items() if n != "hello"}
        assert {n for n, state in others.items() if state != "enabled"} == {"antivirus", "calls"}, "off by default"
        assert _status(server) == 404
        assert server.make_content("All the same") == 1
        assert server.client.get("/api/doc/spec.json").status_code == 200
    listed = _listed(instance, check=True)
    assert listed["state"] == state
    assert listed["reason"] == (reason if state != "migrations_pending" else "type: atrio db upgrade hello")
    assert f"parked    hello ({state}): {reason}" in (instance.folder / "serve.log").read_text()
    if state == "migrations_pending":
        refused = instance.atrio("db", "upgrade", "hello", fails=True)
        assert refused.splitlines()[-1] == (
            "atrio: migration of hello to g001 failed: RuntimeError: broken on purpose"
        )
    else:
        refused = instance.atrio("plugins", "enable", "hello", fails=True)
        assert refused.splitlines()[-1] == f"atrio: hello cannot be enabled ({state}): {reason}"


# -- the tests that authors get ----------------------------------------------------------------------------


def test_the_tests_of_the_example_pass(installation: Installation) -> None:
    shown = installation.run(
        "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=ROOT / "examples" / "hello"
    )  # fmt: skip
    assert " passed" in shown
    assert "skipped" not in shown


def test_the_tests_of_a_new_plugin_pass_as_written(installation: Installation, tmp_path: Path) -> None:
    installation.run("atrio", "plugins", "new", "demo", cwd=tmp_path)
    folder = tmp_path / "atrio-demo"
    installation.pip_install("--no-build-isolation", "-e", str(folder))
    try:
        assert "a plugin named demo is installed" in installation.run(
            "atrio", "plugins", "new", "demo", "--to", "again", cwd=tmp_path, fails=True
        )
        shown = installation.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder)
        assert " passed" in shown
        assert "skipped" not in shown
    finally:
        installation.run("python", "-m", "pip", "uninstall", "-q", "-y", "atrio-demo", cwd=tmp_path)
