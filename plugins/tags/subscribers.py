"""What happens to tags when contents move or are copied."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.events import Phase, Stage, Subscription
from atrio.plugins.core_content.events import ContentCopied, ContentMoved

from . import services


def follow_move(ctx: Context, event: ContentMoved) -> None:
    """Give a content that went to another space, and all below it, the tags of that space."""
    if event.from_space_id and event.from_space_id != event.space_id:
        services.follow_move(ctx, event.from_space_id, event.space_id)


def copy_tags(ctx: Context, event: ContentCopied) -> None:
    """Give a copy the tags of what it was made from."""
    services.copy_tags(ctx, event.source_id, event.content_id, event.space_id)


SUBSCRIPTIONS = (
    Subscription(ContentMoved, follow_move, Phase.BEFORE_COMMIT, Stage.PROJECT),
    Subscription(ContentCopied, copy_tags, Phase.BEFORE_COMMIT, Stage.PROJECT),
)
