"""Routes of spaces."""

from . import members, people, spaces, subscriptions

ROUTES = (*spaces.ROUTES, *members.ROUTES, *subscriptions.ROUTES, *people.ROUTES)

__all__ = ["ROUTES"]
