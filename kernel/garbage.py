"""The garbage collector of a process that boots an instance: what a boot makes stays.

Imports and declarations make some 150,000 objects, hardly one of which is ever garbage. Walking them again and
again while they become more is a sixth of the time of a start.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def hold() -> None:
    """Look for no garbage until `resume`; for a process of our own, before it imports what it needs."""
    gc.disable()


def resume() -> None:
    """Look for garbage again, but never among what is there now; nothing where nobody called `hold`."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


@contextmanager
def held() -> Iterator[None]:
    """Hold it for a block; a collector that somebody switched off stays off."""
    was = gc.isenabled()
    hold()
    try:
        yield
    finally:
        if was:
            resume()
