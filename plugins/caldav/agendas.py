"""The addresses of calendars as clients of the compatible API ask for them (spec: users, §12)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.db.statement import row_type
from atrio.plugins.spaces.api import agenda_spaces

from . import places
from .config import CaldavConfig
from .places import KINDS

Address = row_type("Address", ("agenda_url", "with_credentials", "agenda_type", "workspace_id", "resource_type"))
PREFILLED_BYTES = 64 * 1024


@dataclass(frozen=True)
class Wanted:
    """Which addresses are asked for."""

    spaces: frozenset[int]
    private: bool
    workspace: bool
    resources: tuple[str, ...]

    @classmethod
    def of(cls, space_ids: Iterable[int], agenda_types: str | None, resource_types: str | None) -> Wanted:
        """Return what a query means: ids of spaces leave the private ones out, nothing said means calendars."""
        spaces = frozenset(space_ids)
        kinds = (agenda_types or "private,workspace").split(",")
        resources = tuple(dict.fromkeys((resource_types or "calendar").split(",")))
        return cls(spaces, "private" in kinds and not spaces, "workspace" in kinds or bool(spaces), resources)


def addresses(ctx: Context, user_id: int, mount: str, wanted: Wanted) -> list[Any]:
    """Return the addresses: two statements at most, whatever the number of spaces."""
    found = []
    if wanted.private:
        for resource in wanted.resources:
            if resource in KINDS:
                path = places.own_address(places.of_user(user_id, KINDS[resource]))
                found.append(Address(f"{mount}{path}", True, "private", None, resource))
            elif resource == "directory":
                found.append(Address(f"{mount}/user_{user_id}/", True, "private", None, resource))
    if not wanted.workspace:
        return found
    for space in agenda_spaces(ctx, user_id):
        if wanted.spaces and space.space_id not in wanted.spaces:
            continue
        for resource in wanted.resources:
            if resource in KINDS:
                path = places.own_address(places.of_space(space.space_id, KINDS[resource]))
                found.append(Address(f"{mount}{path}", True, "workspace", space.space_id, resource))
    return found


def pre_filled_text(ctx: Context) -> str | None:
    """Return the text of the configured file, read once for an instance; None where there is none."""
    path = ctx.config[CaldavConfig].prefilled_event_file
    if path is None:
        return None
    return ctx.kernel.memo("caldav.prefilled", lambda: _read(path))


def _read(path: Path) -> str:
    return path.read_bytes()[:PREFILLED_BYTES].decode("utf-8", "replace")


def faults(path: Path | None) -> str | None:
    """Return why the configured text cannot be used, None when it can or there is none."""
    if path is not None and not path.is_file():
        return f"caldav.prefilled_event_file: {path} is no file"
    return None
