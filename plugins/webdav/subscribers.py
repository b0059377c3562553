"""What goes with contents and spaces that are gone for good: their dead properties."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.events import Phase, Stage, Subscription
from atrio.plugins.core_content.events import ContentPurged
from atrio.plugins.spaces.events import SpacePurged

from .services import properties


def forget_content(ctx: Context, event: ContentPurged) -> None:
    """Delete the properties of a content."""
    properties.drop_properties(ctx, [f"content:{event.content_id}"])


def forget_space(ctx: Context, event: SpacePurged) -> None:
    """Delete the properties of a space."""
    properties.drop_properties(ctx, [f"space:{event.space_id}"])


SUBSCRIPTIONS = (
    Subscription(ContentPurged, forget_content, Phase.BEFORE_COMMIT, Stage.PROJECT),
    Subscription(SpacePurged, forget_space, Phase.BEFORE_COMMIT, Stage.PROJECT),
)
