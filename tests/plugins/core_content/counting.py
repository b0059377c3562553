"""How many statements a request costs."""

from __future__ import annotations

from atrio.kernel.testing.plugin import of_the_request


def beside_sign_in(seen: list[str]) -> int:
    """Count statements but those of the sign-in: a password that was checked a minute ago is checked again."""
    return sum("accounts_user.password_hash" not in text for text in of_the_request(seen))
