"""Calling plugins one by one: what one of them raises parks it with its reason and nobody else."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pluggy

from atrio import hookspecs

from . import plugins as plugin_host
from .config import did_you_mean
from .errors import BootError
from .markers import PROJECT
from .plugins import PluginRecord, State

if TYPE_CHECKING:
    from .host import Kernel

log = logging.getLogger("atrio.host")


def alive(kernel: Kernel) -> list[PluginRecord]:
    return [r for r in kernel.records if r.enabled]


def declared(record: PluginRecord, hook: str, **arguments: Any) -> list[Any]:
    """Call a register_* hook of one plugin, with the arguments that it takes, and keep what it returned."""
    function = getattr(record.module, hook, None)
    if function is None:
        return []
    wanted, _ = pluggy._hooks.varnames(function)
    found = list(function(**{name: arguments[name] for name in wanted}) or ())
    record.contributions[hook] = found
    return found


def call(_kernel: Kernel, record: PluginRecord, hook: str, /, **arguments: Any) -> Any:
    """Call one hook of one plugin with the arguments that it takes."""
    function = getattr(record.module, hook, None)
    if function is None:
        return None
    wanted, _ = pluggy._hooks.varnames(function)
    return function(**{name: arguments[name] for name in wanted})


@contextmanager
def isolated(kernel: Kernel, record: PluginRecord, state: State) -> Iterator[None]:
    """Park a plugin whose step fails; an essential one or a guard of the door stops the boot."""
    try:
        yield
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        if isinstance(error, BootError):
            reason = str(error)
        if record.essential or is_guard(kernel, record):
            raise BootError(f"plugin {record.name} cannot start: {reason}") from error
        log.warning("plugin %s is parked: %s", record.name, reason)
        log.debug("because of", exc_info=error)
        if kernel.hooks.has_plugin(record.name):
            kernel.hooks.unregister(name=record.name)
        record.park(state, reason)


def is_guard(kernel: Kernel, record: PluginRecord) -> bool:
    """Tell whether a plugin authenticates, decides rights or looks at files: without it doors would stand open."""
    return any(hasattr(record.module, hook) for hook in ("authenticate", "register_policies", "check_received"))


def expendable(kernel: Kernel, record: PluginRecord) -> bool:
    """Tell whether the instance may run without this plugin."""
    return not record.essential and not is_guard(kernel, record)


def reblock(kernel: Kernel) -> None:
    for record in plugin_host.block(kernel.records):
        if kernel.hooks.has_plugin(record.name):
            kernel.hooks.unregister(name=record.name)
        log.warning("plugin %s is parked: %s", record.name, record.reason)
    essentials(kernel)


def essentials(kernel: Kernel) -> None:
    for record in kernel.records:
        if record.enabled:
            continue
        if record.essential or (record.state is not State.DISABLED and is_guard(kernel, record)):
            raise BootError(f"plugin {record.name} cannot start ({record.state}): {record.reason}")


def check_hook_names(kernel: Kernel, record: PluginRecord) -> None:
    """Refuse hook implementations that nobody would call: the owner is enabled and has no such hook."""
    known = {name for name in vars(hookspecs) if not name.startswith("_")}
    offered: set[str] = set()
    manifest = record.manifest
    for owner, hooks in (manifest.offers if manifest else {}).items():
        offered.update(hooks)
        other = kernel.record(owner)
        if other is None or not other.enabled:
            continue
        try:
            specs = {n for m in declared(other, "register_hookspecs") for n in vars(m) if not n.startswith("_")}
        except Exception:
            log.debug("the hooks of %s are unknown; its own step says why", owner, exc_info=True)
            continue
        for hook in hooks:
            if hook not in specs:
                raise BootError(f"offers {owner}.{hook}, which {owner} does not call{did_you_mean(hook, specs)}")
    for need in (record.name, *(manifest.requires if manifest else ())):
        other = kernel.record(need)
        for module in declared(other, "register_hookspecs") if other is not None else ():
            known.update(n for n in vars(module) if not n.startswith("_"))
    for name, value in vars(record.module).items() if record.module else ():
        marked = getattr(value, f"{PROJECT}_impl", None)
        if marked is not None and name not in known and name not in offered:
            raise BootError(f"implements the unknown hook {name}{did_you_mean(name, known)}")


def retire(kernel: Kernel, record: PluginRecord, state: State, reason: str) -> None:
    """Take a plugin out after its declarations were collected: its routes, fields and reactions go.

    Those that require it go with it.
    """
    record.park(state, reason)
    gone_with_it = [record, *plugin_host.block(kernel.records)]
    withdraw(kernel)
    kernel._memo.clear()  # statements, side bars and the OpenAPI document were built with it
    for gone in gone_with_it:
        if kernel.hooks.has_plugin(gone.name):
            kernel.hooks.unregister(name=gone.name)
    kernel.router = kernel.router.only(lambda owner: owner == "kernel" or kernel.enabled(owner))


def withdraw(kernel: Kernel) -> None:
    """Forget fields and capabilities of plugins that were parked since: their tables may not even exist."""
    for key, owner in list(kernel._givers.items()):
        if not kernel.enabled(owner):
            del kernel._givers[key]
            kernel.contributors.pop(key, None)
            kernel.capabilities.pop(key, None)
