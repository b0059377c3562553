"""What clients read at start."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import atrio
from atrio import hookimpl
from atrio.kernel.errors import BootError
from atrio.kernel.host import Kernel
from atrio.kernel.plugins import discover
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import make_kernel

S = "/api/system"
CONFIG = {
    "email_notification_activated": bool, "new_user_invitation_do_notify": bool, "webdav_enabled": bool, "webdav_url": str,
    "translation_service__enabled": bool, "translation_service__target_languages": list,
    "collaborative_document_edition": (dict, type(None)), "content_length_file_size_limit": int,
    "workspace_size_limit": int, "workspaces_number_per_user_limit": int, "instance_name": str, "email_required": bool,
    "search_engine": str, "user__self_registration__enabled": bool,
    "ui__spaces__creation__parent_space_choice__visible": bool, "ui__notes__code_sample_languages": list,
    "limitation__maximum_online_users_message": str, "call__enabled": bool, "call__unanswered_timeout": int,
    "auth_types": list, "user__read_only_fields": dict, "saml_idp_list": list, "app_custom_actions": dict,
    "iframe_whitelist": list,
}  # fmt: skip
APPLICATIONS = [
    ("contents/logbook", "Logbooks", "fas fa-book"), ("contents/thread", "Threads", "far fa-comments"),
    ("contents/file", "Files", "fas fa-paperclip"), ("contents/html-document", "Notes", "far fa-file-alt"),
    ("contents/folder", "Folder", "far fa-folder"), ("contents/kanban", "Kanban boards", "fas fa-columns"),
    ("contents/todo", "Todo", "fas fa-check-square"),
]  # fmt: skip
TYPES = [
    ("logbook", "Logbook", "Create a logbook", "#ff4081"), ("thread", "Thread", "Start a topic", "#428BCA"),
    ("file", "File", "Upload files", "#ffa500"), ("html-document", "Note", "Write a note", "#00CC00"),
    ("folder", "Folder", "Create a folder", "#414548"), ("kanban", "Kanban", "Create a Kanban board", "#197474"),
    ("todo", "Todo", "Todo", "#2f7d30"), ("comment", "Comment", "Comment", ""),
]  # fmt: skip


def test_config_has_every_key(stranger: Client) -> None:
    answer = stranger.get(f"{S}/config")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert set(answer.json) == set(CONFIG)
    for key, kind in CONFIG.items():
        assert isinstance(answer.json[key], kind), key
    assert answer.json["instance_name"] == "Atrio"
    assert {"value": "python", "text": "Python"} in answer.json["ui__notes__code_sample_languages"]
    assert "youtube.com" in answer.json["iframe_whitelist"]
    assert [v for v in answer.json["app_custom_actions"].values() if v] == []


@pytest.mark.atrio_config(
    website__title="Ours", html__iframe_hosts=["a.org"], spaces__per_user=3, spaces__parent_choice_visible=False,
    core_content__max_file_size=7, core_content__space_size=9, accounts__email_required=False,
    accounts__self_registration=True, system__code_sample_languages=["x:The X: language"],
)  # fmt: skip
def test_owners_fill_in_their_keys(stranger: Client) -> None:
    told = stranger.get(f"{S}/config").json
    assert {
        "instance_name": "Ours", "iframe_whitelist": ["a.org"], "workspaces_number_per_user_limit": 3,
        "ui__spaces__creation__parent_space_choice__visible": False, "content_length_file_size_limit": 7,
        "workspace_size_limit": 9, "email_required": False, "user__self_registration__enabled": True,
        "ui__notes__code_sample_languages": [{"value": "x", "text": "The X: language"}],
    }.items() <= told.items()  # fmt: skip


def test_a_plugin_that_is_off_leaves_the_shape(tmp_path: Path) -> None:
    """With nothing but the essential plugins every key is there still."""
    others = [r.name for r in discover() if not r.essential]
    kernel = make_kernel(tmp_path, {"plugins__disabled": others})
    client = Client(kernel.app)
    assert set(client.get(f"{S}/config").json) == set(CONFIG)
    client.close()
    kernel.db.close()


def test_the_answers_are_made_once_and_need_no_database(
    kernel: Kernel, stranger: Client, statements: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (f"{S}/config", f"{S}/error_codes"):
        with statements() as seen:
            first = stranger.get(path)
        assert seen == []
        monkeypatch.setattr(kernel, "capabilities", {"email_required": "changed"})
        assert stranger.get(path).body == first.body


def test_error_codes(stranger: Client) -> None:
    listed = stranger.get(f"{S}/error_codes").json
    assert len(listed) == len({e["code"] for e in listed}) == len({e["name"] for e in listed}) == 102
    assert all(set(e) == {"name", "code"} for e in listed)
    by_code = {e["code"]: e["name"] for e in listed}
    assert (by_code[1001], by_code[3011], by_code[9999]) == (
        "USER_NOT_FOUND", "LAST_WORKSPACE_MANAGER_ROLE_CANT_BE_MODIFIED", "PAGE_NOT_FOUND"
    )  # fmt: skip
    assert max(by_code) == 9999, "codes of our own are not in this list"


def test_every_code_of_the_contract_that_a_plugin_uses_is_listed(kernel: Kernel, stranger: Client) -> None:
    known = {e["code"] for e in stranger.get(f"{S}/error_codes").json}
    used = {error.code for error in kernel.errors.values() if error.code is not None and error.code < 10_000}
    assert used - known == set()


def test_applications(client: Client) -> None:
    listed = client.get(f"{S}/applications").json
    assert [(a["slug"], a["label"], a["fa_icon"]) for a in listed][:7] == APPLICATIONS
    assert all(set(a) == {"label", "slug", "fa_icon", "hexcolor", "is_active", "config"} for a in listed)
    assert all(a["is_active"] is True and a["config"] == {} for a in listed)
    assert "script" not in listed[0]


class Plugin:
    """Declares applications and a type."""

    @staticmethod
    @hookimpl
    def register_applications(kernel: Kernel) -> list[dict[str, Any]]:
        common = {"fa_icon": "x", "hexcolor": "#010203"}
        return [
            {"order": 25, "slug": "chess", "label": "Chess", "config": {"clock": 5}, **common},
            {"order": 5, "slug": "off", "label": "Off", "is_active": False, **common},
        ]

    @staticmethod
    @hookimpl
    def register_content_type_facts(kernel: Kernel) -> list[dict[str, Any]]:
        fact = dict.fromkeys(("slug", "label", "creation_label", "fa_icon"), "game")
        return [{**fact, "hexcolor": "#010203", "available_statuses": []}]


def test_other_plugins_declare_their_own(kernel: Kernel, client: Client) -> None:
    kernel.hooks.register(Plugin, "games")
    listed = client.get(f"{S}/applications").json
    assert [a["slug"] for a in listed][:3] == ["contents/logbook", "contents/thread", "chess"]
    assert listed[2] == {
        "label": "Chess", "slug": "chess", "fa_icon": "x", "hexcolor": "#010203", "is_active": True, "config": {"clock": 5}
    }  # fmt: skip
    assert [t["slug"] for t in client.get(f"{S}/content_types").json] == [*(t[0] for t in TYPES), "game"]


class Broken:
    """Raises whatever it is asked."""

    @staticmethod
    @hookimpl
    def register_applications(kernel: Kernel) -> list[dict[str, Any]]:
        raise RuntimeError("no applications today")

    @staticmethod
    @hookimpl
    def register_content_type_facts() -> list[dict[str, Any]]:
        raise RuntimeError("no types today")


def test_a_plugin_that_fails_takes_nothing_away(kernel: Kernel, client: Client) -> None:
    kernel.hooks.register(Broken, "broken")
    assert [a["slug"] for a in client.get(f"{S}/applications").json][:7] == [a[0] for a in APPLICATIONS]
    assert [t["slug"] for t in client.get(f"{S}/content_types").json] == [t[0] for t in TYPES]


def test_content_types(client: Client) -> None:
    listed = client.get(f"{S}/content_types").json
    assert [(t["slug"], t["label"], t["creation_label"], t["hexcolor"]) for t in listed] == TYPES
    for kind in listed:
        assert set(kind) == {"slug", "fa_icon", "hexcolor", "label", "creation_label", "available_statuses"}
        assert [(s["slug"], s["global_status"], s["label"]) for s in kind["available_statuses"]] == [
            ("open", "open", "Opened"), ("closed-validated", "closed", "Validated"),
            ("closed-unvalidated", "closed", "Cancelled"), ("closed-deprecated", "closed", "Deprecated"),
        ]  # fmt: skip
        assert all(
            set(s) == {"slug", "global_status", "label", "fa_icon", "hexcolor"} for s in kind["available_statuses"]
        )


def test_about(client: Client, clock: Any) -> None:
    told = client.get(f"{S}/about").json
    assert set(told) == {"name", "version", "build_version", "datetime", "website", "database_schema_version"}
    assert (told["name"], told["version"], told["build_version"]) == ("Atrio", atrio.__version__, "unknown")
    assert told["datetime"] == client.get(f"{S}/about").json["datetime"]
    clock.move(60)
    assert told["datetime"] < client.get(f"{S}/about").json["datetime"]
    assert told["database_schema_version"].startswith("k0")


def test_timezones(client: Client) -> None:
    names = [z["name"] for z in client.get(f"{S}/timezones").json]
    assert names == sorted(set(names))
    assert {"Europe/Paris", "UTC", "America/New_York", "Asia/Tokyo"} <= set(names)


@pytest.mark.atrio_config(
    website__base_url="https://x.org/", system__usage_conditions=["House rules.pdf", "legal"]
)
def test_usage_conditions(client: Client) -> None:
    assert client.get(f"{S}/usage_conditions").json == {
        "items": [
            {"title": "House rules", "url": "https://x.org/assets/branding/House%20rules.pdf"},
            {"title": "legal", "url": "https://x.org/assets/branding/legal"},
        ]
    }


def test_no_usage_conditions(client: Client) -> None:
    assert client.get(f"{S}/usage_conditions").json == {"items": []}


def test_who_may(stranger: Client, as_actor: Any) -> None:
    bob, gone = as_actor("bob"), as_actor("gone", active=False)
    for name in ("about", "applications", "content_types", "timezones", "usage_conditions"):
        for nobody in (stranger, gone):
            assert (nobody.get(f"{S}/{name}").status, nobody.get(f"{S}/{name}").code) == (401, None), name
        assert bob.get(f"{S}/{name}").status == 200, name


# -- colours -----------------------------------------------------------------------------------------------


def _boot(folder: Path, colours: Any, **settings: Any) -> Kernel:
    file = folder / "color.json"
    if colours is not None:
        file.write_text(colours if isinstance(colours, str) else json.dumps(colours))
    return make_kernel(folder / "data", {"system__color_file": str(file), **settings})


def test_a_colour_file(tmp_path: Path) -> None:
    colours = {"primary": "#123456", "sidebar": "#000", "sidebar/font": "#fff", "contents/file": "#abcdef"}
    kernel = _boot(tmp_path, colours)
    client = Client(kernel.app, "admin@admin.admin", "admin-password")
    types = {t["slug"]: t["hexcolor"] for t in client.get(f"{S}/content_types").json}
    assert types == {**dict.fromkeys((t[0] for t in TYPES), "#123456"), "file": "#abcdef", "comment": ""}
    assert client.get(f"{S}/applications").json[2]["hexcolor"] == "#abcdef"
    client.close()
    kernel.db.close()


@pytest.mark.parametrize(
    ("colours", "complaint"),
    [
        (None, "No such file"), ("{", "color_file"), ("[]", "no JSON object"), ({"primary": "#123456"}, "lacks sidebar"),
        ({"primary": "red", "sidebar": "#000", "sidebar/font": "#fff"}, "primary is no colour"),
        ({"primary": "#123456", "sidebar": 5, "sidebar/font": "#fff"}, "sidebar is no colour"),
    ],
)  # fmt: skip
def test_a_colour_file_that_cannot_be_used_stops_the_start(tmp_path: Path, colours: Any, complaint: str) -> None:
    with pytest.raises(BootError, match=complaint):
        _boot(tmp_path, colours)


@pytest.mark.parametrize(
    "settings",
    [
        {"system__usage_conditions": ["../secret"]}, {"system__usage_conditions": [".."]},
        {"system__code_sample_languages": ["python"]}, {"system__code_sample_languages": [":Python"]},
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_stop_the_start(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(BootError, match=next(iter(settings)).replace("__", ".")):
        make_kernel(tmp_path, settings)
