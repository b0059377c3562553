"""What goes with contents and spaces that are gone for good: dead properties, and files kept aside in them."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.events import Phase, Stage, Subscription
from atrio.plugins.core_content.events import ContentPurged
from atrio.plugins.spaces.events import SpacePurged

from .services import properties, scratch


def forget_content(ctx: Context, event: ContentPurged) -> None:
    """Delete what hangs on a content; of a whole tree by a job, however much that is."""
    properties.drop_properties(ctx, [f"content:{event.content_id}"])
    scratch.drop_in(ctx, [f"c{event.content_id}"])
    if len(event.content_ids) > 1:
        ctx.defer("webdav.forget")


def forget_space(ctx: Context, event: SpacePurged) -> None:
    """Delete what hangs on a space."""
    properties.drop_properties(ctx, [f"space:{event.space_id}"])
    scratch.drop_in(ctx, [f"s{event.space_id}"])


SUBSCRIPTIONS = (
    Subscription(ContentPurged, forget_content, Phase.BEFORE_COMMIT, Stage.PROJECT),
    Subscription(SpacePurged, forget_space, Phase.BEFORE_COMMIT, Stage.PROJECT),
)
