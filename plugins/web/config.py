"""Settings of web."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atrio.kernel.config import Config, ConfigSection, option

HIDDEN_BY_DEFAULT = (
    "user_call.created", "user.*", "workspace.modified", "workspace.deleted", "workspace.undeleted",
    "workspace_member.modified", "content.modified", "reaction.*", "tag.*", "content_tag.*", "user_config.*",
)  # fmt: skip


@dataclass(frozen=True)
class WebConfig:
    """The front end in the browser."""

    dist_folder: Path | None = option(
        None, legacy="frontend.dist_folder_path",
        help="Folder of a front-end build (with `index.mak`); empty: a start page without a front end.",
    )  # fmt: skip
    serve: bool = option(True, legacy="frontend.serve", help="Serve the front-end build, if there is one.")
    branding_folder: Path | None = option(
        None, help="Folder of logos, welcome page and the like; empty: `assets/branding` of the build."
    )
    custom_toolbox_folder: Path | None = option(
        None, legacy="frontend.custom_toolbox_folder_path",
        help="Folder of scripts that the page loads too, under `/custom_toolbox-assets`.",
    )  # fmt: skip
    cache_token: str = option(
        "", legacy="frontend.cache_token",
        help="Mark in the addresses of scripts, new for each build; empty: made from the files of the build.",
    )  # fmt: skip
    description: str = option("", legacy="website.description", help="What search engines read of the page.")
    welcome_page: str = option(
        "welcome-simple.html", legacy="website.welcome_page",
        help="File of the branding folder that people see beside the sign-in form.",
    )  # fmt: skip
    welcome_page_style: str = option(
        "welcome-simple.css", legacy="website.welcome_page_style", help="Style of the welcome page."
    )
    excluded_notifications: tuple[str, ...] = option(
        HIDDEN_BY_DEFAULT, legacy="web.notifications.excluded",
        help="Kinds of messages that the page does not show in its lists.",
    )  # fmt: skip
    custom_actions_file: str = option(
        "app_custom_actions.json", legacy="app_custom_actions.config_file",
        help="File of the branding folder with links for menus; need not be there.",
    )  # fmt: skip
    policy_enabled: bool = option(
        True, legacy="content_security_policy.enabled", help="Send a Content-Security-Policy with the page."
    )
    policy_report_uri: str = option(
        "", legacy="content_security_policy.report_uri", help="Where browsers report what the policy stopped."
    )
    policy_report_only: bool = option(
        False, legacy="content_security_policy.report_only",
        help="Let browsers report only and stop nothing; needs `policy_report_uri`.",
    )  # fmt: skip
    policy_directives: str = option(
        "", legacy="content_security_policy.additional_directives",
        help="Further directives of the policy, separated by semicolons; a known one is widened.",
    )  # fmt: skip


SECTION = ConfigSection("web", WebConfig)


def faults(config: Config) -> str | None:
    """Return what is wrong with the settings, None when nothing is."""
    from .branding import custom_actions

    settings = config[WebConfig]
    if settings.serve and settings.dist_folder is not None and not (settings.dist_folder / "index.mak").is_file():
        return f"web.dist_folder: {settings.dist_folder} holds no index.mak"
    for key in ("branding_folder", "custom_toolbox_folder"):
        folder: Path | None = getattr(settings, key)
        if folder is not None and not folder.is_dir():
            return f"web.{key}: {folder} is no folder"
    for key in ("welcome_page", "welcome_page_style", "custom_actions_file"):
        name: str = getattr(settings, key)
        if "/" in name or "\\" in name or name in (".", ".."):
            return f"web.{key}: {name!r} is not the name of a file in the branding folder"
    if settings.policy_report_only and not settings.policy_report_uri:
        return "web.policy_report_only needs web.policy_report_uri"
    if any(c in settings.policy_directives + settings.policy_report_uri for c in "\r\n"):
        return "web.policy_directives and web.policy_report_uri are one line each"
    try:
        custom_actions(settings)
    except (OSError, ValueError) as error:
        return f"web.custom_actions_file: {error}"
    return None
