"""The fixtures come from Atrio by themselves; the conformance battery is told which plugin is ours."""

from __future__ import annotations

import os

os.environ.setdefault("ATRIO_CONFORMANCE", "hello")
