"""The two pluggy markers of the project, in a module of their own so that a manifest costs nothing to read."""

from __future__ import annotations

import pluggy

PROJECT = "atrio"

hookimpl = pluggy.HookimplMarker(PROJECT)
"""Mark a function of `plugin.py` as the implementation of a hook."""

hookspec = pluggy.HookspecMarker(PROJECT)
"""Mark a function of a `hookspecs.py` as the specification of a hook."""
