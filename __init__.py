"""Atrio: a team-collaboration server whose every feature is a plugin.

This module is the facade for plugin authors: everything a `plugin.py` needs, loaded only when asked for, so
that listing plugins stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from atrio.kernel.background import Background
    from atrio.kernel.config import ConfigSection, option
    from atrio.kernel.context import Actor, Context
    from atrio.kernel.errors import KernelError
    from atrio.kernel.events import Event, Subscription
    from atrio.kernel.http.guards import Guard, Permission, Policy
    from atrio.kernel.http.route import Answer, Call, Mount, Route
    from atrio.kernel.http.schema import FieldContributor, Schema
    from atrio.kernel.markers import hookimpl, hookspec
    from atrio.kernel.plugins import Manifest
    from atrio.kernel.tasks import Task

_HOMES = {
    "Actor": "atrio.kernel.context",
    "Answer": "atrio.kernel.http.route",
    "Background": "atrio.kernel.background",
    "Call": "atrio.kernel.http.route",
    "ConfigSection": "atrio.kernel.config",
    "Context": "atrio.kernel.context",
    "Event": "atrio.kernel.events",
    "FieldContributor": "atrio.kernel.http.schema",
    "Guard": "atrio.kernel.http.guards",
    "KernelError": "atrio.kernel.errors",
    "Manifest": "atrio.kernel.plugins",
    "Mount": "atrio.kernel.http.route",
    "Permission": "atrio.kernel.http.guards",
    "Policy": "atrio.kernel.http.guards",
    "Route": "atrio.kernel.http.route",
    "Schema": "atrio.kernel.http.schema",
    "Subscription": "atrio.kernel.events",
    "Task": "atrio.kernel.tasks",
    "hookimpl": "atrio.kernel.markers",
    "hookspec": "atrio.kernel.markers",
    "option": "atrio.kernel.config",
}

__all__ = [
    "Actor",
    "Answer",
    "Background",
    "Call",
    "ConfigSection",
    "Context",
    "Event",
    "FieldContributor",
    "Guard",
    "KernelError",
    "Manifest",
    "Mount",
    "Permission",
    "Policy",
    "Route",
    "Schema",
    "Subscription",
    "Task",
    "__version__",
    "hookimpl",
    "hookspec",
    "option",
]


def __getattr__(name: str) -> Any:
    """Load a facade name from its home module on first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value
