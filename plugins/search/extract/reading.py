"""The child's side: runs one extractor and keeps what it gave until it failed, had enough, or time ran out."""

from __future__ import annotations

import importlib
import time
from typing import Any

SHARE = 0.7
"""Part of the processor time after which what was read so far is kept."""
PIECES = 2_000_000


def read(target: str, path: str, limit: int, seconds: float) -> dict[str, Any]:
    """Return the text that an extractor yields, whether there is more of it, and what went wrong."""
    module, _, function = target.partition(":")
    given = getattr(importlib.import_module(module), function)(path, limit)
    kept: list[str] = []
    left = limit
    truncated, error = False, ""
    try:
        for number, piece in enumerate([given] if isinstance(given, str) else given):
            kept.append(piece[:left])
            left -= len(kept[-1])
            if len(piece) > len(kept[-1]) or left <= 0:
                truncated = True
                break
            if number >= PIECES or time.process_time() > seconds * SHARE:
                truncated, error = True, "time"
                break
    except MemoryError:
        if not kept:
            raise
        truncated, error = True, "memory"
    except Exception as failure:  # noqa: BLE001 - extractors read what strangers made; half a text is a text
        truncated, error = True, f"{type(failure).__name__}: {failure}"[:200]
    return {"text": clean("".join(kept)), "truncated": truncated, "error": error}


def clean(text: str) -> str:
    """Return a text that every database takes: no NUL, no half of a surrogate pair."""
    return text.replace("\x00", " ").encode("utf-8", "replace").decode()
