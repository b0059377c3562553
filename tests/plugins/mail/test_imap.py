"""The fetcher against a real dovecot: IDLE, moved mails, reconnects, TLS; and against a Maildir."""

from __future__ import annotations

import contextlib
import getpass
import grp
import mailbox as stdlib_mailbox
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import imapclient
import pytest

from atrio.plugins.mail.config import MailConfig
from atrio.plugins.mail.incoming import fetcher, handle
from atrio.plugins.mail.incoming.fetcher import Fetcher, empty, open_inbox

from .test_delivery import certificate  # noqa: F401
from .test_replies import reply, talk  # noqa: F401

CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = {ssl}
{tls}
disable_plaintext_auth = no
auth_mechanisms = plain
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
first_valid_gid = 1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
passdb {{
  driver = static
  args = password=right
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home/%u
}}
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Dovecot:
    """One server in a folder of its own."""

    def __init__(self, folder: Path, certificate: Path) -> None:  # noqa: F811
        program = shutil.which("dovecot") or "/usr/sbin/dovecot"
        self.program, self.folder = program, folder
        self.port, self.tls_port = free_port(), free_port()
        root = os.getuid() == 0
        user = "dovecot" if root else getpass.getuser()
        uid, gid = (65534, 65534) if root else (os.getuid(), os.getgid())  # dovecot lets root own no mail
        if root:
            for part in ("mail", "home"):
                os.chown(folder / part, uid, gid)
        tls = f"ssl_cert = <{certificate}/cert.pem\nssl_key = <{certificate}/key.pem"
        folder.joinpath("dovecot.conf").write_text(CONFIG.format(
            folder=folder, ssl="yes", tls=tls, user=user, group="dovecot" if root else grp.getgrgid(gid).gr_name,
            port=self.port, tls_port=self.tls_port, uid=uid, gid=gid,
        ))  # fmt: skip
        self.process = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [self.program, "-F", "-c", str(self.folder / "dovecot.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 15
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.1)
        raise AssertionError((self.folder / "log").read_text() if (self.folder / "log").exists() else "no log")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(15)
            self.process = None

    @contextlib.contextmanager
    def client(self):
        made = imapclient.IMAPClient("127.0.0.1", self.port, ssl=False, timeout=10)
        made.login("atrio", "right")
        try:
            yield made
        finally:
            made.logout()

    def deliver(self, raw: bytes) -> None:
        with self.client() as client:
            client.append("INBOX", raw)

    def count(self, folder: str) -> int:
        with self.client() as client:
            if not client.folder_exists(folder):
                return 0
            return int(client.folder_status(folder, ["MESSAGES"])[b"MESSAGES"])


@pytest.fixture
def dovecot(tmp_path_factory, certificate):  # noqa: F811
    if shutil.which("dovecot") is None and not Path("/usr/sbin/dovecot").exists():
        if os.environ.get("CI"):
            pytest.fail("dovecot is not installed, and CI asks for every service")
        pytest.skip("dovecot is not installed")
    folder = Path(tmp_path_factory.mktemp("d", numbered=True))
    for part in ("run", "state", "mail", "home"):
        (folder / part).mkdir()
    for parent in (folder, *folder.parents):
        if str(parent).startswith("/tmp/"):
            parent.chmod(0o755)
    server = Dovecot(folder, certificate)
    server.start()
    yield server
    server.stop()


def use(kernel, server, **more):
    chosen = {"imap_security": "none", "imap_host": "127.0.0.1", "imap_port": server.port, **more}
    kernel.config.replace(MailConfig, incoming="imap", imap_user="atrio", imap_password="right", **chosen)


@contextlib.contextmanager
def running(kernel):
    made = Fetcher(kernel)
    made.start()
    try:
        yield made
    finally:
        made.end()
        assert not made.is_alive()


def until(check, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.services
def test_a_reply_is_taken_by_idle_and_moved(kernel, talk, dovecot):  # noqa: F811
    use(kernel, dovecot, poll_seconds=3600)
    with running(kernel):
        assert until(
            lambda: dovecot.count("Atrio-Done") == 0 and (dovecot.folder / "mail/atrio/.Atrio-Refused").exists()
        )
        dovecot.deliver(reply(talk, "By IDLE").as_bytes())
        assert until(lambda: talk.comments() == ["<p>By IDLE</p>"])
        assert until(lambda: dovecot.count("Atrio-Done") == 1)
        dovecot.deliver(
            reply(talk, "Stranger", From="x@evil.example", To="nobody@x.example", In_Reply_To=None).as_bytes()
        )
        assert until(lambda: dovecot.count("Atrio-Refused") == 1)
        assert dovecot.count("INBOX") == 0
    assert len(talk.comments()) == 1


@pytest.mark.services
def test_it_connects_again_after_the_server_was_away(kernel, talk, dovecot, monkeypatch):  # noqa: F811
    monkeypatch.setattr(fetcher, "PAUSES", (0.2,))
    use(kernel, dovecot, poll_seconds=0.2)
    with running(kernel):
        dovecot.deliver(reply(talk, "Before").as_bytes())
        assert until(lambda: len(talk.comments()) == 1)
        dovecot.stop()
        time.sleep(1)
        dovecot.start()
        dovecot.deliver(reply(talk, "After").as_bytes())
        assert until(lambda: len(talk.comments()) == 2, 20)


@pytest.mark.services
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_tls(kernel, talk, dovecot, certificate, security):  # noqa: F811
    port = dovecot.tls_port if security == "tls" else dovecot.port
    trusted = {"imap_security": security, "imap_port": port, "imap_host": "localhost"}
    use(kernel, dovecot, **trusted)
    dovecot.deliver(reply(talk, "Secret").as_bytes())
    inbox = open_inbox(kernel.config[MailConfig])
    with pytest.raises(Exception, match="certificate"):
        inbox.open()
    inbox.close()
    use(kernel, dovecot, ca_file=str(certificate / "cert.pem"), **trusted)
    inbox = open_inbox(kernel.config[MailConfig])
    inbox.open()
    assert empty(kernel, inbox) == {"taken": 1}
    inbox.close()


@pytest.mark.services
def test_poison_and_giants_leave_the_inbox(kernel, talk, dovecot, monkeypatch):  # noqa: F811
    def boom(*args, **kwargs):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(handle, "add_comment", boom)
    use(kernel, dovecot, max_bytes=20_000)
    dovecot.deliver(reply(talk, "Poison").as_bytes())
    giant = reply(talk, "x" * 90 + "\n")
    giant.add_attachment(b"y" * 60_000, maintype="application", subtype="octet-stream", filename="big.bin")
    dovecot.deliver(giant.as_bytes())
    inbox = open_inbox(kernel.config[MailConfig])
    inbox.open()
    seen = [empty(kernel, inbox) for _ in range(5)]
    inbox.close()
    assert seen == [{"trying": 1, "refused": 1}, {"trying": 1}, {"trying": 1}, {"failed": 1}, {}]
    assert (dovecot.count("INBOX"), dovecot.count("Atrio-Refused")) == (0, 2)


@pytest.mark.services
def test_two_workers_and_one_inbox_take_a_mail_once(kernel, talk, dovecot):  # noqa: F811
    """Should two fetch at once (a lease that ran out): one comment, one copy in the end."""
    use(kernel, dovecot)
    dovecot.deliver(reply(talk, "Once").as_bytes())
    first, second = open_inbox(kernel.config[MailConfig]), open_inbox(kernel.config[MailConfig])
    first.open()
    second.open()
    (mail,) = list(first.arrived())
    (same,) = list(second.arrived())
    assert handle.take(kernel, first.read(mail)).state == handle.take(kernel, second.read(same)).state == "taken"
    first.put_away(mail, taken=True)
    second.put_away(same, taken=True)
    first.close()
    second.close()
    assert talk.comments() == ["<p>Once</p>"]
    assert dovecot.count("INBOX") == 0


# -- Maildir -------------------------------------------------------------------------------------------------


def test_a_maildir_is_emptied_and_sorted(kernel, talk, tmp_path):  # noqa: F811
    folder = tmp_path / "inbox"
    box = stdlib_mailbox.Maildir(folder)
    box.add(reply(talk, "From a Maildir").as_bytes())
    box.add(b"From: x@y.example\n\nnothing")
    kernel.config.replace(MailConfig, incoming="maildir", maildir=str(folder), poll_seconds=0.1)
    with running(kernel):
        assert until(lambda: talk.comments() == ["<p>From a Maildir</p>"])
        assert until(lambda: len(box.get_folder("Atrio-Done")) == 1 and len(box.get_folder("Atrio-Refused")) == 1)
        assert len(box) == 0
        box.add(reply(talk, "Another").as_bytes())
        assert until(lambda: len(talk.comments()) == 2)


def test_only_one_process_fetches(kernel):
    """The service runs under the kernel's lease, in one of all processes that share the database."""
    services = {service.name: service for _, service in kernel.background}
    assert services["mail.fetcher"].single
    assert not services["mail.fetcher"].wanted(kernel)  # off by default: no lease is taken
    kernel.config.replace(MailConfig, incoming="imap")
    assert services["mail.fetcher"].wanted(kernel)
