"""`atrio mail test` says in plain words what is wrong."""

from __future__ import annotations

import pytest

from atrio.plugins.mail.config import MailConfig
from atrio.plugins.mail.trial import try_out

from .servers import smtp_server
from .test_delivery import certificate, server_context, use  # noqa: F401

pytestmark = pytest.mark.any_engine


def trial(kernel, address="you@example.org"):
    lines, fine = try_out(kernel, address, "fr")
    return "\n".join(lines), fine


def test_files_are_the_default_and_say_where(kernel, mailbox):
    said, fine = trial(kernel)
    assert fine
    assert str(mailbox.folder) in said
    assert mailbox.news()[0]["Subject"] == "[Atrio] Le courrier fonctionne"


def test_it_works(kernel):
    with smtp_server(login=True) as sink:
        use(kernel, sink, smtp_user="atrio", smtp_password="right")
        said, fine = trial(kernel)
        assert fine, said
        assert "signed in as atrio" in said
        assert len(sink.mails) == 1


def test_a_wrong_password_is_named_and_not_shown(kernel):
    with smtp_server(login=True) as sink:
        use(kernel, sink, smtp_user="atrio", smtp_password="wrong-password")
        said, fine = trial(kernel)
        assert not fine
        assert "refuses the login 'atrio'" in said
        assert "wrong-password" not in said


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ("554 relay access denied", "wants a login"),
        ("451 later", "later"),
        ("550 no such user", "550 no such user"),
    ],
)
def test_what_the_server_says_is_told(kernel, plan, words):
    with smtp_server() as sink:
        use(kernel, sink)
        sink.plan = {"you@example.org": [plan]}
        said, fine = trial(kernel)
        assert not fine
        assert words in said


def test_connections_that_fail_are_told_apart(kernel, certificate):  # noqa: F811
    with smtp_server() as sink:
        use(kernel, sink, smtp_security="tls")
        assert "does not speak TLS" in trial(kernel)[0]
        use(kernel, sink, smtp_security="starttls")
        assert "STARTTLS" in trial(kernel)[0]
    assert "nothing listens" in trial(kernel)[0]
    with smtp_server(ssl_context=server_context(certificate)) as sink:
        use(kernel, sink, smtp_security="tls", smtp_host="localhost")
        assert "certificate" in trial(kernel)[0]
        use(kernel, sink, smtp_security="none")
        assert "does not answer" in trial(kernel)[0]
    kernel.config.replace(MailConfig, smtp_host="no-such-host.invalid")
    assert "unknown" in trial(kernel)[0]


@pytest.mark.parametrize("address", ["nobody", "a@", "@b", "a b@c.org", "a@b\r\nBcc: c@d.org", ""])
def test_addresses_that_are_none(kernel, address, mailbox):
    said, fine = trial(kernel, address)
    assert not fine, said
    assert mailbox.news() == []
