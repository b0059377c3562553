"""Texts in the bytes of files, read in a process of their own; plain text, where nothing is parsed, is read here.

The other modules of this package run there and know the standard library (and pypdf) alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from atrio.kernel import sandbox

from .recognition import HEAD, HERE, PLAIN, extractor_of

VERSION = 1
"""Rises when extractors read what they did not before: failures of older versions are tried again."""
Outcome = Literal["read", "unsupported", "too_large", "failed"]


@dataclass(frozen=True)
class Limits:
    """What reading one file may cost. `characters` are kept of its text."""

    file_bytes: int
    characters: int
    seconds: int
    memory_mib: int

    @property
    def version(self) -> str:
        """Name these limits and these extractors: a failure under one version says nothing of another."""
        return f"{VERSION}:{self.file_bytes}:{self.characters}:{self.seconds}:{self.memory_mib}"


@dataclass(frozen=True)
class Extracted:
    """What came of it; `detail` says why there is no text, or not all of it."""

    outcome: Outcome
    text: str = ""
    truncated: bool = False
    detail: str = ""


def text_of(
    path: Path, mimetype: str, filename: str, limits: Limits, offered: Mapping[str, str] | None = None
) -> Extracted:  # fmt: skip
    """Read the text of a file; whatever it holds, this returns, at the latest after twice its seconds.

    `offered` are extractors by media type, as plugins register them. OSError when the file itself is missing.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        target = target_of(file, size, mimetype, filename, limits, offered)
    if isinstance(target, Extracted):
        return target
    if target == PLAIN:
        return _plain(path, limits)
    arguments = {
        "target": target, "path": str(path.absolute()), "limit": limits.characters, "seconds": limits.seconds,
    }  # fmt: skip
    bounds = sandbox.Limits(
        memory_mib=limits.memory_mib, cpu_seconds=limits.seconds, wall_seconds=2 * limits.seconds, file_mib=1,
        answer_bytes=limits.characters * 12 + 10_000,
    )  # fmt: skip
    try:
        found = sandbox.run(f"{HERE}.reading:read", arguments, bounds, modules=(target.partition(":")[0],))
    except sandbox.SandboxFailed as failure:
        return Extracted("failed", detail=_shown(str(failure)))
    except ValueError as error:
        return Extracted("failed", detail=_shown(str(error)))
    if found["error"] and not found["text"].strip():
        return Extracted("failed", detail=_shown(found["error"]))
    return Extracted("read", found["text"], found["truncated"], _shown(found["error"]))


def target_of(
    file: BinaryIO, size: int, mimetype: str, filename: str, limits: Limits,
    offered: Mapping[str, str] | None = None,
) -> str | Extracted:  # fmt: skip
    """Return what reads a file, or the outcome where nothing does; looks at its beginning only."""
    if size > limits.file_bytes:
        return Extracted("too_large", detail=f"more than {limits.file_bytes} bytes")
    head = file.read(HEAD)
    target = extractor_of(head, mimetype, filename, offered or {}) if head else None
    return Extracted("unsupported") if target is None else target


def _plain(path: Path, limits: Limits) -> Extracted:
    from .plain import pieces
    from .reading import clean

    text = "".join(pieces(str(path), limits.characters))
    return Extracted("read", clean(text[: limits.characters]), len(text) > limits.characters)


def _shown(detail: str) -> str:
    """Return a reason without what strangers may have put into it to confuse readers of logs."""
    return "".join(c if c.isprintable() else "?" for c in detail[:250])
