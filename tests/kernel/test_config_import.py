"""`atrio config import`: a development.ini becomes a TOML file, and what has no place is named."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from atrio.kernel.cli import cli
from atrio.kernel.config import Sources
from atrio.kernel.config_import import VARIABLES, declared_options, variable_of
from atrio.kernel.host import boot

SAMPLE = Path(__file__).parent / "samples" / "development.ini"
SECRETS = ("s3cret-api-key", "another-s3cret", "db-s3cret")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`run(text, *options)` imports an ini; gives (result, TOML text, parsed TOML)."""
    for name in list(__import__("os").environ):
        if name.startswith(VARIABLES):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def call(text: str | None, *options: str) -> tuple[Any, str, Any]:
        if text is not None:
            Path("in.ini").write_text(text, "utf-8")
        result = CliRunner().invoke(cli, ["config", "import", "in.ini", *options])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        written = Path("atrio.toml")
        text = written.read_text("utf-8") if written.is_file() else ""
        return result, text, tomllib.loads(text)

    return call


def test_a_full_sample(run: Any, tmp_path: Path) -> None:
    result, text, found = run(SAMPLE.read_text("utf-8"))
    assert result.exit_code == 0, result.output
    here = str(tmp_path)
    assert found["website"] == {
        "title": 'Our house, "100%" ours', "base_url": "https://atrio.example.org", "default_lang": "fr"
    }  # fmt: skip
    assert found["debug"] == {"traceback": False}
    assert found["cors"] == {"allowed_origins": ["https://a.example.org", "https://b.example.org"]}
    assert found["html"] == {"iframe_hosts": ["youtube.com", "vimeo.com"]}
    assert found["accounts"] == {
        "api_key": "s3cret-api-key", "auth_types": ["internal", "ldap"], "read_only_internal": ["email"],
        "read_only_ldap": ["public_name", "username", "email", "password"], "remote_user_header": "x-remote-user",
        "access_token_seconds": 3600, "reset_token_seconds": 1200, "default_profile": "trusted-users",
        "self_registration": True, "known_members_filter": False, "invitation_notify": False,
        "invitation_minimal_profile": "administrators", "email_required": False, "session_secure": True,
        "session_seconds": 86400, "default_allowed_space": 4194304, "anonymized_name": "Somebody who left",
    }  # fmt: skip
    assert found["spaces"] == {
        "allowed_access_types": ["open", "confidential"], "per_user": 7, "parent_choice_visible": False,
        "notification_on_invitation": "weekly",
    }  # fmt: skip
    assert found["core_content"] == {"max_file_size": 1048576, "space_size": 2097152}
    assert found["system"] == {
        "build_version": "2025.04", "usage_conditions": ["rules.pdf", "legal.pdf"],
        "color_file": f"{here}/color.json", "code_sample_languages": ["python:Python", "c:C"],
    }  # fmt: skip
    assert found["web"] == {
        "description": "Where we work", "welcome_page": "welcome-advanced.html",
        "welcome_page_style": "welcome-advanced.css", "excluded_notifications": ["user.*", "reaction.*"],
        "serve": True, "dist_folder": f"{here}/frontend/dist", "cache_token": "abc123",
        "custom_toolbox_folder": f"{here}/toolbox", "custom_actions_file": "app_custom_actions.json",
        "policy_enabled": True, "policy_report_uri": "https://csp.example.org/report", "policy_report_only": True,
        "policy_directives": "worker-src 'self'",
    }  # fmt: skip
    assert found["calls"] == {"jitsi_url": "https://meet.example.org", "unanswered_timeout": 45}
    assert found["url_preview"] == {"fetch_timeout": 20, "max_content_length": 65536}
    for key in (
        "app.enabled", "plugin.folder_path", "backend.i18n_folder_path", "api.base_url", "session.type", "session.secret",
        "sqlalchemy.url", "uploaded_files.storage.local.storage_path", "depot_storage_dir", "jobs.processing_mode",
        "made.up.key", "[app:tracim_web]", "[formatter_generic]",
    ):  # fmt: skip
        assert f"no equivalent: {key} (" in result.stderr, key
        assert f"#   {key}: " in text, key
    assert "basic_setup" not in result.stderr + text
    assert "empty.key" not in result.stderr + text
    for secret in SECRETS:
        assert secret not in result.output + result.stderr
    assert "db-s3cret" not in text
    assert stat.S_IMODE(Path("atrio.toml").stat().st_mode) == 0o600


def test_the_file_is_taken_by_the_server(run: Any, tmp_path: Path) -> None:
    sample = SAMPLE.read_text("utf-8")
    (tmp_path / "color.json").write_text('{"primary": "#111111", "sidebar": "#222222", "sidebar/font": "#333333"}')
    run(
        sample.replace("frontend.dist_folder_path = %(here)s/frontend/dist", "").replace(
            "frontend.custom_toolbox_folder_path", "x"
        )
    )
    kernel = boot(Sources.load("atrio.toml", {}, {"storage.data_dir": str(tmp_path / "data")}), schema=False)
    assert kernel.warnings == []
    assert [(r.name, r.reason) for r in kernel.records if str(r.state) not in ("enabled", "disabled")] == []
    kernel.db.close()


def test_every_old_key_leads_to_one_setting_and_fits_it() -> None:
    options = [opt for opt in declared_options() if opt.legacy]
    keys = [opt.legacy for opt in options]
    assert len(keys) == len(set(keys))
    assert len(keys) > 40
    variables = [variable_of(key) for key in keys if key]
    assert len(variables) == len(set(variables))


def test_environment_wins_when_asked_for(run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRACIM_WEBSITE__TITLE", "From outside")
    monkeypatch.setenv("TRACIM_CORS__ACCESS_CONTROL_ALLOWED_ORIGIN", "https://c.example.org")
    monkeypatch.setenv("TRACIM_EMAIL__REQUIRED", "")
    monkeypatch.setenv("TRACIM_MADE__UP", "x")
    monkeypatch.setenv("TRACIM_HERE_PATH", "/elsewhere")
    ini = "[DEFAULT]\nwebsite.title = Inside\nemail.required = False\ncolor.config_file_path = %(here)s/c.json\n"
    _, _, found = run(ini)
    assert (found["website"], found["system"]) == ({"title": "Inside"}, {"color_file": f"{tmp_path}/c.json"})
    result, _, found = run(ini, "--environment", "--force")
    assert found == {
        "website": {"title": "From outside"}, "accounts": {"email_required": False},
        "system": {"color_file": "/elsewhere/c.json"}, "cors": {"allowed_origins": ["https://c.example.org"]},
    }  # fmt: skip
    assert "no equivalent: TRACIM_MADE__UP" in result.stderr
    assert "TRACIM_HERE_PATH" not in result.stderr


def test_what_does_not_fit_is_said_and_left_out(run: Any) -> None:
    result, text, found = run(
        "[DEFAULT]\nlimitation.workspace_size = much\nemail.required = perhaps\nuser.default_profile = king\n"
        "workspace.allowed_access_types = open,secret\nwebsite.title = T\n"
    )
    assert result.exit_code == 1
    assert found == {"website": {"title": "T"}}
    for key in (
        "limitation.workspace_size",
        "email.required",
        "user.default_profile",
        "workspace.allowed_access_types",
    ):
        assert f"does not fit: {key}: " in result.stderr
        assert f"#   {key}: " in text


def test_an_existing_file_stays(run: Any) -> None:
    Path("atrio.toml").write_text("# mine\n")
    with pytest.raises(Exception, match="atrio.toml exists"):
        run("[DEFAULT]\nwebsite.title = T\n")
    assert Path("atrio.toml").read_text() == "# mine\n"
    run("[DEFAULT]\nwebsite.title = T\n", "--output", "other.toml")
    assert tomllib.loads(Path("other.toml").read_text()) == {"website": {"title": "T"}}
    _, _, found = run("[DEFAULT]\nwebsite.title = T\n", "--force")
    assert found == {"website": {"title": "T"}}


@pytest.mark.parametrize(
    "text",
    [
        "website.title = T\n",
        "[DEFAULT\n",
        "[DEFAULT]\na = %(nowhere)s s3cret\n",
        "[DEFAULT]\na = 100% s3cret\n",
        "[DEFAULT]\nnonsense\n",
    ],
)
def test_files_that_cannot_be_read(run: Any, text: str) -> None:
    with pytest.raises(Exception, match=r"in\.ini: ") as refusal:
        run(text)
    assert "s3cret" not in str(refusal.value)
    assert not Path("atrio.toml").exists()


def test_a_comment_cannot_be_left(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key with a line break in it cannot smuggle a setting into the file."""
    monkeypatch.setenv("TRACIM_X\n[owned]\n", "x")
    _, _, found = run("[DEFAULT]\n", "--environment")
    assert found == {}


def test_where_files_are(run: Any) -> None:
    ini = (
        "[DEFAULT]\nuploaded_files.storage.storage_type = s3\nuploaded_files.storage.s3.bucket = ours\n"
        "uploaded_files.storage.s3.access_key_id = key\nuploaded_files.storage.s3.secret_access_key = hidden\n"
        "uploaded_files.storage.s3.region_name = eu-west-1\nuploaded_files.storage.s3.policy = private\n"
        "uploaded_files.storage.s3.endpoint_url = https://s3.example.org\n"
    )
    result, text, found = run(ini)
    assert found["storage"] == {"blobs": "s3"}
    assert found["storage_s3"] == {
        "bucket": "ours", "access_key_id": "key", "secret_access_key": "hidden", "region": "eu-west-1",
        "endpoint_url": "https://s3.example.org",
    }  # fmt: skip
    assert "uploaded_files.storage.s3.policy: objects have the rights" in text
    assert "hidden" not in result.output + result.stderr
    _, text, found = run("[DEFAULT]\nuploaded_files.storage.storage_type = memory\n", "--force")
    assert "storage" not in found
    assert "uploaded_files.storage.storage_type" in text
