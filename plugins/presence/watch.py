"""Telling open streams who came and who left: the users online now against those of the last look.

Nothing of it is stored: who opens a stream asks the route about whom he wants to know, and hears of changes since.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from atrio.plugins.live.api import push, transient
from atrio.plugins.spaces.api import fellow_members

from . import queries

if TYPE_CHECKING:
    from atrio.kernel.context import Context
    from atrio.kernel.host import Kernel

CHANGES = 500
"""Changes that are told after one look; more wait for the next."""
NAMED = 400
"""People who are named in the statement that reads who knows whom; of more, all are read."""


class Watch:
    """What the streams of this process were told."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._told: set[int] | None = None

    def look(self, listening: Collection[int]) -> None:
        """Tell those who have a stream here what changed since the last look; the first one tells nothing."""
        online, changed, rows = self.kernel.run(lambda ctx: self._read(ctx, set(listening)), writes=False)
        if self._told is None:
            self._told = online
            return
        if rows:
            push(self.kernel, blocks({u: u in online for u in changed}, rows, set(listening)))
        self._told ^= set(changed)

    def _read(self, ctx: Context, listening: set[int]) -> tuple[set[int], list[int], Sequence[Any]]:
        online = queries.shown_online(ctx)
        changed = sorted(online ^ self._told)[:CHANGES] if self._told is not None else []
        if not changed or not listening:
            return online, changed, ()
        people = listening.union(changed)
        return online, changed, fellow_members(ctx, changed, people if len(people) <= NAMED else None)


def blocks(online: Mapping[int, bool], rows: Sequence[Any], listening: set[int]) -> dict[int, bytes]:
    """Return for each listener the frames about those of his spaces; rows are (space, member).

    Listeners of the same spaces share one block, so a space of thousands costs its frames once.
    """
    frames = {
        u: transient("presence", {"user_id": u, "status": "online" if on else "offline"})
        for u, on in online.items()
    }
    inside: dict[int, set[int]] = {}
    spaces: dict[int, list[int]] = {}
    for space_id, user_id in rows:
        if user_id in frames:
            inside.setdefault(space_id, set()).add(user_id)
        if user_id in listening:
            spaces.setdefault(user_id, []).append(space_id)
    shared: dict[tuple[int, ...], tuple[set[int], bytes]] = {}
    found: dict[int, bytes] = {}
    for listener, his in spaces.items():
        key = tuple(sorted(his))
        if key not in shared:
            about = set[int]().union(*(inside.get(space_id, ()) for space_id in his))
            shared[key] = about, b"".join(frames[u] for u in sorted(about))
        about, block = shared[key]
        if listener in about:
            block = b"".join(frames[u] for u in sorted(about - {listener}))
        if block:
            found[listener] = block
    return found
