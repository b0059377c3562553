"""The host: boots the kernel and its plugins as a visible tuple of steps, from config to ASGI application."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from atrio import hookspecs

from . import plugins as plugin_host
from .blobs import BlobStore, TemporaryBlob
from .config import (
    Config,
    ConfigError,
    DatabaseConfig,
    PluginsConfig,
    Sources,
    StorageConfig,
    database_url,
    kernel_config,
)
from .context import ANONYMOUS, SYSTEM, Actor, Clock, Context
from .db import migrate
from .db.engine import Database
from .db.work import run, unit_of_work
from .errors import KERNEL_ERRORS, BlobsUnavailable, BootError, KernelError
from .events import Bus
from .http.guards import Rights
from .http.router import Router
from .http.schema import FieldContributor
from .isolation import alive, call, check_hook_names, declared, essentials, isolated, reblock, retire, withdraw
from .jobs import SECOND, Lease, OutboxJob, PeriodicRun
from .markers import PROJECT
from .plugins import PluginRecord, State
from .runner import ServiceRunner
from .schema_state import ensure_schema
from .stores import open_store
from .tasks import Jobs, Task

if TYPE_CHECKING:
    from .background import Background
    from .http.app import App
    from .http.pool import WorkPool
    from .http.request import Request
    from .http.route import Route

log = logging.getLogger("atrio.host")
T = TypeVar("T")
FAULT_LIMIT = 5
KERNEL_TABLES = (OutboxJob, Lease, PeriodicRun)


class Kernel:
    """A booted instance: what every door and every plugin holds on to."""

    def __init__(self, sources: Sources, *, immediate_jobs: bool = False) -> None:
        self.sources = sources
        self.immediate_jobs = immediate_jobs
        self.clock: Clock = Clock()
        self.records: list[PluginRecord] = []
        self.warnings: list[str] = []
        self.hooks = pluggy.PluginManager(PROJECT)
        self.bus = Bus()
        self.rights = Rights()
        self.router = Router()
        self.closing = threading.Event()
        self.errors: dict[str, type[KernelError]] = {}
        self.lineages: dict[str, migrate.Lineage] = {"kernel": migrate.KERNEL}
        self.contributors: dict[tuple[str, str], FieldContributor] = {}
        self.capabilities: dict[str, Any] = {}
        self.parts: dict[str, Any] = {}
        self._parts_lock = threading.Lock()
        self._pools: list[WorkPool] = []
        self._givers: dict[Any, str] = {}
        self.background: list[tuple[PluginRecord, Background]] = []
        self._running: list[ServiceRunner] = []
        self.stores: dict[str, tuple[PluginRecord, Callable[[Kernel], BlobStore]]] = {}
        self._schemas: dict[type[Any], Any] = {}
        self._memo: dict[Any, Any] = {}
        self._app: App | None = None
        self._owners: dict[int, PluginRecord] = {}
        self._error_owners: dict[int, tuple[str, type[KernelError]]] = {}
        self._tables: dict[str, str] = {}
        self._started = False
        self.config: Config
        self.db: Database
        self.blobs: BlobStore
        self.jobs: Jobs

    # -- what doors use ------------------------------------------------------------------------------------

    @property
    def app(self) -> App:
        """The ASGI application."""
        if self._app is None:
            from .http.app import App

            self._app = App(self)
        return self._app

    @contextmanager
    def unit(self, *, writes: bool = True, actor: Actor = SYSTEM) -> Iterator[Context]:
        """Open a unit of work for a block."""
        with unit_of_work(self, writes=writes, actor=actor) as ctx:
            yield ctx

    def run(self, call: Callable[[Context], T], **options: Any) -> T:
        """Run a call in a unit of work, behind guards, with retries; see `kernel.db.work.run`."""
        return run(self, call, **options)

    def authenticate(self, request: Request, ctx: Context) -> Actor:
        """Ask the authenticators; nobody answering means a stranger."""
        actor = self.hooks.hook.authenticate(request=request, ctx=ctx)
        return actor if isinstance(actor, Actor) else ANONYMOUS

    def schema(self, shape: type[Any]) -> Any:
        """Return the one instance of a schema class, for loading."""
        found = self._schemas.get(shape)
        if found is None:
            found = self._schemas.setdefault(shape, shape())
        return found

    def memo(self, key: Any, make: Callable[[], T]) -> T:
        """Keep something that is built once for this kernel (a statement with contributed columns)."""
        found = self._memo.get(key)
        if found is None:
            found = self._memo.setdefault(key, make())
        return found  # type: ignore[no-any-return]

    def part(self, name: str, make: Callable[[], T]) -> T:
        """Return what a plugin keeps in this process for as long as the instance lives (`<plugin>.<noun>`)."""
        found: T | None = self.parts.get(name)
        if found is None:
            with self._parts_lock:
                found = self.parts.get(name)
                if found is None:
                    found = self.parts[name] = make()
        return found

    def open_pool(self, name: str, threads: int, limit: int) -> WorkPool:
        """Return threads for a plugin's own door; they end with the instance, and their connections with them."""
        from .http.pool import WorkPool

        pool = WorkPool(name, threads, limit, self.db.close_thread)
        self._pools.append(pool)
        return pool

    def contributed(self, shape: str, id_column: Any) -> Mapping[str, Any]:
        """Return the contributed SQL expressions of a shape by field, for the owner's SELECT."""
        found: dict[str, Any] = {}
        for (name, field), contributor in self.contributors.items():
            if name == shape:
                found[field] = contributor.expression(id_column).label(field)
        return found

    def record(self, name: str) -> PluginRecord | None:
        """Return a plugin's record."""
        return next((r for r in self.records if r.name == name), None)

    def enabled(self, name: str) -> bool:
        """Tell whether a plugin takes part."""
        record = self.record(name)
        return record is not None and record.enabled

    def ask(self, record: PluginRecord, hook: str, **arguments: Any) -> Any:
        """Call one hook of one plugin with the arguments that it takes; None when it has no such hook."""
        return call(self, record, hook, **arguments)

    @property
    def checks_files(self) -> bool:
        """Tell whether a plugin looks at files that come in."""
        return bool(self.hooks.hook.check_received.get_hookimpls())

    def check_received(self, blob: TemporaryBlob) -> None:
        """Let every plugin look at a file that came, once; FileRefused, or what they raise, keeps it out.

        Reads the file, and may wait for another program: not inside a unit of work where that can be helped.
        """
        if not blob.checked:
            self.hooks.hook.check_received(kernel=self, blob=blob)
            blob.checked = True

    def owner_of(self, route: Route) -> PluginRecord | None:
        """Return the plugin that declared a route."""
        return self._owners.get(id(route))

    def note_fault(self, record: PluginRecord | None, *, in_commit: bool = False) -> None:
        """Count a fault of a plugin's code; the fifth in a row inside commits takes it out until restart."""
        if record is None:
            return
        record.faults += 1
        if not in_commit:
            return
        record.streak += 1
        if record.streak >= FAULT_LIMIT and record.enabled and not record.essential:
            log.error("plugin %s failed %d times in a row and is taken out", record.name, record.streak)
            retire(self, record, State.FAILED, f"failed {record.streak} times in a row; see the log")

    # -- life ----------------------------------------------------------------------------------------------

    def start(self, *, consume: bool | None = None) -> None:
        """Start serving in this process: dispatcher, consumer, background services, plugin start-up hooks."""
        if self._started:
            return
        from .tasks import consumes_in_serve

        self.check_blobs()
        self._started = True
        self.jobs.start(consume=consumes_in_serve(self) if consume is None else consume)
        self._each("on_startup", kernel=self)
        for record, service in self.background:
            if record.enabled:
                runner = ServiceRunner(self, record, service)
                self._running.append(runner)
                runner.begin()

    def check_blobs(self) -> None:
        """Refuse to start with a store that refuses us; one that is away may come back, readiness says so."""
        try:
            self.blobs.check()
        except BlobsUnavailable as error:
            log.error("the store of files does not answer: %s", error)

    def stop(self) -> None:
        """Stop serving: background services, jobs, shutdown hooks, connections."""
        if not self._started:
            self._close_pools()
            self.blobs.close()
            self.db.close()
            return
        self._started = False
        self.closing.set()
        for runner in self._running:
            runner.end()
        self._running.clear()
        self.jobs.stop()
        self._each("on_shutdown", kernel=self)
        self._close_pools()
        self.blobs.close()
        self.db.close()

    def _close_pools(self) -> None:
        pools, self._pools = self._pools, []
        for pool in pools:
            pool.close()

    def _each(self, hook: str, **arguments: Any) -> None:
        for record in self.records:
            if record.enabled:
                try:
                    call(self, record, hook, **arguments)
                except Exception:
                    log.exception("%s of %s failed", hook, record.name)
                    self.note_fault(record)


# -- boot steps --------------------------------------------------------------------------------------------


def step_config(kernel: Kernel) -> None:
    """Parse the kernel's own sections."""
    kernel.config = kernel_config(kernel.sources)


def step_discover(kernel: Kernel) -> None:
    """Find the plugins, apply the config's choice, put them in order."""
    records = kernel.records or plugin_host.discover()
    kernel.warnings += plugin_host.select(records, kernel.config[PluginsConfig])
    kernel.records = plugin_host.in_order(records)
    essentials(kernel)


def step_register(kernel: Kernel) -> None:
    """Give the enabled plugins to pluggy, specs first; a misspelt hook or argument parks its plugin."""
    kernel.hooks.add_hookspecs(hookspecs)
    for record in alive(kernel):
        with isolated(kernel, record, State.LOAD_ERROR):
            check_hook_names(kernel, record)
            for module in declared(record, "register_hookspecs"):
                kernel.hooks.add_hookspecs(module)
            kernel.hooks.register(record.module, record.name)
    reblock(kernel)


def step_sections(kernel: Kernel) -> None:
    """Parse each plugin's config; a bad value parks it, an unknown section stops the boot."""
    known = {*kernel.config.sections}
    for record in kernel.records:
        if record.module is None or not hasattr(record.module, "register_config"):
            continue
        if not record.enabled:
            try:
                known.update(s.name for s in declared(record, "register_config"))
            except Exception as error:
                log.info("the config keys of %s are unknown: %s", record.name, error)
            known.add(record.name)
            continue
        with isolated(kernel, record, State.CONFIG_ERROR):
            for section in declared(record, "register_config"):
                known.add(section.name)
                kernel.config.add(section)
    known.update(r.name for r in kernel.records)
    unknown = kernel.config.unknown_sections(known)
    if unknown:
        raise ConfigError("; ".join(unknown))
    reblock(kernel)


def step_environment(kernel: Kernel) -> None:
    """Ask each plugin whether it can run here."""
    for record in alive(kernel):
        with isolated(kernel, record, State.UNAVAILABLE):
            reason = call(kernel, record, "check_environment", config=kernel.config)
            if reason:
                kernel.hooks.unregister(name=record.name)
                record.park(State.UNAVAILABLE, str(reason))
    reblock(kernel)


def step_database(kernel: Kernel) -> None:
    """Open the engines; nothing is read yet."""
    settings = kernel.config[DatabaseConfig]
    kernel.db = Database(database_url(kernel.config), busy_seconds=settings.busy_seconds, fsync=settings.fsync)
    kernel.jobs = Jobs(kernel, immediate=kernel.immediate_jobs)


def step_models(kernel: Kernel) -> None:
    """Collect models and lineages; a table outside the plugin's prefix parks it."""
    for record in alive(kernel):
        with isolated(kernel, record, State.LOAD_ERROR):
            for model in declared(record, "register_models"):
                table = model.__tablename__
                if not table.startswith(f"{record.name}_"):
                    raise BootError(f"table {table!r} must be named {record.name}_…")
                owner = kernel._tables.setdefault(table, record.name)
                if owner != record.name:
                    raise BootError(f"table {table!r} is declared by {owner} and {record.name}")
            lineage = call(kernel, record, "register_migrations")
            if lineage is not None:
                if lineage.owner != record.name:
                    raise BootError(f"the lineage names {lineage.owner!r} as its owner")
                migrate.head(lineage)  # a lineage that cannot be read parks its plugin here
                kernel.lineages[record.name] = lineage
    reblock(kernel)


def step_declarations(kernel: Kernel) -> None:
    """Collect what the plugins declare, in dependency order; duplicates are boot errors naming both owners."""
    for error in KERNEL_ERRORS:
        _add_error(kernel, "kernel", error)
    _kernel_tasks(kernel)
    for record in alive(kernel):
        with isolated(kernel, record, State.LOAD_ERROR):
            _declare(kernel, record)
    reblock(kernel)
    declaring = alive(kernel)
    for record in declaring:
        with isolated(kernel, record, State.LOAD_ERROR):
            _declare_late(kernel, record)
    reblock(kernel)
    withdraw(kernel)
    if len(alive(kernel)) < len(declaring):  # also of one that broke off half-way nothing stays
        kernel.router = kernel.router.only(kernel.enabled)


def _declare(kernel: Kernel, record: PluginRecord) -> None:
    for event in declared(record, "register_events"):
        kernel.bus.declare(record.name, event)
    for error in declared(record, "register_errors"):
        _add_error(kernel, record.name, error)
    for permission in declared(record, "register_permissions"):
        kernel.rights.declare(record.name, permission)
    for task in declared(record, "register_tasks"):
        kernel.jobs.declare(record, task)
    for contributor in declared(record, "register_schema_fields"):
        key = (contributor.shape, contributor.field)
        if key in kernel.contributors:
            first = kernel._givers[key]
            raise BootError(f"field {'.'.join(key)} is contributed by {first} and {record.name}")
        kernel.contributors[key] = contributor
        kernel._givers[key] = record.name
    for name, make in (call(kernel, record, "blob_store", config=kernel.config) or {}).items():
        if name == "local" or name in kernel.stores:
            first = kernel.stores[name][0].name if name in kernel.stores else "kernel"
            raise BootError(f"the store {name!r} is offered by {first} and {record.name}")
        kernel.stores[name] = (record, make)
    capabilities = call(kernel, record, "register_capabilities", config=kernel.config) or {}
    for name, value in capabilities.items():
        if name in kernel.capabilities:
            first = kernel._givers[name]
            raise BootError(f"capability {name!r} is announced by {first} and {record.name}")
        kernel.capabilities[name] = value
        kernel._givers[name] = record.name


def _declare_late(kernel: Kernel, record: PluginRecord) -> None:
    """What refers to declarations of others: policies, subscriptions, routes, mounts, services."""
    for policy in declared(record, "register_policies"):
        kernel.rights.add(record.name, policy)
    for subscription in declared(record, "register_subscriptions"):
        kernel.bus.subscribe(record, subscription)
    for route in declared(record, "register_routes", config=kernel.config):
        kernel.router.add(record.name, route)
        kernel._owners[id(route)] = record
    for mount in call(kernel, record, "register_mounts", kernel=kernel) or ():
        kernel.router.mount(record.name, mount)
    for service in declared(record, "register_background"):
        kernel.background.append((record, service))


def step_blobs(kernel: Kernel) -> None:
    """Choose where the bytes of files are. Never another place than the one that is meant."""
    kernel.blobs = open_store(kernel, kernel.config[StorageConfig].blobs)


def step_routes(kernel: Kernel) -> None:
    """Add the kernel's own routes: liveness and readiness."""
    from .health import ROUTES

    for route in ROUTES:
        kernel.router.add("kernel", route)


def step_schema_state(kernel: Kernel) -> None:
    """Compare lineages with the database; an empty one is initialised, pending ones park or refuse."""
    ensure_schema(kernel)


BOOT: tuple[Callable[[Kernel], None], ...] = (
    step_config,
    step_discover,
    step_register,
    step_sections,
    step_environment,
    step_database,
    step_models,
    step_declarations,
    step_blobs,
    step_routes,
)
"""The boot in one screen. `boot()` runs it; serving and most commands add `step_schema_state`."""


def boot(
    sources: Sources | None = None, *, schema: bool = True, immediate_jobs: bool = False,
    records: list[PluginRecord] | None = None,
) -> Kernel:  # fmt: skip
    """Boot an instance; BootError says why it cannot start and what to type."""
    kernel = Kernel(sources or Sources.load(), immediate_jobs=immediate_jobs)
    if records is not None:
        kernel.records = records
    steps = (*BOOT, step_schema_state) if schema else BOOT
    for step in steps:
        step(kernel)
    for warning in kernel.warnings:
        log.warning("%s", warning)
    return kernel


def _add_error(kernel: Kernel, owner: str, error: type[KernelError]) -> None:
    if error.code is not None and error.code != 9999:
        twin = kernel._error_owners.get(error.code)
        if twin is not None and twin[1] is not error:
            raise BootError(f"error code {error.code} is declared by {twin[0]} and {owner}")
        kernel._error_owners.setdefault(error.code, (owner, error))
    kernel.errors[f"{owner}.{error.__name__}"] = error


def _kernel_tasks(kernel: Kernel) -> None:
    kernel.jobs.declare(
        None,
        Task("kernel.tidy", tidy, periodic="17 3 * * *", summary="Forget finished jobs and unused blobs."),
    )


def tidy(ctx: Context) -> None:
    """Delete finished jobs past their time, old temporary files, and blobs that no row names.

    The folder is walked with nothing open: only the look-ups take a short reading unit each.
    """
    from . import jobs
    from .config import TasksConfig
    from .storage import known

    ctx.kernel.blobs.sweep(lambda names: known(ctx.kernel, names))
    jobs.purge_finished(ctx, ctx.now - ctx.config[TasksConfig].keep_hours * 3600 * SECOND)
