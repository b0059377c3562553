"""Delivery to real SMTP servers that refuse, greylist, stall and drop; nothing lost, nothing doubled."""

from __future__ import annotations

import ssl
import subprocess
import time

import pytest
from sqlalchemy import text

from atrio.plugins.mail import services
from atrio.plugins.mail.config import MailConfig
from atrio.plugins.mail.delivery import deliver

from .servers import smtp_server


def use(kernel, sink, **more):
    """Let the instance send to a server."""
    chosen = {"smtp_host": "127.0.0.1", "smtp_security": "none", "smtp_seconds": 1.0, "smtp_user": "", **more}
    kernel.config.replace(MailConfig, transport="smtp", smtp_port=sink.port, **chosen)


def queue_for(kernel, *people):
    """Queue one mail for each; they tell a decision that needs no content."""

    def fill(ctx):
        for person in people:
            notice = {
                "kind": "access_decision", "ref": f"{ctx.now}", "user_id": person.user_id,
                "details": {"user_id": person.user_id, "state": "rejected", "space_id": 1},
            }  # fmt: skip
            services.fan_out(ctx, [notice], None)

    kernel.run(fill)


def states(kernel):
    """Return the states of the mails that were queued here."""
    with kernel.unit(writes=False) as ctx:
        query = "SELECT state FROM mail_outgoing WHERE kind = 'access_decision' ORDER BY mail_id"
        return [row[0] for row in ctx.execute(text(query))]


@pytest.fixture
def people(as_actor, make_space, mailbox):
    """Three people, and a space to tell them of."""
    make_space("Alpha")
    made = [as_actor(name) for name in ("ann", "ben", "cleo")]
    mailbox.news()
    return made


def test_many_mails_leave_over_one_connection(kernel, people):
    with smtp_server() as sink:
        use(kernel, sink)
        queue_for(kernel, *people)
        assert deliver(kernel) == {"sent": 3}
        assert deliver(kernel) == {}
    assert [str(m["To"].addresses[0].username) for m in sink.mails] == ["ann", "ben", "cleo"]
    assert sink.connections == 1


def test_a_server_that_takes_few_mails_a_connection_gets_several(kernel, people):
    with smtp_server() as sink:
        use(kernel, sink)
        sink.per_connection = 2
        queue_for(kernel, *people)
        assert deliver(kernel) == {"sent": 3}
        assert sink.connections == 2


def test_one_refused_receiver_harms_no_other(kernel, people):
    with smtp_server() as sink:
        use(kernel, sink)
        sink.plan = {"ann@example.org": ["550 no such user"], "ben@example.org": ["452 mailbox full"]}
        queue_for(kernel, *people)
        assert deliver(kernel) == {"dead": 1, "later": 1, "sent": 1}
        assert states(kernel) == ["dead", "pending", "sent"]


def test_greylisting_is_waited_out(kernel, people, clock):
    with smtp_server() as sink:
        use(kernel, sink)
        sink.plan = {"ann@example.org": ["451 come back", "451 come back"]}
        queue_for(kernel, people[0])
        assert deliver(kernel) == {"later": 1}
        assert deliver(kernel) == {}  # not yet
        clock.move(61)
        assert deliver(kernel) == {"later": 1}
        clock.move(301)
        assert deliver(kernel) == {"sent": 1}
        assert len(sink.mails) == 1


def test_a_dropped_connection_is_tried_again_with_the_same_id(kernel, people, clock):
    """Whether the server took it cannot be known: the mail goes out again, and its id is the same."""
    with smtp_server() as sink:
        use(kernel, sink)
        sink.plan = {"ann@example.org": ["drop"], "ben@example.org": ["drop after"]}
        queue_for(kernel, *people)
        assert deliver(kernel) == {"later": 2, "sent": 1}
        clock.move(61)
        assert deliver(kernel) == {"sent": 2}
        ids = {}
        for mail in sink.mails:
            ids.setdefault(mail["To"].addresses[0].username, set()).add(mail["Message-ID"])
    assert {name: len(found) for name, found in ids.items()} == {"ann": 1, "ben": 1, "cleo": 1}
    assert len(sink.mails) == 4  # ben's twice: the window that stays


def test_a_server_that_stalls_holds_one_delivery_for_one_step(kernel, people):
    with smtp_server() as sink:
        use(kernel, sink)
        sink.plan = {"ann@example.org": ["stall"]}
        queue_for(kernel, *people)
        assert deliver(kernel) == {"later": 1, "sent": 2}


@pytest.mark.parametrize("reply", ["550 we do not like you", "530 authenticate first", "451 too fast"])
def test_a_server_that_refuses_us_kills_no_mail(kernel, people, reply):
    """A wrong sender or a missing login is for the administrator to mend: the mails wait."""
    with smtp_server() as sink:
        use(kernel, sink)
        sink.sender_reply = reply
        queue_for(kernel, *people)
        assert deliver(kernel) == {"away": 3}
        sink.sender_reply = ""
        kernel.parts["mail.gate"].away_until = 0
        assert kernel.run(lambda ctx: services.retry(ctx, (*range(1, 20),))) == 3
        assert deliver(kernel) == {"sent": 3}


def test_a_server_that_breaks_every_connection_is_left_alone(kernel, people, as_actor):
    people = [*people, as_actor("dan"), as_actor("eve")]
    with smtp_server() as sink:
        use(kernel, sink)
        sink.plan = {f"{name}@example.org": ["drop"] for name in ("ann", "ben", "cleo", "dan", "eve")}
        queue_for(kernel, *people)
        assert deliver(kernel) == {"later": 3, "away": 2}


def test_a_server_that_is_away_costs_no_attempt_and_is_left_alone(kernel, people, clock):
    with smtp_server() as sink:
        use(kernel, sink)
    queue_for(kernel, *people)
    assert deliver(kernel) == {"away": 3}
    with kernel.unit(writes=False) as ctx:
        rows = ctx.execute(text("SELECT attempt, error FROM mail_outgoing WHERE state = 'pending'")).all()
    assert [r[0] for r in rows] == [0, 0, 0]
    assert "nothing listens at 127.0.0.1" in rows[0][1]
    clock.move(3600)
    started = time.monotonic()
    assert deliver(kernel) == {}  # the gate is shut: nobody waits for a server that is known to be away
    assert time.monotonic() - started < 5
    kernel.parts["mail.gate"].away_until = 0
    clock.move(97 * 3600)
    assert deliver(kernel)["away"] == 3
    assert states(kernel) == ["dead"] * 3


def test_a_request_goes_on_while_the_server_stalls(kernel, client, people, make_content, monkeypatch):
    """The request leaves a job and nothing else; what the job meets is not its matter."""
    with smtp_server() as sink:
        use(kernel, sink)
        seen = []
        monkeypatch.setattr(kernel.jobs, "wake", lambda ids, delay_seconds=0: seen.extend(ids))
        make_content(1, "Note")
        assert len(seen) >= 1
        assert sink.connections == 0


def test_a_claim_whose_holder_died_comes_again_and_a_mark_comes_too_late(kernel, people, clock):
    queue_for(kernel, people[0])
    (first,) = kernel.run(lambda ctx: services.claim(ctx, 10, 900))
    assert kernel.run(lambda ctx: services.claim(ctx, 10, 900)) == []
    clock.move(901)
    (second,) = kernel.run(lambda ctx: services.claim(ctx, 10, 900))
    assert second.mail_id == first.mail_id
    assert not kernel.run(lambda ctx: services.mark_sent(ctx, first))
    assert kernel.run(lambda ctx: services.mark_sent(ctx, second))


def test_nobody_gets_two_mails_of_one_event(kernel, people):
    notice = {"kind": "access_decision", "ref": "x", "user_id": people[0].user_id, "details": {}}
    for _ in range(3):
        kernel.run(lambda ctx: services.fan_out(ctx, [notice], None))
    assert states(kernel) == ["pending"]


def test_given_up_mails_are_listed_and_tried_again(kernel, people):
    with smtp_server() as sink:
        use(kernel, sink)
        sink.plan = {"ann@example.org": ["550 no"]}
        queue_for(kernel, people[0])
        assert deliver(kernel) == {"dead": 1}
        assert kernel.run(lambda ctx: services.retry(ctx, ())) == 1
        assert deliver(kernel) == {"sent": 1}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost, its own authority."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    return folder


def server_context(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_starttls_and_login(kernel, people, certificate):
    with smtp_server(tls_context=server_context(certificate), require_starttls=True, login=True) as sink:
        use(
            kernel, sink, smtp_security="starttls", smtp_host="localhost", smtp_user="atrio",
            smtp_password="right", ca_file=str(certificate / "cert.pem"),
        )  # fmt: skip
        queue_for(kernel, people[0])
        assert deliver(kernel) == {"sent": 1}
    assert sink.logins == [("atrio", "right")]


def test_implicit_tls(kernel, people, certificate):
    with smtp_server(ssl_context=server_context(certificate)) as sink:
        use(kernel, sink, smtp_security="tls", smtp_host="localhost", ca_file=str(certificate / "cert.pem"))
        queue_for(kernel, people[0])
        assert deliver(kernel) == {"sent": 1}


def test_a_server_without_the_encryption_that_is_asked_for_gets_nothing(kernel, people, certificate):
    with smtp_server() as sink:
        use(kernel, sink, smtp_security="starttls", smtp_user="atrio", smtp_password="right")
        queue_for(kernel, people[0])
        assert deliver(kernel) == {"away": 1}
        assert sink.logins == []
        assert sink.mails == []
