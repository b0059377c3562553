"""Hooks that live offers to other plugins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from atrio.kernel.markers import hookspec

if TYPE_CHECKING:
    from atrio.kernel.context import Context
    from atrio.kernel.errors import KernelError
    from atrio.kernel.host import Kernel


@hookspec
def register_live_events() -> Iterable[Mapping[str, Any]]:  # type: ignore[empty-body]
    """Return what live messages tell of this plugin's events, as plain mappings.

    `event` is the class; `types` are the event types it may give, without subtype (`content.created`);
    `messages(ctx, event)` is called at the end of the unit and returns a list of mappings:

    - `event_type`: `entity.operation`, and `.subtype` where the entity has some;
    - `fields`: what the message carries beside `author` and `client_token`, ready for JSON;
    - `audience`: a SELECT of distinct user ids that is built once, and its values: `(select, {"space_id": 1})`;
    - optional `space_id`, `content_id`, `parent_id`: what lists and marks are filtered by;
    - optional `history` (false): whether who joins the space later gets the message as its past;
    - optional `joins` or `leaves`: the user who became a member of the space, or is none any more;
    - `forgets_space` (an id) or `forgets_contents` (ids) alone: everything told of them is deleted, by jobs;
    - `ends_streams_of` alone: the user whose open streams end with the commit.
    """


@hookspec(firstresult=True)
def refuse_stream(ctx: Context, user_id: int) -> KernelError | None:
    """Return why a user may not open a stream now, None to let him. The unit writes, and is not the request's."""


@hookspec
def stream_opened(kernel: Kernel, user_id: int) -> None:
    """Note that a user has opened a stream in this process. Called in the event loop: do not wait."""


@hookspec
def stream_closed(kernel: Kernel, user_id: int) -> None:
    """Note that one of a user's streams in this process is over. Called in the event loop: do not wait."""
