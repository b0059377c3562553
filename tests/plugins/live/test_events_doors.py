"""Events that come through other doors than HTTP: the command line, and jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from atrio.kernel.config import DatabaseConfig
from atrio.kernel.context import Actor
from atrio.kernel.host import Kernel
from atrio.kernel.tasks import Task


@pytest.fixture
def run(kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run `atrio …` on the instance of the test."""
    from atrio.kernel.cli import cli

    monkeypatch.setenv("ATRIO_STORAGE__DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATRIO_DATABASE__URL", kernel.config[DatabaseConfig].url or "")

    def call(*words: str, answer: str = "") -> str:
        result = CliRunner().invoke(cli, list(words), input=answer)
        assert result.exit_code == 0, (words, result.output, result.exception)
        return result.output

    return call


def test_accounts(run: Any, cast: Any, log: Any) -> None:
    run("user", "create", "--email", "ann@example.org", "--username", "ann", "--no-password")
    told = log.one()
    assert (told.event_type, told.author, told.fields["user"]["username"]) == ("user.created", None, "ann")
    assert told.receivers == cast.administrators | {told.fields["user"]["user_id"]}
    run("user", "update", "the-reader", "--public-name", "Other")
    told = log.alone("user.modified", cast.administrators | cast.members)
    assert (told.author, told.fields["user"]["public_name"]) == (None, "Other")


def test_spaces(run: Any, cast: Any, log: Any) -> None:
    run("space", "create", "By hand", "--access-type", "open")
    joined, created = log.news()
    assert (joined.event_type, created.event_type) == ("workspace_member.created", "workspace.created")
    space = created.fields["workspace"]["workspace_id"]
    assert created.author == created.fields["workspace"]["owner"]["user_id"] == 1, "made in the owner's name"
    assert created.receivers == cast.everybody
    for words, event_type in (
        (("move", str(space), "--parent", str(cast.space)), "workspace.modified"),
        (("delete", str(space), "--yes"), "workspace.deleted"), (("restore", str(space)), "workspace.undeleted"),
    ):  # fmt: skip
        run("space", *words)
        assert log.alone(event_type, cast.everybody).author is None


def test_contents(run: Any, cast: Any, log: Any, tmp_path: Path) -> None:
    folder = tmp_path / "tree"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "a.txt").write_text("hello")
    run("content", "import", str(folder), "--space", "Alpha", "--as", "the-content-manager")
    told = log.news()
    assert [t.event_type for t in told] == [
        "content.created.folder", "content.created.file", "content.modified.file",
    ]  # fmt: skip
    assert {t.author for t in told} == {cast.ids["content-manager"]}
    assert {t.receivers for t in told} == {cast.members}
    note = cast.make()
    cast.ok("PUT", f"{cast.base}/html-documents/{note}", {"raw_content": "<p>x</p>"})
    last = cast.ok("GET", f"{cast.base}/html-documents/{note}")["current_revision_id"]
    log.news()
    run("content", "delete-revision", str(last))
    told = log.alone("content.modified.html-document", cast.members)
    assert told.author is None
    assert told.fields["content"]["version_number"] == 1


def test_a_job_acts_for_whoever_caused_it(kernel: Kernel, cast: Any, log: Any) -> None:
    from atrio.plugins.accounts.events import UserConfigModified

    def act(ctx: Any) -> None:
        ctx.emit(UserConfigModified(cast.ids["reader"], ("a",)))

    kernel.jobs.tasks["test.act"] = (None, Task("test.act", act, summary="Tell."))
    for actor, author in ((Actor(cast.ids["contributor"], "user"), cast.ids["contributor"]), (None, None)):
        options = {} if actor is None else {"actor": actor}
        kernel.run(lambda ctx: ctx.defer("test.act"), **options)
        told = log.alone("user_config.modified", {cast.ids["reader"]})
        assert told.author == author
