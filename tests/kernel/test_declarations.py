"""Declarations of plugins: what is claimed twice is refused naming both, what is unsound parks its plugin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from sqlalchemy import literal

from atrio.kernel.context import Context
from atrio.kernel.db import migrate
from atrio.kernel.db.base import Base
from atrio.kernel.db.migrate import Lineage
from atrio.kernel.errors import KernelError
from atrio.kernel.events import Event, Phase, Subscription
from atrio.kernel.host import Kernel
from atrio.kernel.http.guards import PUBLIC, Permission
from atrio.kernel.http.response import json_response
from atrio.kernel.http.route import Answer, Call, Mount, Route
from atrio.kernel.http.schema import FieldContributor
from atrio.kernel.plugins import PluginRecord, State
from atrio.kernel.tasks import Task
from atrio.kernel.testing.client import Client

MakePlugin = Callable[..., PluginRecord]
Boot = Callable[..., Kernel]


@dataclass(frozen=True)
class Hatched(Event):
    """An egg opened."""

    name: ClassVar[str] = "bird.hatched"
    bird_id: int


@dataclass(frozen=True)
class OtherHatched(Event):
    """The same name, another class."""

    name: ClassVar[str] = "bird.hatched"


@dataclass(frozen=True)
class Nameless(Event):
    """An event without a name."""


class NoNest(KernelError):
    """There is no nest."""

    code = 30001


class NoTree(KernelError):
    """Another error with the same code."""

    code = 30001


def twin(code: int) -> type[KernelError]:
    """Return a class of the same name as NoNest that is not NoNest."""
    return type("NoNest", (KernelError,), {"code": code, "__doc__": "A twin."})


def say(ctx: Context, call: Call) -> Any:
    """Answer something."""
    return json_response("tweet")


def route(path: str, method: str = "GET", **given: Any) -> Route:
    return Route(method, path, say, given.pop("guards", (PUBLIC,)), Answer(shape="any"), **given)


def nothing(ctx: Context, **given: Any) -> None:
    """Do nothing."""


def none_column(id_column: Any) -> Any:
    """Return a constant."""
    return literal(7)


JOB = Subscription(Hatched, nothing, phase=Phase.JOB, name="birds.sing")


@pytest.mark.parametrize(
    ("hook", "first", "second", "reason"),
    [
        ("register_routes", route("/birds"), route("/birds"), "GET /birds is declared by birds and crows"),
        ("register_errors", NoNest, NoTree, "error code 30001 is declared by birds and crows"),
        ("register_errors", NoNest, twin(30001), "error code 30001 is declared by birds and crows"),
        ("register_events", Hatched, OtherHatched, "event 'bird.hatched' is declared by birds and crows"),
        ("register_tasks", Task("sing", nothing), Task("sing", nothing), "task 'sing' is declared by birds and crows"),
        (
            "register_permissions", Permission("birds.fly", NoNest), Permission("birds.fly", NoNest),
            "permission 'birds.fly' is declared by birds and crows",
        ),
        (
            "register_schema_fields", FieldContributor("content", "actives_shares", none_column),
            FieldContributor("content", "actives_shares", none_column),
            "field content.actives_shares is contributed by birds and crows",
        ),
        ("register_subscriptions", JOB, JOB, "job 'birds.sing' is declared by birds and crows"),
    ],
)  # fmt: skip
def test_what_is_claimed_twice_names_both(
    plugin: MakePlugin, boot_with: Boot, hook: str, first: Any, second: Any, reason: str
) -> None:
    kernel = boot_with(plugin("birds", **{hook: [first]}), plugin("crows", **{hook: [second]}))
    crows = kernel.record("crows")
    assert kernel.enabled("birds")
    assert crows is not None
    assert crows.state is State.LOAD_ERROR
    assert reason in crows.reason


def test_a_capability_announced_twice_names_both(plugin: MakePlugin, boot_with: Boot) -> None:
    kernel = boot_with(
        plugin("birds", register_capabilities=lambda config: {"song": 1}),
        plugin("crows", register_capabilities=lambda config: {"song": 2}),
    )
    crows = kernel.record("crows")
    assert crows is not None
    assert "capability 'song' is announced by birds and crows" in crows.reason
    assert kernel.capabilities["song"] == 1


def test_one_error_class_may_be_declared_by_two(plugin: MakePlugin, boot_with: Boot) -> None:
    kernel = boot_with(plugin("birds", register_errors=[NoNest]), plugin("crows", register_errors=[NoNest]))
    assert kernel.enabled("crows")


def test_a_clash_with_the_kernel_or_a_bundled_plugin_parks_the_stranger(
    plugin: MakePlugin, boot_with: Boot
) -> None:
    kernel = boot_with(
        plugin("birds", register_errors=[type("Mine", (KernelError,), {"code": 1002})]),
        plugin("crows", register_routes=[route("/api/workspaces")]),
        plugin("owls", register_errors=[type("Mine", (KernelError,), {"code": 20001})]),
    )
    reasons = {n: kernel.record(n).reason for n in ("birds", "crows", "owls")}  # type: ignore[union-attr]
    assert reasons["birds"] == "error code 1002 is declared by spaces and birds"
    assert reasons["crows"] == "route GET /api/workspaces is declared by spaces and crows"
    assert reasons["owls"] == "error code 20001 is declared by kernel and owls"


def _model(table: str) -> Any:
    return type("Model", (), {"__tablename__": table})


def test_tables_carry_the_name_of_their_plugin(plugin: MakePlugin, boot_with: Boot) -> None:
    kernel = boot_with(
        plugin("crows", register_models=[_model("crow_nest")]),
        plugin("bird", register_models=[_model("bird_nest_egg")]),
        plugin("bird_nest", register_models=[_model("bird_nest_egg")]),
    )
    assert kernel.record("crows").reason == "table 'crow_nest' must be named crows_…"  # type: ignore[union-attr]
    twin = kernel.record("bird_nest")
    assert twin is not None
    assert twin.reason == "table 'bird_nest_egg' is declared by bird and bird_nest"
    assert "bird_nest_egg" not in Base.metadata.tables


def test_a_lineage_names_its_owner(plugin: MakePlugin, boot_with: Boot) -> None:
    kernel = boot_with(plugin("birds", register_migrations=lambda: Lineage("crows", "x.y")))
    record = kernel.record("birds")
    assert record is not None
    assert record.reason == "the lineage names 'crows' as its owner"


@pytest.mark.parametrize(
    ("hook", "value", "reason"),
    [
        ("register_routes", route("birds"), "must start with /"),
        ("register_routes", route("/birds", guards=()), "has no guards (default deny)"),
        ("register_routes", route("/birds/{all:rest}/x"), "must be the last segment"),
        ("register_events", Nameless, "has no name"),
        ("register_tasks", Task("t", nothing, periodic="* * *"), "needs five fields"),
        ("register_tasks", Task("t", nothing, periodic="61 * * * *"), "crontab '61 * * * *'"),
        ("register_subscriptions", Subscription(Hatched, nothing, phase=Phase.JOB), "has no name"),
    ],
)
def test_an_unsound_declaration_parks_its_plugin(
    plugin: MakePlugin, boot_with: Boot, hook: str, value: Any, reason: str
) -> None:
    kernel = boot_with(plugin("birds", **{hook: [value]}))
    record = kernel.record("birds")
    assert record is not None
    assert record.state is State.LOAD_ERROR
    assert reason in record.reason


def test_a_mount_may_not_cover_a_route_nor_another_mount(plugin: MakePlugin, boot_with: Boot) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        """Serve nothing."""

    def mounts(prefix: str) -> Any:
        def register_mounts(kernel: Kernel) -> list[Mount]:
            return [Mount(prefix, app)]

        return register_mounts

    kernel = boot_with(
        plugin("a", register_mounts=mounts("/nest")),
        plugin("b", register_mounts=mounts("/nest/deep/")),
        plugin("c", register_mounts=mounts("/api/workspaces")),
        plugin("d", register_routes=[route("/nest/x")]),
        plugin("e", register_mounts=mounts("/nestling")),
    )
    reasons = {n: kernel.record(n).reason for n in "abcde"}  # type: ignore[union-attr]
    assert reasons.pop("c").startswith("c: mount /api/workspaces covers the route /api/workspaces")
    assert reasons == {
        "a": "", "b": "b: mount /nest/deep overlaps /nest", "d": "d: route /nest/x lies in the mount /nest", "e": "",
    }  # fmt: skip


def test_what_a_parked_plugin_declared_before_it_failed_is_gone(plugin: MakePlugin, boot_with: Boot) -> None:
    def fail() -> Any:
        raise RuntimeError("late")

    kernel = boot_with(
        plugin(
            "birds", register_routes=[route("/birds")], register_background=fail,
            register_schema_fields=[FieldContributor("content", "actives_shares", none_column)],
            register_capabilities=lambda config: {"song": 1},
        )
    )  # fmt: skip
    record = kernel.record("birds")
    assert record is not None
    assert record.reason == "RuntimeError: late"
    assert Client(kernel.app).get("/birds/").status == 404
    assert {shape for shape, _ in kernel.contributors} == {"user_about"}, "what others declared stays"
    assert "song" not in kernel.capabilities


def test_a_strangers_route_serves(plugin: MakePlugin, boot_with: Boot) -> None:
    kernel = boot_with(plugin("birds", register_routes=[route("/birds/{name}")]))
    client = Client(kernel.app)
    assert client.get("/birds/wren").json == "tweet"
    client.close()


def test_a_strangers_field_is_shown_and_disabled_it_leaves_the_default(
    plugin: MakePlugin, boot_with: Boot
) -> None:
    fields = [FieldContributor("content", "actives_shares", none_column)]
    for expected, settings in ((7, {}), (0, {"plugins__disabled": ["birds"]})):
        kernel = boot_with(plugin("birds", register_schema_fields=fields), **settings)
        client = Client(kernel.app, "admin@admin.admin", "admin-password")
        body = {"label": "A", "description": "", "access_type": "open", "default_user_role": "reader"}
        space = client.post("/api/workspaces", body).json["workspace_id"]
        made = client.post(f"/api/workspaces/{space}/contents", {"label": "n", "content_type": "html-document"})
        assert made.json["actives_shares"] == expected
        client.close()


def test_health_shows_what_plugins_say(plugin: MakePlugin, boot_with: Boot) -> None:
    def broken(kernel: Kernel) -> Any:
        raise RuntimeError("the nest is empty")

    kernel = boot_with(
        plugin("birds", register_health=lambda kernel: {"eggs": 3}), plugin("crows", requires=("nowhere",))
    )
    client = Client(kernel.app)
    answer = client.get("/health/ready")
    assert answer.status == 200
    assert answer.json["plugins"]["birds"] == {"state": "enabled", "facts": {"eggs": 3}}
    assert answer.json["plugins"]["crows"] == {"state": "blocked", "reason": "needs nowhere (not installed)"}
    kernel = boot_with(plugin("birds", register_health=broken))
    answer = Client(kernel.app).get("/health/ready")
    assert answer.status == 200  # it is not essential: requests can be served
    assert answer.json["plugins"]["birds"]["failing"] == "RuntimeError"


def test_tables_of_owners_whose_names_begin_alike_are_told_apart() -> None:
    owners = ("search", "search_elastic", "mail")
    assert migrate.owner_of("search_document", owners) == "search"
    assert migrate.owner_of("search_elastic_index", owners) == "search_elastic"
    assert migrate.owner_of("searching", owners) is None
