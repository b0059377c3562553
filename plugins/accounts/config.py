"""Settings of accounts."""

from __future__ import annotations

from dataclasses import dataclass

from atrio.kernel.config import ConfigSection, option


@dataclass(frozen=True)
class AccountsConfig:
    """Users and sign-in."""

    admin_email: str = option(
        "admin@admin.admin", env="ATRIO_ADMIN_EMAIL", help="Login of the first administrator."
    )
    admin_password: str | None = option(
        None, env="ATRIO_ADMIN_PASSWORD", secret=True,
        help="Password of the first administrator; empty: one is generated and printed once.",
    )  # fmt: skip
    api_key: str | None = option(
        None, env="ATRIO_API_KEY", secret=True,
        help="Key with which a daemon may act as any active user; empty: off.",
    )  # fmt: skip
    default_profile: str = option(
        "users", choices=("users", "trusted-users", "administrators"), help="Profile of new accounts."
    )
    invitation_minimal_profile: str = option(
        "trusted-users", choices=("users", "trusted-users", "administrators"),
        help="Lowest profile that may invite unknown addresses into a space.",
    )  # fmt: skip
    invitation_notify: bool = option(
        True, help="Write to the invited: their account gets a one-time link by mail, where mail is on."
    )
    email_required: bool = option(True, help="Accounts need an e-mail address.")
    default_allowed_space: int = option(0, minimum=0, help="Bytes a new user may own; 0: no limit.")
    session_seconds: int = option(604800, minimum=300, help="Life of a session cookie.")
    session_secure: bool = option(False, help="Send the session cookie over HTTPS only.")
    failures_allowed: int = option(
        10,
        minimum=1,
        help="Wrong passwords of one login and address in ten minutes before the answer is 429.",
    )


SECTION = ConfigSection("accounts", AccountsConfig)
