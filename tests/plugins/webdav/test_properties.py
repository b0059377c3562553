"""Dead properties in the database: kept as they came, bounded, read in one statement for a listing."""

from __future__ import annotations

import inspect
import threading
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.kernel.testing.plugin import make_kernel
from atrio.plugins.webdav.services import properties as service

pytest.importorskip("wsgidav")

from wsgidav import xml_tools
from wsgidav.dav_error import HTTP_FORBIDDEN, HTTP_INSUFFICIENT_STORAGE, DAVError
from wsgidav.prop_man import property_manager as theirs

from atrio.plugins.webdav.adapters.properties import PropertyManager

SETTINGS = {"plugins__enabled": ["webdav"]}
pytestmark = pytest.mark.atrio_config(**SETTINGS)
COLOUR = "{http://example.com/ns}colour"
RED = '<ns:colour xmlns:ns="http://example.com/ns">rot \N{GRINNING FACE} &amp; blau</ns:colour>'.encode()


def key_of(url: str, environ: dict[str, Any] | None) -> str | None:
    """`/12` is content 12; there is nothing else."""
    name = url.strip("/")
    return f"content:{name}" if name.isdigit() else None


@pytest.fixture
def manager(kernel: Kernel) -> PropertyManager:
    return PropertyManager(kernel, key_of)


def test_a_property_comes_back_as_it_was_sent(manager: PropertyManager) -> None:
    manager.write_property("/1", COLOUR, RED)
    manager.write_property("/1/", "{}bare", "<bare/>")
    assert manager.get_property("/1", COLOUR) == RED
    assert xml_tools.string_to_xml(manager.get_property("/1", COLOUR)).text == "rot \N{GRINNING FACE} & blau"
    assert sorted(manager.get_properties("/1")) == [COLOUR, "{}bare"]
    manager.write_property("/1", COLOUR, b"<x/>")
    assert manager.get_property("/1", COLOUR) == b"<x/>"
    assert manager.get_property("/1", COLOUR.upper()) is None  # names are told apart by case
    assert manager.get_properties("/2") == []
    assert manager.get_property("/2", COLOUR) is None


def test_a_value_that_declares_its_encoding(manager: PropertyManager) -> None:
    manager.write_property("/1", COLOUR, xml_tools.xml_to_bytes(xml_tools.string_to_xml(RED)))
    assert xml_tools.string_to_xml(manager.get_property("/1", COLOUR)).tag == COLOUR


def test_removing(manager: PropertyManager) -> None:
    for name in ("a", "b", "c"):
        manager.write_property("/1", name, b"<x/>")
        manager.write_property("/2", name, b"<x/>")
    manager.remove_property("/1", "a")
    manager.remove_property("/1", "never there")
    manager.remove_property("/1", "b", dry_run=True)
    assert sorted(manager.get_properties("/1")) == ["b", "c"]
    manager.remove_properties("/1")
    assert manager.get_properties("/1") == []
    assert len(manager.get_properties("/2")) == 3


def test_a_dry_run_writes_nothing_and_refuses_the_same(manager: PropertyManager) -> None:
    manager.write_property("/1", COLOUR, RED, dry_run=True)
    assert manager.get_properties("/1") == []
    for dry_run in (True, False):
        with pytest.raises(DAVError) as caught:
            manager.write_property("/1", COLOUR, b"x" * (64 * 1024 + 1), dry_run=dry_run)
        assert caught.value.value == HTTP_INSUFFICIENT_STORAGE
        with pytest.raises(DAVError) as caught:
            manager.write_property("/1", "n" * 2049, b"x", dry_run=dry_run)
        assert caught.value.value == HTTP_INSUFFICIENT_STORAGE
        with pytest.raises(DAVError) as caught:
            manager.write_property("/elsewhere", COLOUR, RED, dry_run=dry_run)
        assert caught.value.value == HTTP_FORBIDDEN
    manager.write_property("/1", COLOUR, b"x" * 64 * 1024)
    assert len(manager.get_property("/1", COLOUR) or b"") == 64 * 1024


def test_two_hundred_and_no_more(kernel: Kernel, manager: PropertyManager) -> None:
    kernel.run(lambda ctx: service.change_properties(ctx, "content:1", {f"p{n}": "<x/>" for n in range(200)}))
    for dry_run in (True, False):
        with pytest.raises(DAVError) as caught:
            manager.write_property("/1", "one more", b"<x/>", dry_run=dry_run)
        assert caught.value.value == HTTP_INSUFFICIENT_STORAGE
    manager.write_property("/1", "p7", b"<y/>")
    with pytest.raises(service.PropertyRefused):
        kernel.run(lambda ctx: service.change_properties(ctx, "content:1", {"p7": "<z/>", "one more": "<x/>"}))
    assert manager.get_property("/1", "p7") == b"<y/>"
    kernel.run(lambda ctx: service.change_properties(ctx, "content:1", {"p7": None, "one more": "<x/>"}))
    assert len(manager.get_properties("/1")) == 200
    assert manager.get_property("/1", "p7") is None


def test_copying_and_moving(manager: PropertyManager) -> None:
    manager.write_property("/1", "a", b"<x/>")
    manager.write_property("/2", "b", b"<y/>")
    manager.copy_properties("/1", "/2")
    assert manager.get_properties("/2") == ["a"]
    manager.write_property("/2", "a", b"<z/>")
    assert manager.get_property("/1", "a") == b"<x/>"
    manager.copy_properties("/1", "/1")
    manager.move_properties("/1", "/1/", False)
    manager.copy_properties("/1", "/elsewhere")
    assert manager.get_property("/1", "a") == b"<x/>"
    manager.move_properties("/1", "/2", with_children=True)
    assert manager.get_property("/2", "a") == b"<x/>"
    assert manager.get_properties("/1") == []


def test_a_chain_of_moves(kernel: Kernel, manager: PropertyManager) -> None:
    manager.write_property("/1", "a", b"<x/>")
    manager.write_property("/2", "b", b"<y/>")
    pairs = {"content:1": "content:2", "content:2": "content:3"}
    kernel.run(lambda ctx: service.move_properties(ctx, pairs))
    assert [manager.get_properties(f"/{n}") for n in (1, 2, 3)] == [[], ["a"], ["b"]]


def test_a_tree_is_copied_in_pages(kernel: Kernel, statements: Any) -> None:
    kernel.run(lambda ctx: service.change_properties(ctx, "content:7", {"a": "<x/>"}))
    pairs = {f"content:{n}": f"content:{n + 10_000}" for n in range(2000)}
    with statements() as seen:
        kernel.run(lambda ctx: service.copy_properties(ctx, pairs))
    assert len(seen) <= 9
    found = kernel.run(lambda ctx: service.properties_of(ctx, pairs.values()), writes=False)
    assert found == {"content:10007": {"a": "<x/>"}}


def test_a_listing_reads_once(manager: PropertyManager, statements: Any) -> None:
    for number in range(5):
        manager.write_property(f"/{number}", "a", b"<x/>")
        manager.write_property(f"/{number}", "b", b"<y/>")
    environ: dict[str, Any] = {}
    with statements() as seen:
        manager.prefetch(environ, [f"content:{n}" for n in range(300)])
        for number in range(300):
            for name in manager.get_properties(f"/{number}", environ):
                assert manager.get_property(f"/{number}", name, environ)
    assert len(seen) == 1
    manager.write_property("/1", "a", b"<new/>", environ=environ)
    assert manager.get_property("/1", "a", environ) == b"<new/>"
    manager.remove_property("/1", "a", environ=environ)
    assert manager.get_properties("/1", environ) == ["b"]
    manager.copy_properties("/1", "/2", environ)
    assert manager.get_properties("/2", environ) == ["b"]
    manager.remove_properties("/2", environ)
    assert manager.get_properties("/2", environ) == []


def test_the_last_one_allowed_is_one(kernel: Kernel, tmp_path: Path) -> None:
    url = kernel.db.url.render_as_string(hide_password=False)
    other = make_kernel(tmp_path / "data", {**SETTINGS, "database__url": url})
    kernel.run(lambda ctx: service.change_properties(ctx, "content:1", {f"p{n}": "<x/>" for n in range(198)}))
    managers = [PropertyManager(k, key_of) for k in (kernel, other)]
    barrier = threading.Barrier(6)
    results: list[Any] = []

    def write(number: int) -> None:
        barrier.wait()
        try:
            managers[number % 2].write_property("/1", f"new{number}", b"<x/>")
            results.append(True)
        except DAVError as error:
            results.append(error.value)
        for each in (kernel, other):
            each.db.close_thread()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [True, True] + [HTTP_INSUFFICIENT_STORAGE] * 4
    assert len(managers[0].get_properties("/1")) == 200
    other.stop()
    other.app.pool.close()
    other.app.io.close()


def test_our_manager_has_all_that_theirs_has() -> None:
    for name, method in inspect.getmembers(theirs.PropertyManager, inspect.isfunction):
        if not name.startswith("_"):
            wanted = list(inspect.signature(method).parameters)
            assert list(inspect.signature(getattr(PropertyManager, name)).parameters) == wanted, name
