"""Links for people without an account: their tokens, their passwords, and who they were given to."""

from __future__ import annotations

import uuid

from atrio.kernel.context import Context

from . import passwords
from .authentication import throttle_of
from .errors import WrongGuestPassword

TOKEN_LENGTH = 36


def new_token() -> str:
    """Return the secret of a link: 122 random bits, as a UUID (RFC 9562 §5.4)."""
    return str(uuid.uuid4())


def hash_guest_password(ctx: Context, password: str | None) -> str | None:
    """Return what is kept of the password of a link, None for none; no transaction is held meanwhile."""
    if password is None:
        return None
    with ctx.released():
        return passwords.hash_password(password)


def check_guest_password(ctx: Context, stored: str | None, given: str | None, token: str, address: str) -> None:
    """Raise WrongGuestPassword (2053) unless a link has no password or this one; guesses are counted.

    TooManyRequests after too many wrong ones for a link from an address. What was read before is to be read
    again: the transaction is given up while argon2 computes.
    """
    if stored is None:
        return
    throttle = throttle_of(ctx)
    throttle.refuse(f"guest {token}", address)
    with ctx.released():
        right = passwords.verify(stored, given or "")
    if not right:
        throttle.failed(f"guest {token}", address)
        raise WrongGuestPassword


def shown_address(name: str, address: str) -> str:
    """Return an invited address as it is kept and shown: lower case, with the name before it if there is one."""
    return (f"{name} <{address}>" if name else address).lower()
