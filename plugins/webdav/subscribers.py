"""What goes with contents and spaces that are gone for good: dead properties, and files kept aside in them."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.events import Phase, Stage, Subscription
from atrio.plugins.core_content.events import ContentPurged
from atrio.plugins.spaces.events import SpacePurged

from .services import properties, scratch


def forget_content(ctx: Context, event: ContentPurged) -> None:
    """Delete what hangs on contents."""
    ids = event.content_ids or (event.content_id,)
    properties.drop_properties(ctx, [f"content:{content_id}" for content_id in ids])
    scratch.drop_in(ctx, [f"c{content_id}" for content_id in ids])


def forget_space(ctx: Context, event: SpacePurged) -> None:
    """Delete what hangs on a space."""
    properties.drop_properties(ctx, [f"space:{event.space_id}"])
    scratch.drop_in(ctx, [f"s{event.space_id}"])


SUBSCRIPTIONS = (
    Subscription(ContentPurged, forget_content, Phase.BEFORE_COMMIT, Stage.PROJECT),
    Subscription(SpacePurged, forget_space, Phase.BEFORE_COMMIT, Stage.PROJECT),
)
