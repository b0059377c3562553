"""Folders that other plugins show at the top of the drive."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.markers import hookimpl
from atrio.kernel.plugins import Manifest, PluginRecord, discover
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD, make_kernel
from atrio.plugins.core_content.api import ContentNotFound as NotFound

from .conftest import Person

pytest.importorskip("wsgidav")
STORED: dict[tuple[str, ...], bytes] = {}


def _entry(path: tuple[str, ...]) -> dict[str, Any]:
    data = STORED[path]
    return {
        "name": path[-1], "size": len(data), "media": "text/plain", "etag": str(hash(data)), "created": 10**15,
        "modified": 10**15,
    }  # fmt: skip


def _find(ctx: Any, path: tuple[str, ...]) -> dict[str, Any] | None:
    if path == ("Months",):
        return {"name": "Months", "folder": True}
    return _entry(path) if path in STORED else None


def _list(ctx: Any, path: tuple[str, ...]) -> list[dict[str, Any]]:
    inside = [_entry(p) for p in sorted(STORED) if p[:-1] == path]
    return inside if path else [{"name": "Months", "folder": True}, *inside]


def _read(ctx: Any, path: tuple[str, ...]) -> bytes:
    assert ctx.actor.id is not None
    return STORED[path]


def _write(ctx: Any, path: tuple[str, ...], source: Path, media: str) -> None:
    if path[:1] != ("Months",):
        raise NotFound
    STORED[path] = source.read_bytes()


def _delete(ctx: Any, path: tuple[str, ...]) -> None:
    del STORED[path]


WHOLE = {"name": "Agenda", "list": _list, "find": _find, "read": _read, "write": _write, "delete": _delete}
READABLE = {k: v for k, v in WHOLE.items() if k not in ("write", "delete")} | {"name": "Readable"}


def _plugin(name: str, trees: Callable[[], Any]) -> PluginRecord:
    module = types.ModuleType(f"strangers.{name}.plugin")
    record = PluginRecord(name, module.__name__)
    record.module = module
    record.manifest = Manifest(name=name, summary="a stranger", offers={"webdav": ["register_dav_trees"]})
    module.register_dav_trees = hookimpl(optionalhook=True)(trees)  # type: ignore[attr-defined]
    return record


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Callable[..., Person]]:
    """`person(trees, …)` boots an instance with a plugin for each list of trees."""
    STORED.clear()
    STORED["Months", "may.ics"] = b"BEGIN:VCALENDAR"
    booted: list[Any] = []

    def start(*given: Callable[[], Any]) -> Person:
        records = [_plugin(f"bird{n}", trees) for n, trees in enumerate(given)]
        kernel = make_kernel(tmp_path / "data", {"plugins__enabled": ["webdav"]}, records=[*discover(), *records])
        booted.append(kernel)
        return Person(Client(kernel.app, ADMIN, PASSWORD))

    yield start
    for kernel in booted:
        kernel.stop()
        kernel.app.pool.close()
        kernel.app.io.close()


@pytest.mark.parametrize("native", [True, False])
def test_a_tree_is_a_folder_of_the_drive(person: Any, native: bool) -> None:
    who = person(lambda: [WHOLE, READABLE])
    who.client.app.kernel.router.find_mount("/webdav").app.settings.__dict__["native"] = native
    assert who.names("/") == ["Agenda", "Readable"]
    assert who.names("/Agenda") == ["Months"]
    assert who.names("/Agenda/Months") == ["may.ics"]
    got = who("GET", "/Agenda/Months/may.ics")
    assert (got.status, got.body, got.headers["content-type"]) == (200, b"BEGIN:VCALENDAR", "text/plain")
    assert who("GET", "/Agenda/Months/may.ics", if_none_match=got.headers["etag"]).status == 304
    assert who("GET", "/Agenda/Months/none.ics").status == 404
    assert who("PUT", "/Agenda/Months/june.ics", b"JUNE").status == 201
    assert who("PUT", "/Agenda/Months/june.ics", b"JULY").status == 204
    assert who("GET", "/Agenda/Months/june.ics").body == b"JULY"
    assert who("DELETE", "/Agenda/Months/june.ics").status == 204
    assert who.names("/Agenda/Months") == ["may.ics"]
    for method, path, headers in (
        ("PUT", "/Readable/Months/x", {}), ("DELETE", "/Readable/Months/may.ics", {}), ("DELETE", "/Agenda", {}),
        ("MKCOL", "/Agenda/x", {}), ("MOVE", "/Agenda/Months/may.ics", {"to": "/Agenda/Months/b.ics"}),
        ("COPY", "/Agenda/Months/may.ics", {"to": "/Agenda/Months/b.ics"}),
    ):  # fmt: skip
        answer = who(method, path, b"x" if method == "PUT" else None, **headers)
        assert answer.status == 403, (method, path, answer.status, answer.body)
    assert who("PUT", "/Agenda/elsewhere", b"x").status == 404
    assert who.lock("/Agenda/Months/may.ics").status == 403
    assert list(STORED.values()) == [b"BEGIN:VCALENDAR"]


def test_a_space_of_the_same_name_is_not_hidden(person: Any) -> None:
    who = person(lambda: [WHOLE])
    body = {"label": "Agenda", "description": "", "access_type": "open", "default_user_role": "reader"}
    assert who.client.post("/api/workspaces", body).status == 200
    assert who.names("/") == ["Agenda.space", "Agenda"]


def test_a_plugin_that_declares_nonsense_shows_nothing(person: Any) -> None:
    def broken() -> Any:
        raise RuntimeError("broken")

    nameless = {k: v for k, v in WHOLE.items() if k != "name"}
    odd = [{**WHOLE, "name": "a/b"}], [nameless], [{**WHOLE, "what": 1}], [{**WHOLE, "name": "x.space"}]
    who = person(broken, *(lambda trees=trees: trees for trees in odd), lambda: [WHOLE], lambda: [WHOLE])
    assert who.names("/") == ["Agenda"]
    assert who("GET", "/Agenda/Months/may.ics").status == 200
