"""Writes of accounts."""

from __future__ import annotations

from .access import (
    close_session,
    end_access,
    issue_access_token,
    make_reset_token,
    open_session,
    purge_sessions,
    renew_session,
    set_password,
    token_hash,
    use_reset_token,
)
from .devices import PREFIX as TOKEN_PREFIX
from .devices import USED_SECONDS, create_application_token, note_use, revoke_application_token
from .personal import follow, merge_parameters, replace_properties, set_picture, unfollow
from .removal import anonymize_user, purge_user
from .users import (
    LEVELS,
    bind_authentication,
    create_first_administrator,
    create_user,
    refuse_external_email,
    refuse_external_password,
    refuse_read_only,
    request_password_reset,
    reserved_usernames,
    set_enabled,
    set_trashed,
    update_user,
)

__all__ = [
    "LEVELS",
    "TOKEN_PREFIX",
    "USED_SECONDS",
    "anonymize_user",
    "bind_authentication",
    "close_session",
    "create_application_token",
    "create_first_administrator",
    "create_user",
    "end_access",
    "follow",
    "issue_access_token",
    "make_reset_token",
    "merge_parameters",
    "note_use",
    "open_session",
    "purge_sessions",
    "purge_user",
    "refuse_external_email",
    "refuse_external_password",
    "refuse_read_only",
    "renew_session",
    "replace_properties",
    "request_password_reset",
    "reserved_usernames",
    "revoke_application_token",
    "set_enabled",
    "set_password",
    "set_picture",
    "set_trashed",
    "token_hash",
    "unfollow",
    "update_user",
    "use_reset_token",
]  # fmt: skip
