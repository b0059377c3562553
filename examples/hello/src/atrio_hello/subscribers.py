"""Reactions of hello to events, one in each phase."""

from __future__ import annotations

import logging

from atrio.kernel.context import Context
from atrio.kernel.events import Phase, Subscription
from atrio.kernel.host import Kernel
from atrio.plugins.accounts.api import UserNotFound, get_user
from atrio.plugins.accounts.events import UserCreated
from atrio.plugins.core_content.events import ContentCreated

from . import services
from .events import GreetingSent

log = logging.getLogger("atrio.hello")


def welcome(ctx: Context, event: UserCreated) -> None:
    """Welcome a new user in the transaction that creates the account: both are there, or neither."""
    services.greet_once(ctx, event.user_id, f"user:{event.user_id}", "Welcome.")


def announce(kernel: Kernel, event: GreetingSent) -> None:
    """Tell the log once the greeting is safe in the database; a crash at this moment loses the line."""
    log.info("greeting %d was sent to user %d", event.greeting_id, event.user_id)


def greet_author(ctx: Context, event: ContentCreated) -> None:
    """Greet whoever created a content; runs after the request, again after a fault, and writes once."""
    if ctx.actor.id is None:
        return
    try:
        get_user(ctx, ctx.actor.id)
    except UserNotFound:
        return  # gone since: there is nobody to greet, and trying again would not help
    services.greet_once(ctx, ctx.actor.id, f"content:{event.content_id}", f"You created {event.label}.")


SUBSCRIPTIONS = (
    Subscription(UserCreated, welcome, Phase.BEFORE_COMMIT),
    Subscription(GreetingSent, announce, Phase.AFTER_COMMIT),
    Subscription(ContentCreated, greet_author, Phase.JOB, name="hello.greet_author"),
)
