"""Errors of tags."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class TagNotFound(KernelError):
    """The space has no such tag, or the content does not carry it."""

    code = 1024


class TagAlreadyExists(KernelError):
    """The space has a tag of this name, or the content carries it already."""

    code = 3014


ERRORS = (TagNotFound, TagAlreadyExists)
