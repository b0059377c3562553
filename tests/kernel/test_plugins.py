"""Plugins: discovery, order, blocking, and each state a stranger's plugin can end in."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from atrio.kernel.config import ConfigError, ConfigSection, PluginsConfig, option
from atrio.kernel.errors import BootError
from atrio.kernel.host import Kernel
from atrio.kernel.plugins import (
    Manifest,
    PluginRecord,
    State,
    block,
    dependants,
    discover,
    in_order,
    load,
    select,
)

MakePlugin = Callable[..., PluginRecord]
Boot = Callable[..., Kernel]


@dataclass(frozen=True)
class BirdConfig:
    """A stranger's settings."""

    legs: int = option(2, maximum=4, help="How many legs.")


BIRD = ConfigSection("bird", BirdConfig)


def names(records: list[PluginRecord]) -> list[str]:
    return [r.name for r in records]


# -- discovery -----------------------------------------------------------------------------------------------


def test_the_bundled_plugins_are_found_by_their_entry_points() -> None:
    found = {r.name: r for r in discover()}
    assert {"accounts", "spaces", "core_content", "api_docs"} <= set(found)
    assert all(r.state is State.ENABLED for r in found.values()), [(r.name, r.reason) for r in found.values()]


class _Point:
    """An entry point."""

    dist = None

    def __init__(self, name: str, value: str) -> None:
        self.name, self.value = name, value


def _give(monkeypatch: pytest.MonkeyPatch, modules: dict[str, Any], *points: tuple[str, str]) -> None:
    import importlib

    import importlib_metadata

    def find(target: str) -> Any:
        found = modules[target]
        if isinstance(found, BaseException):
            raise found
        return found

    monkeypatch.setattr(importlib_metadata, "entry_points", lambda group: [_Point(*p) for p in points])
    monkeypatch.setattr(importlib, "import_module", find)


def _module(**members: Any) -> types.ModuleType:
    module = types.ModuleType("m")
    vars(module).update(members)
    return module


@pytest.mark.parametrize(
    ("module", "state", "reason"),
    [
        (ImportError("no such library"), State.LOAD_ERROR, "ImportError: no such library"),
        (SystemExit(3), State.LOAD_ERROR, "SystemExit: 3"),
        (_module(), State.LOAD_ERROR, "p.plugin has no MANIFEST"),
        (_module(MANIFEST={"name": "p"}), State.LOAD_ERROR, "has no MANIFEST"),
        (_module(MANIFEST=Manifest("q", "other")), State.LOAD_ERROR, "the manifest says 'q'"),
        (_module(MANIFEST=Manifest("p", "future", api=2)), State.INCOMPATIBLE, "interface 2, this kernel has 1"),
    ],
)
def test_a_broken_module_parks_only_itself(
    monkeypatch: pytest.MonkeyPatch, module: Any, state: State, reason: str
) -> None:
    good = _module(MANIFEST=Manifest("good", "works"))
    _give(monkeypatch, {"p.plugin": module, "good.plugin": good}, ("p", "p.plugin"), ("good", "good.plugin"))
    found = {r.name: r for r in discover()}
    assert found["p"].state is state
    assert reason in found["p"].reason
    assert found["good"].enabled


def test_an_interrupt_is_no_load_error(monkeypatch: pytest.MonkeyPatch) -> None:
    _give(monkeypatch, {"p.plugin": KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        load(PluginRecord("p", "p.plugin"))


def test_two_distributions_with_one_name_are_a_load_error_naming_both(monkeypatch: pytest.MonkeyPatch) -> None:
    module = _module(MANIFEST=Manifest("p", "twin"))
    _give(monkeypatch, {"a.plugin": module, "b.plugin": module}, ("p", "a.plugin"), ("p", "b.plugin"))
    (record,) = discover()
    assert record.state is State.LOAD_ERROR
    assert "a.plugin" in record.reason
    assert "b.plugin" in record.reason


# -- choice, order, blocking ---------------------------------------------------------------------------------


def test_the_config_chooses(plugin: MakePlugin) -> None:
    records = [plugin("a"), plugin("b", default_enabled=False), plugin("c", default_enabled=False), plugin("d")]
    warnings = select(records, PluginsConfig(enabled=("c",), disabled=("d", "aa")))
    assert [r.state for r in records] == [State.ENABLED, State.DISABLED, State.ENABLED, State.DISABLED]
    assert warnings == ["plugins.disabled: no plugin is named 'aa' (did you mean 'a'?)"]


def test_what_needs_an_absent_one_is_blocked_down_the_line(plugin: MakePlugin) -> None:
    records = [plugin("a", requires=("b",)), plugin("b", requires=("c",)), plugin("c", requires=("nowhere",))]
    parked = block(records)
    assert {r.name for r in parked} == {"a", "b", "c"}
    assert [r.reason for r in records] == [
        "needs b (blocked)",
        "needs c (blocked)",
        "needs nowhere (not installed)",
    ]


def test_order_follows_requirements_then_names(plugin: MakePlugin) -> None:
    records = [
        plugin("d", after=("a",)),
        plugin("b", requires=("z",)),
        plugin("z"),
        plugin("a", after=("absent",)),
    ]
    assert names(in_order(records)) == ["a", "z", "b", "d"]


def test_essential_ones_come_first(plugin: MakePlugin) -> None:
    records = [plugin("a"), plugin("z", essential=True, requires=("y",)), plugin("y")]
    assert names(in_order(records)) == ["y", "z", "a"]


def test_a_circle_blocks_its_members_and_names_the_way(plugin: MakePlugin) -> None:
    records = [
        plugin("a", requires=("b",)),
        plugin("b", requires=("c",)),
        plugin("c", requires=("b",)),
        plugin("d"),
    ]
    ordered = in_order(records)
    state = {r.name: r.state for r in ordered}
    assert sorted(names(ordered)) == ["a", "b", "c", "d"]
    assert (state["b"], state["c"], state["d"]) == (State.BLOCKED, State.BLOCKED, State.ENABLED)
    assert "b → c → b" in records[1].reason


def test_a_circle_leaves_the_reason_of_a_disabled_member(plugin: MakePlugin) -> None:
    records = [plugin("a", requires=("b",)), plugin("b", requires=("a",))]
    select(records, PluginsConfig(disabled=("b",)))
    in_order(records)
    assert records[1].state is State.DISABLED
    assert records[0].reason == "needs b (disabled)"


def test_dependants_are_found_down_the_line(plugin: MakePlugin) -> None:
    records = [plugin("a"), plugin("b", requires=("a",)), plugin("c", requires=("b",)), plugin("d", after=("a",))]
    assert dependants(records, "a") == ["b", "c"]


# -- states at boot ------------------------------------------------------------------------------------------


def _raise(error: Exception) -> Callable[[], Any]:
    def hook() -> Any:
        raise error

    return hook


@pytest.mark.parametrize(
    ("hooks", "state", "reason"),
    [
        (
            {"register_routs": []},
            State.LOAD_ERROR,
            "unknown hook register_routs (did you mean 'register_routes'?)",
        ),
        ({"register_events": _raise(RuntimeError("boom"))}, State.LOAD_ERROR, "RuntimeError: boom"),
        ({"register_config": _raise(ValueError("bad"))}, State.CONFIG_ERROR, "ValueError: bad"),
        ({"check_environment": lambda config: "ffmpeg is missing"}, State.UNAVAILABLE, "ffmpeg is missing"),
        ({"check_environment": _raise(OSError("no disk"))}, State.UNAVAILABLE, "OSError: no disk"),
        ({"requires": ("nowhere",)}, State.BLOCKED, "needs nowhere (not installed)"),
        ({"default_enabled": False}, State.DISABLED, "not enabled by default"),
        ({"offers": {"spaces": ("register_roles",)}}, State.LOAD_ERROR, "offers spaces.register_roles"),
        ({"register_tasks": lambda unknown_argument: []}, State.LOAD_ERROR, "unknown_argument"),
    ],
)
def test_a_broken_stranger_is_parked_and_everything_else_serves(
    plugin: MakePlugin, boot_with: Boot, hooks: dict[str, Any], state: State, reason: str
) -> None:
    kernel = boot_with(plugin("birds", **hooks), plugin("bees", requires=("birds",)), plugin("trees"))
    birds, bees, trees = (kernel.record(n) for n in ("birds", "bees", "trees"))
    assert birds is not None
    assert birds.state is state, birds.reason
    assert reason in birds.reason
    assert bees is not None
    assert (bees.state, bees.reason) == (State.BLOCKED, f"needs birds ({state})")
    assert trees is not None
    assert trees.enabled
    assert kernel.enabled("accounts")


@pytest.mark.parametrize(
    "given",
    [
        {"essential": True, "register_events": _raise(RuntimeError("boom"))},
        {"essential": True, "requires": ("nowhere",)},
        {"essential": True, "check_environment": lambda config: "boom"},
        {"register_policies": _raise(RuntimeError("boom"))},
        {"authenticate": lambda request, ctx: None, "register_events": _raise(RuntimeError("boom"))},
    ],
)
def test_a_broken_essential_or_guarding_plugin_stops_the_boot(
    plugin: MakePlugin, boot_with: Boot, given: dict[str, Any]
) -> None:
    with pytest.raises(BootError, match="plugin birds cannot start"):
        boot_with(plugin("birds", **given))


def test_a_disabled_essential_stops_the_boot(boot_with: Boot) -> None:
    with pytest.raises(BootError, match="accounts cannot start"):
        boot_with(plugins__disabled=["accounts"])


def test_a_bad_setting_parks_its_plugin_and_a_mistyped_section_stops_the_boot(
    plugin: MakePlugin, boot_with: Boot
) -> None:
    kernel = boot_with(plugin("bird", register_config=[BIRD]), bird__legs=9)
    record = kernel.record("bird")
    assert record is not None
    assert (record.state, record.reason) == (State.CONFIG_ERROR, "bird.legs: at most 4, got 9")
    with pytest.raises(ConfigError, match=r"unknown section \[birds\] \(did you mean 'bird'\?\)"):
        boot_with(plugin("bird", register_config=[BIRD]), birds__legs=2)


def test_the_keys_of_a_disabled_plugin_stay_known(plugin: MakePlugin, boot_with: Boot) -> None:
    kernel = boot_with(plugin("flock", register_config=[BIRD]), plugins__disabled=["flock"], bird__legs=2)
    assert kernel.record("flock") is not None
    assert not kernel.enabled("flock")


def test_an_offered_hook_sleeps_while_its_owner_is_absent(plugin: MakePlugin, boot_with: Boot) -> None:
    kernel = boot_with(plugin("birds", offers={"gallery": ("register_pictures",)}, register_pictures=lambda: []))
    record = kernel.record("birds")
    assert record is not None
    assert record.enabled, record.reason


def test_a_plugin_taken_out_loses_its_routes_and_its_say(plugin: MakePlugin, boot_with: Boot) -> None:
    kernel = boot_with(plugin("birds"))
    record = kernel.record("birds")
    for _ in range(5):
        kernel.note_fault(record)
    assert record is not None
    assert record.enabled, "faults outside commits are counted only"
    for _ in range(5):
        kernel.note_fault(record, in_commit=True)
    assert record.state is State.FAILED
    assert not kernel.hooks.has_plugin("birds")
