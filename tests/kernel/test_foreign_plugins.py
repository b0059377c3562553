"""What a plugin of strangers does wrong hurts that plugin alone: it is parked with its reason."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from atrio.kernel.errors import BootError
from atrio.kernel.host import Kernel
from atrio.kernel.isolation import retire
from atrio.kernel.jobs import list_jobs
from atrio.kernel.plugins import PluginRecord, State, discover, load
from atrio.kernel.schema_state import ensure_schema, upgrade
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import make_kernel

HEAD = """
from __future__ import annotations
from atrio import Manifest, hookimpl
MANIFEST = Manifest(name={name!r}, summary="A plugin of strangers", requires={requires!r})
"""
LINEAGE = """
@hookimpl
def register_migrations():
    from atrio.kernel.db.migrate import Lineage
    return Lineage({name!r}, {package!r} + ".migrations")
"""
REVISION = """
import sqlalchemy as sa
from alembic import op
revision = "r1"
down_revision = None

def upgrade():
    op.create_table("{name}_thing", sa.Column("id", sa.Integer, primary_key=True), if_not_exists=True)
    {more}

def downgrade():
    op.drop_table("{name}_thing", if_exists=True)
"""
_serial = itertools.count()
Foreign = Callable[..., PluginRecord]
Boot = Callable[..., Kernel]


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Foreign:
    """`foreign("strange", body, revision)` writes a plugin and returns its record, loaded."""
    root = tmp_path / "installed"
    root.mkdir()
    monkeypatch.syspath_prepend(str(root))

    def make(
        name: str, body: str = "", *, revision: str | None = None, requires: tuple[str, ...] = ()
    ) -> PluginRecord:
        package = f"strange_{name}_{next(_serial)}"
        folder = root / package
        (folder / "migrations" / "versions").mkdir(parents=True)
        (folder / "__init__.py").write_text("")
        (folder / "migrations" / "__init__.py").write_text("")
        source = HEAD.format(name=name, requires=requires) + body
        if revision is not None:
            source += LINEAGE.format(name=name, package=package)
            code = REVISION.format(name=name, more=revision)
            (folder / "migrations" / "versions" / "r1.py").write_text(code)
        (folder / "plugin.py").write_text(source)
        record = PluginRecord(name, f"{package}.plugin")
        load(record)
        return record

    return make


@pytest.fixture
def boot(tmp_path: Path) -> Iterator[Boot]:
    """`boot(record, …)` boots the bundled plugins and these."""
    booted: list[Kernel] = []

    def start(*records: PluginRecord, **settings: Any) -> Kernel:
        kernel = make_kernel(tmp_path / "data", settings, records=[*discover(), *records])
        booted.append(kernel)
        return kernel

    yield start
    for kernel in booted:
        kernel.stop()


def _tables(kernel: Kernel) -> set[str]:
    with kernel.db.writer.connect() as connection:
        return set(inspect(connection).get_table_names())


def _serves(kernel: Kernel) -> None:
    from atrio.kernel.testing.plugin import ADMIN, PASSWORD

    with closing(Client(kernel.app, ADMIN, PASSWORD)) as client:
        assert client.get("/api/users").status == 200


@pytest.mark.parametrize("fault", ['raise ValueError("broken")', 'op.execute("NO SQL")'])
def test_a_failing_revision_parks_its_plugin_on_a_new_database(foreign: Foreign, boot: Boot, fault: str) -> None:
    strange = foreign("strange", revision=fault)
    needing = foreign("needing", revision="pass", requires=("strange",))
    sound = foreign("sound", revision="pass")
    kernel = boot(strange, needing, sound)
    assert (strange.state, needing.state, sound.state) == (
        State.MIGRATIONS_PENDING, State.BLOCKED, State.ENABLED,
    )  # fmt: skip
    assert strange.reason.startswith("migration of strange to r1 failed: ")
    assert strange.reason.endswith("type: atrio db upgrade strange")
    assert "sound_thing" in _tables(kernel)
    assert not {"strange_thing", "needing_thing", "alembic_version_needing"} & _tables(kernel)
    _serves(kernel)


def test_an_upgrade_goes_on_past_a_failing_plugin(foreign: Foreign, boot: Boot) -> None:
    boot().stop()
    strange = foreign("strange", revision='raise ValueError("broken")')
    needing = foreign("needing", revision="pass", requires=("strange",))
    sound = foreign("sound", revision="pass")
    kernel = boot(strange, needing, sound)
    assert {r.state for r in (strange, sound)} == {State.MIGRATIONS_PENDING}
    for record in (strange, needing, sound):
        record.park(State.ENABLED, "")
    with pytest.raises(BootError, match=r"strange to r1 failed: ValueError: broken; needing waits .*: sound"):
        upgrade(kernel)
    assert "sound_thing" in _tables(kernel)
    assert not {"strange_thing", "needing_thing"} & _tables(kernel)


def test_naming_one_plugin_initialises_an_empty_database_whole(foreign: Foreign, tmp_path: Path) -> None:
    from atrio.kernel.config import Sources
    from atrio.kernel.host import boot as boot_host

    overrides = {"storage.data_dir": str(tmp_path / "empty"), "accounts.admin_password": "admin-password"}
    records = [*discover(), foreign("sound", revision="pass")]
    kernel = boot_host(Sources(None, {}, {}, overrides), schema=False, records=records)
    assert {"kernel", "accounts", "sound"} <= set(upgrade(kernel, ["sound"]))
    ensure_schema(kernel)
    with kernel.unit(writes=False) as ctx:
        assert ctx.execute(text("SELECT count(*) FROM accounts_user")).scalar() == 1
    kernel.stop()


def test_first_rows_that_fail_take_nobody_elses(foreign: Foreign, boot: Boot) -> None:
    strange = foreign(
        "strange",
        "@hookimpl\ndef on_database_created(ctx):\n    raise ValueError('broken')\n",
    )
    kernel = boot(strange)
    assert (strange.state, strange.reason) == (State.FAILED, "no first rows: ValueError: broken")
    _serves(kernel)


def test_a_lineage_that_cannot_be_read_parks_its_plugin(foreign: Foreign, boot: Boot) -> None:
    strange = foreign("strange", revision="this is no Python")
    absent = foreign("absent", LINEAGE.format(name="absent", package="nowhere_at_all"))
    kernel = boot(strange, absent)
    assert (strange.state, absent.state) == (State.LOAD_ERROR, State.LOAD_ERROR)
    assert "SyntaxError" in strange.reason
    assert "nowhere_at_all" in absent.reason
    _serves(kernel)


GENEROUS = """
@hookimpl
def register_schema_fields():
    from sqlalchemy import literal_column
    from atrio import FieldContributor
    return [FieldContributor("content", "actives_shares", lambda id: literal_column("(SELECT x FROM nowhere)"))]

@hookimpl
def register_capabilities(config):
    return {"generous": True}

@hookimpl
def register_tasks():
    from atrio import Task
    return [Task("generous.often", lambda ctx: None, periodic="* * * * *")]
"""
BROKEN_ROUTES = """
@hookimpl
def register_routes():
    raise ValueError("broken")
"""


@pytest.mark.parametrize("late", [True, False])
def test_a_parked_plugin_leaves_no_field_and_no_capability(foreign: Foreign, boot: Boot, late: bool) -> None:
    if late:
        generous = foreign("generous", GENEROUS, revision='raise ValueError("broken")')
    else:
        generous = foreign("generous", GENEROUS + BROKEN_ROUTES)
    kernel = boot(generous)
    assert not generous.enabled
    assert {shape for shape, _ in kernel.contributors} == {"user_about"}, "what others declared stays"
    assert "generous" not in kernel.capabilities


def test_a_plugin_taken_out_while_running_leaves_the_openapi_document(foreign: Foreign, boot: Boot) -> None:
    body = """
@hookimpl
def register_routes():
    from atrio import Route
    from atrio.kernel.http.guards import PUBLIC
    def strange(ctx, call):
        "Do nothing."
    return [Route("GET", "/api/strange", strange, (PUBLIC,), summary="Strange", group="Strange")]
"""
    strange = foreign("strange", body)
    kernel = boot(strange)
    with closing(Client(kernel.app)) as client:
        assert "/api/strange" in client.get("/api/doc/spec.json").json["paths"]
        retire(kernel, strange, State.FAILED, "on purpose")
        assert "/api/strange" not in client.get("/api/doc/spec.json").json["paths"]


def test_periodic_tasks_of_a_parked_plugin_leave_no_jobs(foreign: Foreign, boot: Boot) -> None:
    generous = foreign("generous", GENEROUS)
    kernel = boot(generous)
    assert kernel.jobs.fire("generous.often", 60_000_000)
    retire(kernel, generous, State.FAILED, "on purpose")
    assert not kernel.jobs.fire("generous.often", 120_000_000)
    with kernel.unit(writes=False) as ctx:
        assert [(j.job, j.state) for j in list_jobs(ctx)] == [("generous.often", "done")]


HEALTH = """
@hookimpl
def register_health(kernel):
    if kernel.memo("test.fault", dict).get("fault"):
        raise ValueError("postgresql://me:secret@host")
    return {"queue": 3}
"""


def test_plugins_report_their_health(foreign: Foreign, boot: Boot) -> None:
    kernel = boot(foreign("strange", HEALTH))
    with closing(Client(kernel.app)) as client:
        answer = client.get("/health/ready")
        assert answer.json["plugins"]["strange"] == {"state": "enabled", "facts": {"queue": 3}}
        kernel.memo("test.fault", dict)["fault"] = True
        answer = client.get("/health/ready")
        assert answer.json["plugins"]["strange"] == {"state": "enabled", "failing": "ValueError"}
        assert (answer.status, answer.json["status"], b"secret" in answer.body) == (200, "ok", False)
        accounts = kernel.record("accounts")
        assert accounts is not None
        assert accounts.module is not None
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(accounts.module, "register_health", lambda kernel: 1 / 0, raising=False)
            answer = client.get("/health/ready")
        assert (answer.status, answer.json["status"]) == (503, "unavailable")
