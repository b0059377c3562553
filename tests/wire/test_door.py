"""A door that is not HTTP refuses whom the routes refuse, with the same codes: the guards are the same."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.context import ANONYMOUS, Actor
from atrio.kernel.errors import KernelError
from atrio.kernel.plugins import PluginRecord, discover, load
from tests.contract import facts
from tests.contract.recipes import RECIPES
from tests.contract.stage import Stage
from tests.wire import telegraph
from tests.wire.walk import staged

pytestmark = pytest.mark.any_engine

PEOPLE = {
    "stranger": "-", "deactivated": "deactivated", "deleted": "deleted", "user": "outsider", "trusted": "trusted",
    "reader": "the-reader", "contributor": "the-contributor", "content-manager": "the-content-manager",
    "workspace-manager": "the-workspace-manager", "trusted manager": "trusted-manager", "administrator": "root",
}  # fmt: skip
"""The people of the stage by the names that the door knows them by."""


@pytest.fixture
def stage(tmp_path: Path, _databases: Any) -> Iterator[Stage]:
    """The stage on an instance with the door."""
    record = PluginRecord("telegraph", telegraph.__name__)
    load(record)
    with staged(tmp_path / "data", records=[*discover(), record], databases=_databases) as made:
        assert made.kernel.enabled("telegraph"), made.kernel.record("telegraph")
        made.kernel.start(consume=False)
        yield made


def send(stage: Stage, line: str) -> str:
    """Send one line through the door."""
    with socket.create_connection(telegraph.lines[id(stage.kernel)], timeout=20) as line_out:
        line_out.sendall(line.encode() + b"\n")
        return line_out.makefile().read()


def by_wire(answer: Any) -> str:
    """Return an answer of the wire in the words of the door."""
    return "ok" if answer.status < 400 else f"no {answer.status} {answer.code}"


@pytest.mark.parametrize("verb", ["READ", "SAY", "DROP", "FOUND"])
def test_the_door_refuses_as_the_route_does(stage: Stage, verb: str) -> None:
    """Reading in a space, writing in it, managing it, and a right of the profile: everybody asks both ways."""
    seen = set()
    for person, name in PEOPLE.items():
        client, note = stage.people[person], stage.values["note"]
        space = stage.twin() if verb == "DROP" else stage.space
        base = f"/api/workspaces/{space}"
        line, method, path, body = {
            "READ": (f"READ {space} {note}", "GET", f"{base}/html-documents/{note}", None),
            "SAY": (f"SAY {space} {note} hello", "POST", f"{base}/contents/{note}/comments", {"raw_content": "hello"}),
            "DROP": (f"DROP {space}", "PUT", f"{base}/trashed", None),
            "FOUND": (
                "FOUND a space", "POST", "/api/workspaces",
                {"label": "a", "description": "", "access_type": "open", "default_user_role": "reader"},
            ),
        }[verb]  # fmt: skip
        by_door = send(stage, f"{name} {line}")
        if by_door.startswith("ok") and verb == "READ":
            assert by_door.startswith("ok A note")
        wire = by_wire(client.request(method, path, json_body=body))
        assert by_door.split(" ", 1)[0] == wire if wire == "ok" else by_door == wire, (person, by_door, wire)
        seen.add(wire)
    assert "ok" in seen
    assert "no 401 None" in seen
    assert len(seen) >= 3


@pytest.mark.parametrize("given", ["0", "-1", "abc", "9" * 30, "999999"])
def test_ids_that_are_none_are_refused_alike(stage: Stage, given: str) -> None:
    reader, note = stage.reader, stage.values["note"]
    for line, path in (
        (f"READ {given} {note}", f"/api/workspaces/{given}/html-documents/{note}"),
        (f"READ {stage.space} {given}", f"/api/workspaces/{stage.space}/html-documents/{given}"),
    ):
        assert send(stage, f"the-reader {line}") == by_wire(reader.get(path)) != "ok"


def test_what_a_door_writes_is_what_the_wire_shows(stage: Stage) -> None:
    note = stage.values["note"]
    made = send(stage, f"the-contributor SAY {stage.space} {note} by <b>telegraph</b><script>x</script>").split()
    shown = stage.reader.get(f"/api/workspaces/{stage.space}/contents/{note}/comments/{made[1]}").json
    assert (shown["raw_content"], shown["author"]["username"]) == ("by <b>telegraph</b>", "the-contributor")
    space = send(stage, "trusted FOUND a space").split()[1]
    assert stage.people["trusted"].get(f"/api/workspaces/{space}").json["label"] == "a space"
    assert send(stage, f"trusted DROP {space}") == "ok dropped"
    assert stage.people["trusted"].get(f"/api/workspaces/{space}").json["is_deleted"] is True


def test_the_guards_of_every_route_refuse_alike_without_http(stage: Stage) -> None:
    """`kernel.run` with a route's guards and path says no to whom the route says no, with the same error."""
    ours = {facts.key(r.method, r.openapi_path()): r for _, r in stage.kernel.router.routes}
    wrong, refusals = [], 0
    for (method, path), recipe in RECIPES.items():
        route = ours[facts.key(method, path)]
        for person in ("stranger", "user", "reader", "deactivated", "deleted"):
            asked = stage.path(route.openapi_path(), recipe)
            names = route_names(route.openapi_path(), asked)
            request = stage.request(recipe)
            answer = stage.people[person].request(method, asked, **request)
            if answer.status < 400:
                continue
            refusals += 1
            told = by_guards(stage, person, route, names, request.get("json_body"))
            if told != (answer.status, answer.code):
                wrong.append((person, method, path, told, answer.status, answer.code))
    assert refusals > 300
    assert not wrong, "\n".join(map(str, wrong))


def route_names(template: str, path: str) -> dict[str, str]:
    """Return the path parameters of a filled path."""
    pattern = re.sub(r"\\{([a-z_0-9]+)\\}", r"(?P<\1>[^/]+?)", re.escape(template))
    found = re.fullmatch(pattern, path)
    assert found, (template, path)
    return found.groupdict()


def by_guards(stage: Stage, person: str, route: Any, names: dict[str, str], body: Any) -> tuple[int, Any] | None:
    """Run the guards of a route in a unit of work of their own; None when they let the person in."""
    name = PEOPLE[person]
    actor: Actor = ANONYMOUS if name == "-" else telegraph._actor(stage.kernel, name)
    try:
        stage.kernel.run(
            lambda ctx: None, writes=False, actor=actor, guards=route.guards, path=names, raw_body=body
        )  # fmt: skip
    except KernelError as error:
        return error.status, error.code
    return None
