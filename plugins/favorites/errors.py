"""Errors of favorites."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class FavoriteContentNotFound(KernelError):
    """The content is none of the user's favourites."""

    code = 1023


ERRORS = (FavoriteContentNotFound,)
