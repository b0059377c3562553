"""What happens to tags when contents move or are copied."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.events import Phase, Stage, Subscription
from atrio.plugins.core_content.events import ContentCopied, ContentMoved

from . import services


def left_its_space(event: ContentMoved) -> bool:
    """Tell whether a content went to another space."""
    return event.from_space_id not in (0, event.space_id)


def follow_move(ctx: Context, event: ContentMoved) -> None:
    """Give a content that went to another space, and all below it, the tags of that space."""
    services.follow_move(ctx, event.from_space_id, event.space_id)


def copy_tags(ctx: Context, event: ContentCopied) -> None:
    """Give a copy the tags of what it was made from."""
    services.copy_tags(ctx, event.source_id, event.content_id, event.space_id)


SUBSCRIPTIONS = (
    Subscription(ContentMoved, follow_move, Phase.BEFORE_COMMIT, Stage.PROJECT, when=left_its_space),
    Subscription(ContentCopied, copy_tags, Phase.BEFORE_COMMIT, Stage.PROJECT),
)
