"""Settings of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from atrio.kernel.config import ConfigSection, option

PROFILE_CHOICES = ("users", "trusted-users", "administrators")
AUTH_TYPES = ("internal", "ldap", "saml")
READ_ONLY_CHOICES = ("public_name", "username", "email", "password")


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
    auth_types: tuple[str, ...] = option(
        ("internal",), help="Ways to sign in with a password, in order: internal, ldap, saml."
    )
    remote_user_header: str | None = option(
        None, choices=("x-remote-user", "remote-user"),
        help="Header in which a trusted proxy (`server.trusted_proxies`) names the user; empty: off.",
    )  # fmt: skip
    default_profile: str = option("users", choices=PROFILE_CHOICES, help="Profile of new accounts.")
    default_allowed_space: int = option(0, minimum=0, help="Bytes a new user may own; 0: no limit.")
    email_required: bool = option(True, help="Accounts need an e-mail address.")
    self_registration: bool = option(False, help="Strangers may create an account for themselves.")
    invitation_minimal_profile: str = option(
        "trusted-users", choices=PROFILE_CHOICES,
        help="Lowest profile that may invite unknown addresses into a space.",
    )  # fmt: skip
    invitation_notify: bool = option(
        True, help="Write to the invited: their account gets a one-time link by mail, where mail is on."
    )
    known_members_filter: bool = option(
        True, help="Users know only those with whom they share a space; off: everybody."
    )
    reserved_usernames: tuple[str, ...] = option(
        (), help="Usernames that nobody may take, beside the names of groups in mentions."
    )
    read_only_internal: tuple[str, ...] = option(
        (),
        help="Fields that accounts with a password here cannot change: public_name, username, email, password.",
    )
    read_only_ldap: tuple[str, ...] = option((), help="The same for accounts of a directory (LDAP).")
    read_only_remote: tuple[str, ...] = option((), help="The same for accounts that a proxy signs in.")
    read_only_saml: tuple[str, ...] = option((), help="The same for accounts of a SAML provider.")
    session_seconds: int = option(604800, minimum=300, help="Life of a session cookie.")
    session_secure: bool = option(False, help="Send the session cookie over HTTPS only.")
    access_token_seconds: int = option(604800, minimum=60, help="Life of a token for `?access_token=`.")
    reset_token_seconds: int = option(900, minimum=60, help="Life of a link for a new password.")
    welcome_token_seconds: int = option(
        604800, minimum=60, help="Life of the link with which a new account gets its first password."
    )
    failures_allowed: int = option(
        10,
        minimum=1,
        help="Wrong passwords of one login and address in ten minutes before the answer is 429.",
    )
    custom_properties_schema: str | None = option(
        None, help="File with the JSON schema (draft 7) of the custom properties; empty: the one that comes along."
    )
    custom_properties_ui_schema: str | None = option(
        None, help="File that says how forms show the custom properties; empty: the one that comes along."
    )
    custom_properties_translations: str | None = option(
        None, help="Folder with `<language>.json` files, from texts of both schemas to their translations."
    )
    picture_max_bytes: int = option(
        10_485_760, minimum=1024, help="Largest file that is taken as an avatar or cover, in bytes."
    )
    picture_max_pixels: int = option(
        36_000_000, minimum=10_000, help="Largest picture that is opened for an avatar or cover, in pixels."
    )
    anonymized_name: str = option("Deleted user", help="Name that an anonymized account shows.")


SECTION = ConfigSection("accounts", AccountsConfig)


def faults(config: AccountsConfig) -> str | None:
    """Return what is wrong with settings that are lists, None when nothing is."""
    unknown = [name for name in config.auth_types if name not in AUTH_TYPES]
    if unknown or not config.auth_types:
        return f"accounts.auth_types: some of {', '.join(AUTH_TYPES)}, got {', '.join(unknown) or 'nothing'}"
    for kind in ("internal", "ldap", "remote", "saml"):
        for name in getattr(config, f"read_only_{kind}"):
            if name not in READ_ONLY_CHOICES:
                return f"accounts.read_only_{kind}: some of {', '.join(READ_ONLY_CHOICES)}, got {name}"
    return None


def read_only_fields(config: AccountsConfig, auth_type: str) -> tuple[str, ...]:
    """Return the fields that accounts of this kind cannot change; one that never signed in counts as internal."""
    found: tuple[str, ...] = getattr(config, f"read_only_{auth_type}", config.read_only_internal)
    return found


def announced(config: AccountsConfig) -> dict[str, Any]:
    """Return what clients may know of these settings before anybody signs in."""
    kinds = [*config.auth_types, *(["remote"] if config.remote_user_header else [])]
    return {
        "auth_types": list(config.auth_types),
        "user__self_registration__enabled": config.self_registration,
        "user__read_only_fields": {kind: list(read_only_fields(config, kind)) for kind in kinds},
        "email_required": config.email_required,
        "new_user_invitation_do_notify": config.invitation_notify,
    }
