"""Hypercorn's own protocols (HTTP/2, h11, WebSocket), imported with the first connection that needs one.

Hypercorn imports all of them with its server: 25 ms of every start, and memory, for what most instances behind a
proxy never see. Until one is needed stand-ins are in their places.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

PACKAGE = "hypercorn.protocol"


class _NotYet(Exception):
    """Stands for the exceptions by which a protocol asks for another one; nobody raises it."""


def _http2(*given: Any) -> Any:
    """Make a connection of HTTP/2, in place of Hypercorn's class."""
    return load().H2Protocol(*given)


STANDINS: dict[str, dict[str, Any]] = {
    "h2": {"H2Protocol": _http2},
    "h11": {"H11Protocol": None, "H2CProtocolRequiredError": _NotYet, "H2ProtocolAssumedError": _NotYet},
}


def light() -> ModuleType:
    """Import Hypercorn's package of protocols without the protocols, unless they are there already."""
    if PACKAGE in sys.modules:
        return sys.modules[PACKAGE]
    names = {f"{PACKAGE}.{module}": values for module, values in STANDINS.items()}
    for name, values in names.items():
        sys.modules[name] = ModuleType(name)
        vars(sys.modules[name]).update(values)
    try:
        return importlib.import_module(PACKAGE)
    except ImportError:  # another Hypercorn, which wants more of them
        pass
    finally:
        for name in names:
            del sys.modules[name]
    return importlib.import_module(PACKAGE)


def load() -> ModuleType:
    """Put the protocols in their places; the caller wants one of them now."""
    package = light()
    for module, values in STANDINS.items():
        real = importlib.import_module(f"{PACKAGE}.{module}")
        for name, standin in values.items():
            if getattr(package, name) is standin and standin is not None:
                setattr(package, name, getattr(real, name))
    return package
