"""What is forgotten: of contents, spaces and users that are gone, and what is old and read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from atrio.kernel.config import DatabaseConfig
from atrio.kernel.host import Kernel
from atrio.kernel.jobs import SECOND

from .inboxes import Inbox, put

DAY = 86_400 * SECOND


def told_of(kernel: Kernel, column: str, value: int) -> tuple[int, int]:
    """Return the number of events about something, and of the messages of them."""
    with kernel.unit(writes=False) as ctx:
        events = ctx.execute(text(f"SELECT count(*) FROM live_event WHERE {column} = :v"), {"v": value}).scalar()
        messages = ctx.execute(
            text(
                "SELECT count(*) FROM live_message m JOIN live_event e ON e.event_id = m.event_id"
                f" WHERE e.{column} = :v"
            ),
            {"v": value},
        ).scalar()
    return int(events or 0), int(messages or 0)


def test_a_purged_content_is_forgotten_with_all_below_it(cast: Any, kernel: Kernel, log: Any) -> None:
    folder = cast.make("folder", "Folder")
    inner = cast.make("folder", "Inner", parent_id=folder)
    note = cast.make(label="Deep", parent_id=inner)
    comment, stays, moved = (
        cast.comment(note),
        cast.make(label="Stays"),
        cast.make(label="Moved", parent_id=folder),
    )
    cast.ok("POST", f"{cast.base}/contents/{note}/reactions", {"value": "x"})
    cast.ok("PUT", f"{cast.base}/contents/{moved}/move", {"new_parent_id": None, "new_workspace_id": cast.space})
    assert all(told_of(kernel, "content_id", c) > (0, 0) for c in (folder, inner, note, comment, stays, moved))
    answer = cast.root.delete(f"{cast.base}/contents/{folder}/permanently")
    assert answer.status == 204
    for gone in (folder, inner, note, comment):
        assert told_of(kernel, "content_id", gone) == (0, 0), gone
    assert told_of(kernel, "content_id", stays)[0] == 1
    assert told_of(kernel, "content_id", moved)[0] == 2, "it lay there once, and is elsewhere now"


def test_ids_are_not_given_again(cast: Any, kernel: Kernel, log: Any) -> None:
    note = cast.make()
    last = log.last + len(log.news())
    assert cast.root.delete(f"{cast.base}/contents/{note}/permanently").status == 204
    assert told_of(kernel, "content_id", note) == (0, 0)
    log.last = last
    cast.make(label="next")
    assert log.one().event_id == last + 1


@pytest.fixture
def run(kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run `atrio …` on the instance of the test, then the jobs that it queued."""
    from atrio.kernel.cli import cli

    monkeypatch.setenv("ATRIO_STORAGE__DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATRIO_DATABASE__URL", kernel.config[DatabaseConfig].url or "")

    def call(*words: str, answer: str = "") -> str:
        result = CliRunner().invoke(cli, list(words), input=answer)
        assert result.exit_code == 0, (words, result.output, result.exception)
        kernel.jobs.sweep()
        return result.output

    return call


def test_a_purged_space_is_forgotten(run: Any, cast: Any, kernel: Kernel) -> None:
    for n in range(3):
        cast.make(label=f"n{n}")
    other = cast.other_space("open")
    put(kernel, 1, [("content.modified.html-document", 1, cast.space, 1, None)] * 450)
    assert told_of(kernel, "space_id", cast.space)[0] > 450
    run("space", "delete", str(cast.space), "--purge", "--yes")
    assert told_of(kernel, "space_id", cast.space) == (0, 0)
    assert told_of(kernel, "space_id", other)[0] == 2


def test_a_purged_user_has_no_inbox(cast: Any, kernel: Kernel) -> None:
    from atrio.plugins.accounts.services import purge_user

    outsider = cast.ids["outsider"]
    put(kernel, outsider, [("mention.created", 1, 1, 1, None)] * 3)
    kernel.run(lambda ctx: purge_user(ctx, outsider))
    with kernel.unit(writes=False) as ctx:
        left = ctx.execute(text("SELECT count(*) FROM live_message WHERE user_id = :u"), {"u": outsider}).scalar()
    assert left == 0


def test_what_is_old_and_read_is_forgotten(cast: Any, kernel: Kernel, clock: Any) -> None:
    """Unread stays, however old; an event that nobody has any more goes; without the option nothing does."""
    from atrio.plugins.live import services
    from atrio.plugins.live.config import LiveConfig

    reader, other = cast.ids["reader"], cast.ids["contributor"]
    inbox = Inbox(cast.people["reader"], reader)
    with kernel.unit() as ctx:
        ctx.execute(text("DELETE FROM live_message"))
        ctx.execute(text("DELETE FROM live_event"))
    row = ("content.modified.html-document", 1, cast.space, 1, None)
    old, new = clock.now() - 40 * DAY, clock.now() - 10 * DAY
    read = put(kernel, reader, [row] * 450, created=old, read_at=old)
    unread = put(kernel, reader, [row] * 3, created=old)
    shared = put(kernel, reader, [row], created=old, read_at=old)
    with kernel.unit() as ctx:
        ctx.execute(
            text(
                "INSERT INTO live_message SELECT :u, event_id, kind, space_id, 1, NULL FROM live_event WHERE event_id = :e"
            ),
            {"u": other, "e": shared[0]},
        )
    recent = put(kernel, reader, [row] * 2, created=new, read_at=new)
    kernel.run(services.forget_old)
    assert len(inbox.ids()) == 456, "kept for ever"
    kernel.config.replace(LiveConfig, keep_days=30)
    kernel.run(services.forget_old)
    assert set(inbox.ids()) == {*unread, *recent}
    with kernel.unit(writes=False) as ctx:
        events = set(ctx.execute(text("SELECT event_id FROM live_event")).scalars())
    assert events == {*unread, *shared, *recent}, "somebody else has the shared one"
    assert not events & set(read)
