"""What the answers are made of: the settings and declarations of all plugins, collected once for an instance."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import atrio
from atrio.kernel.config import HtmlConfig, WebsiteConfig, base_url
from atrio.kernel.db import migrate
from atrio.kernel.host import Kernel

from .codes import ERROR_CODES
from .colours import read_colours
from .config import SystemConfig

log = logging.getLogger("atrio.system")
PROGRAM = "Atrio"
WEBSITE = "https://github.com/atrio/atrio"
APPLICATION_KEYS = ("label", "slug", "fa_icon", "hexcolor", "is_active", "config")
TYPE_KEYS = ("slug", "fa_icon", "hexcolor", "label", "creation_label", "available_statuses")
ACTION_PLACES = (
    "user_sidebar_dropdown", "user_sidebar_shortcuts", "content_in_list_dropdown", "content_app_dropdown",
    "space_dashboard_action_list",
)  # fmt: skip
WHEN_OFF: Mapping[str, Any] = {
    "email_notification_activated": False,
    "new_user_invitation_do_notify": False,
    "webdav_enabled": False,
    "translation_service__enabled": False,
    "webdav_url": "",
    "collaborative_document_edition": None,
    "content_length_file_size_limit": 0,
    "workspace_size_limit": 0,
    "workspaces_number_per_user_limit": 0,
    "instance_name": "",
    "email_required": True,
    "search_engine": "simple",
    "translation_service__target_languages": [],
    "user__self_registration__enabled": False,
    "ui__spaces__creation__parent_space_choice__visible": True,
    "ui__notes__code_sample_languages": [],
    "limitation__maximum_online_users_message": "",
    "call__enabled": False,
    "call__unanswered_timeout": 30000,
    "auth_types": ["internal"],
    "user__read_only_fields": {},
    "saml_idp_list": [],
    "app_custom_actions": {place: [] for place in ACTION_PLACES},
    "iframe_whitelist": [],
}
"""Every key of `/system/config` in its order, and what it says while the plugin that owns it is off."""


def colours(kernel: Kernel) -> dict[str, str]:
    """Return the colours of the instance by name; read once."""
    return kernel.memo("system.colours", lambda: read_colours(kernel.config[SystemConfig].color_file))


def colour_of(kernel: Kernel, name: str, otherwise: str) -> str:
    """Return the colour of an application: by the colour file, where there is one, else its own.

    A colour file that does not know the application gives it the primary colour.
    """
    known = colours(kernel)
    if not otherwise:
        return ""
    if otherwise == "primary" or kernel.config[SystemConfig].color_file is not None:
        return known.get(name, known["primary"])
    return otherwise


def _gathered(kernel: Kernel, hook: str) -> list[Mapping[str, Any]]:
    """Return what all plugins answer to a hook, in their order; one that fails is left out and logged.

    Front ends show nothing at all without these lists, so no plugin may take them away.
    """
    found: list[Mapping[str, Any]] = []
    for implementation in getattr(kernel.hooks.hook, hook).get_hookimpls():
        try:
            found += implementation.function(*(kernel for _ in implementation.argnames)) or ()
        except Exception:
            log.exception("%s of %s failed", hook, implementation.plugin_name)
            kernel.note_fault(kernel.record(implementation.plugin_name))
    return found


def applications(kernel: Kernel) -> list[dict[str, Any]]:
    """Return the active applications in their order, each with its `script`; collected once."""

    def collect() -> list[dict[str, Any]]:
        offered = _gathered(kernel, "register_applications")
        found = [fact for fact in offered if fact.get("is_active", True)]
        return [
            {
                "label": fact["label"], "slug": fact["slug"], "fa_icon": fact["fa_icon"],
                "hexcolor": colour_of(kernel, fact["slug"], fact["hexcolor"]), "is_active": True,
                "config": dict(fact.get("config") or {}), "script": fact.get("script"),
            }
            for fact in sorted(found, key=lambda f: (f["order"], f["slug"]))
        ]  # fmt: skip

    return kernel.memo("system.applications", collect)


def application_list(kernel: Kernel) -> list[dict[str, Any]]:
    """Return the active applications as clients read them."""
    return [{key: fact[key] for key in APPLICATION_KEYS} for fact in applications(kernel)]


def content_types(kernel: Kernel) -> list[dict[str, Any]]:
    """Return the content types of all plugins as clients read them."""
    return [
        {
            **{key: fact[key] for key in TYPE_KEYS},
            "hexcolor": colour_of(kernel, f"contents/{fact['slug']}", fact["hexcolor"]),
        }
        for fact in _gathered(kernel, "register_content_type_facts")
    ]


def config(kernel: Kernel) -> dict[str, Any]:
    """Return what clients must know before anybody signs in: every key, filled by the plugin that owns it."""
    languages = [pair.partition(":") for pair in kernel.config[SystemConfig].code_sample_languages]
    own = {
        "instance_name": kernel.config[WebsiteConfig].title,
        "iframe_whitelist": list(kernel.config[HtmlConfig].iframe_hosts),
        "ui__notes__code_sample_languages": [
            {"value": alias.strip(), "text": label.strip()} for alias, _, label in languages
        ],
    }
    given = {**own, **kernel.capabilities}
    return {key: given.get(key, otherwise) for key, otherwise in WHEN_OFF.items()}


def error_codes(kernel: Kernel) -> list[dict[str, Any]]:
    """Return every error code with its name."""
    return [{"name": name, "code": code} for code, name in ERROR_CODES]


def timezones(kernel: Kernel) -> list[dict[str, str]]:
    """Return the time zones by name."""
    from zoneinfo import available_timezones

    return [{"name": name} for name in sorted(available_timezones() - {"Factory", "localtime"})]


def usage_conditions(kernel: Kernel) -> dict[str, Any]:
    """Return where the conditions of use are read; they lie in the branding folder that `web` serves."""
    folder = f"{base_url(kernel.config)}/assets/branding"
    return {
        "items": [
            {"title": name.rpartition(".")[0] or name, "url": f"{folder}/{quote(name)}"}
            for name in kernel.config[SystemConfig].usage_conditions
        ]
    }  # fmt: skip


def about(kernel: Kernel) -> dict[str, Any]:
    """Return which server this is; the schema version is the newest revision of each enabled plugin."""
    heads = [
        migrate.head(lineage)
        for owner, lineage in kernel.lineages.items()
        if owner == "kernel" or kernel.enabled(owner)
    ]
    return {
        "name": PROGRAM, "version": atrio.__version__,
        "build_version": kernel.config[SystemConfig].build_version, "website": WEBSITE,
        "database_schema_version": "-".join(head for head in heads if head) or None,
    }  # fmt: skip
