"""Errors of hello; clients compare the codes, so they never change their meaning."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class HelloGreetingNotFound(KernelError):
    """No greeting has this id, or it is addressed to somebody else."""

    code = 78701


class HelloTextTooLong(KernelError):
    """The text is longer than the instance allows."""

    code = 78702


ERRORS = (HelloGreetingNotFound, HelloTextTooLong)
