"""`atrio mail` as people type it, and what the config import and clients see of mail."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from atrio.kernel.cli import cli
from atrio.kernel.config import StorageConfig
from atrio.kernel.errors import KernelError
from atrio.plugins.mail.config import MailConfig

from .conftest import parts
from .servers import smtp_server
from .test_delivery import queue_for, use


@pytest.fixture
def run(kernel):
    """Run a command on the instance's data directory; jobs of the test's own process are its business."""
    folder = str(kernel.config[StorageConfig].data_dir)
    url = kernel.db.writer.url.render_as_string(hide_password=False)

    def call(*words, **settings):
        env = {"ATRIO_DATABASE_URL": url, **{f"ATRIO_MAIL__{k.upper()}": str(v) for k, v in settings.items()}}
        result = CliRunner().invoke(cli, ["--data-dir", folder, *words], env=env)
        if isinstance(result.exception, KernelError):  # `main` turns it into one line and exit 1
            return 1, result.exception.in_words()
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout if result.exit_code == 0 else result.output

    return call


def test_the_queue_by_hand(kernel, client, as_actor, make_space, run):
    make_space("Alpha")
    ann, ben = as_actor("ann"), as_actor("ben")
    with smtp_server() as sink:
        use(kernel, sink)
        sink.plan = {"ann@example.org": ["550 no"]}
        queue_for(kernel, ann, ben)
        reach = {"transport": "smtp", "smtp_host": "127.0.0.1", "smtp_port": sink.port, "smtp_security": "none"}
        assert run("mail", "queue", "send", **reach) == (0, "1 dead, 1 sent\n")
        code, listed = run("mail", "queue", "list", "--json")
        (row,) = json.loads(listed)
        assert (code, row["state"], row["to"]) == (0, "dead", ann.user_id)
        assert "550 no" in row["error"]
        assert "dead" in run("mail", "queue", "list")[1]
        assert run("mail", "queue", "retry")[0] == 2
        assert run("mail", "queue", "retry", "999")[0] == 1
        assert run("mail", "queue", "retry", "--all") == (0, "1 mail(s) will be tried\n")
        assert run("mail", "queue", "send", **reach) == (0, "1 sent\n")
        assert run("mail", "queue", "drop", str(row["id"])) == (0, "1 mail(s) dropped\n")
        assert run("mail", "queue", "drop", str(row["id"]))[0] == 1
    assert run("mail", "queue", "send", **reach) == (0, "nothing is due\n")


def test_a_server_that_is_away_is_a_failure_of_the_command(kernel, as_actor, make_space, run):
    make_space("Alpha")
    with smtp_server() as sink:
        use(kernel, sink)
    queue_for(kernel, as_actor("ann"))
    reach = {"transport": "smtp", "smtp_host": "127.0.0.1", "smtp_port": sink.port, "smtp_security": "none"}
    code, said = run("mail", "queue", "send", **reach)
    assert code == 1
    assert "1 away" in said
    code, said = run("mail", "test", "a@example.org", **reach)
    assert code == 1
    assert "nothing listens" in said


def test_spaces_are_opened_for_threads(client, as_actor, make_space, run):
    bob = as_actor("bob")
    space = str(make_space("Alpha", {bob.user_id: "contributor"}))
    assert "no threads" in run("mail", "space", space)[1]
    assert "takes threads" in run("mail", "space", space, "--open")[1]
    said = run("mail", "space", space, "--for", str(bob.user_id), space_address="new+{tag}@atrio.example")[1]
    assert re.fullmatch(rf"new\+{space}-{bob.user_id}-[a-z2-7]{{16}}@atrio\.example\n", said)
    assert "no threads" in run("mail", "space", space, "--closed")[1]
    assert run("mail", "space", "999", "--open")[0] == 1


def test_fetching_by_hand_says_what_is_wrong(run, tmp_path):
    code, said = run("mail", "fetch")
    assert code == 1
    assert "replies are off" in said
    assert run("mail", "fetch", incoming="maildir", maildir=tmp_path / "box") == (0, "nothing there\n")
    code, said = run("mail", "fetch", incoming="imap", imap_host="127.0.0.1", imap_port=1, imap_security="none")
    assert code == 1
    assert "cannot be read" in said


def test_settings_of_tracim_are_taken_over(tmp_path):
    ini = tmp_path / "development.ini"
    ini.write_text(
        "[DEFAULT]\nemail.notification.activated = True\nemail.notification.smtp.server = mx.example.org\n"
        "email.notification.smtp.port = 465\nemail.notification.smtp.encryption = smtps\n"
        "email.notification.from.email = notify+{user_id}@example.org\n"
        "email.notification.reply_to.email = reply+{content_id}@example.org\nemail.reply.activated = True\n"
        "email.reply.imap.server = imap.example.org\nemail.reply.imap.use_ssl = True\n", "utf-8",
    )  # fmt: skip
    out = tmp_path / "atrio.toml"
    result = CliRunner().invoke(cli, ["config", "import", str(ini), "--output", str(out)])
    assert result.exit_code == 0, result.output
    import tomllib

    mail = tomllib.loads(out.read_text("utf-8"))["mail"]
    assert mail == {
        "transport": "smtp", "smtp_host": "mx.example.org", "smtp_port": 465, "smtp_security": "tls",
        "from_address": "notify+{user_id}@example.org", "reply_address": "reply+{tag}@example.org",
        "incoming": "imap", "imap_host": "imap.example.org", "imap_security": "tls",
    }  # fmt: skip


def test_clients_are_told_whether_mail_leaves(client):
    assert client.get("/api/system/config").json["email_notification_activated"] is True


@pytest.mark.atrio_config(mail__transport="off")
def test_off_means_off(kernel, client, as_actor, make_space, make_content, wants, mailbox):
    assert client.get("/api/system/config").json["email_notification_activated"] is False
    bob = as_actor("bob")
    space = make_space("Alpha", {bob.user_id: "reader"})
    wants(bob, space)
    make_content(space, "Note")
    assert mailbox.news() == []
    with kernel.unit(writes=False) as ctx:
        from sqlalchemy import text

        assert ctx.execute(text("SELECT count(*) FROM kernel_outbox WHERE job LIKE 'mail.%'")).scalar() == 0


def test_an_invited_address_gets_a_link(client, make_space, mailbox):
    space = make_space("Alpha")
    answer = client.post(f"/api/workspaces/{space}/members", {"user_email": "new@example.org", "role": "reader"})
    assert answer.status == 200, answer.body
    (mail,) = mailbox.news()
    assert "reset-password?token=" in parts(mail)[0]


def test_the_fetcher_runs_under_the_lease(kernel, tmp_path):
    """As `serve` and `worker` start it: it empties a Maildir and ends within seconds."""
    import mailbox as stdlib_mailbox
    import time

    from atrio.kernel.runner import ServiceRunner

    box = stdlib_mailbox.Maildir(tmp_path / "box")
    box.add(b"From: x@y.example\n\nnothing")
    kernel.config.replace(MailConfig, incoming="maildir", maildir=str(tmp_path / "box"), poll_seconds=0.1)
    record, service = next((r, s) for r, s in kernel.background if s.name == "mail.fetcher")
    runner = ServiceRunner(kernel, record, service)
    runner.begin()
    end = time.monotonic() + 10
    while len(box) and time.monotonic() < end:
        time.sleep(0.05)
    began = time.monotonic()
    runner.end()
    assert time.monotonic() - began < 5
    assert len(box.get_folder("Atrio-Refused")) == 1
