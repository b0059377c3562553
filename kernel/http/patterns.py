"""marshmallow, without the pattern of mail addresses that it compiles while it is imported.

Its `validate.Email` has a pattern of all domains in all scripts, which takes 30 ms to compile: a twenty-fifth of a
start, for a check that no shape of ours uses. Who uses it has it compiled then.
"""

from __future__ import annotations

import re
import sys
from typing import Any

LABEL = "]{0,61}["
"""What the pattern has in it: a label of a domain, all but its ends."""


class LatePattern:
    """A pattern that is compiled when somebody first asks it."""

    def __init__(self, text: str, flags: int) -> None:
        self._given = text, flags

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(re.compile(*self._given), name)
        setattr(self, name, found)
        return found


def import_marshmallow() -> None:
    """Import marshmallow, once, with that pattern left for later."""
    if "marshmallow" in sys.modules:
        return
    compile_now = re.compile

    def compile_later(pattern: Any, flags: Any = 0) -> Any:
        if isinstance(pattern, str) and LABEL in pattern:
            return LatePattern(pattern, flags)
        return compile_now(pattern, flags)

    re.compile = compile_later
    try:
        import marshmallow  # noqa: F401 - the rest of the code imports it by its name
    finally:
        re.compile = compile_now
