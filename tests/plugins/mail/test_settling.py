"""Programs save a file several times; whoever wants mail gets one."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from atrio.plugins.mail.delivery import deliver

pytest.importorskip("wsgidav")
pytestmark = pytest.mark.atrio_config(plugins__enabled=["mail", "webdav"])
S = "/webdav/Alpha.space"


@pytest.fixture
def bob(client, as_actor, make_space, wants, mailbox):
    """bob wants mail of the space Alpha at once."""
    made = as_actor("bob")
    made.space = make_space("Alpha", {made.user_id: "contributor"})
    wants(made, made.space)
    mailbox.news()
    return made


def due(kernel, mailbox):
    """Let the time of waiting mails come, send them, and return them."""
    early = text("UPDATE mail_outgoing SET available = available - 61000000 WHERE state = 'pending'")
    kernel.run(lambda ctx: ctx.execute(early))
    deliver(kernel)
    return mailbox.news()


def save(client, method, path, body=None, status=(201, 204), **headers):
    answer = client.request(method, f"{S}/{path}", body=body, headers=headers)
    assert answer.status in status, (method, path, answer.body)


def test_the_finders_two_uploads_are_one_mail(kernel, client, bob, mailbox):
    save(client, "PUT", "photo.jpg", b"")
    save(client, "PUT", "photo.jpg", b"JFIF")
    save(client, "PUT", "._photo.jpg", b"twin")
    assert mailbox.news() == [], "it waits"
    (mail,) = due(kernel, mailbox)
    assert "photo.jpg" in mail.get_body(("plain",)).get_content() or "photo" in mail["Subject"]
    assert due(kernel, mailbox) == []
    save(client, "PUT", "photo.jpg", b"later")
    assert len(due(kernel, mailbox)) == 1, "what comes later is told again"


@pytest.mark.parametrize("away", ["DELETE", "MOVE"])
def test_a_save_by_renaming_is_one_mail_at_most(kernel, client, bob, mailbox, away):
    save(client, "PUT", "plan.docx", b"one")
    due(kernel, mailbox)
    save(client, "PUT", "new-plan", b"two")
    if away == "MOVE":
        save(client, "MOVE", "plan.docx", destination=f"{S}/plan.bak")
    else:
        save(client, "DELETE", "plan.docx")
    save(client, "MOVE", "new-plan", destination=f"{S}/plan.docx")
    mails = due(kernel, mailbox)
    assert len(mails) == 1, [str(m["Subject"]) for m in mails]
    assert "plan" in mails[0]["Subject"]


def test_two_authors_are_two_mails_and_comments_do_not_wait(kernel, client, bob, as_actor, mailbox):
    carol = as_actor("carol")
    answer = client.post(f"/api/workspaces/{bob.space}/members", {"user_id": carol.user_id, "role": "contributor"})
    assert answer.status == 200, answer.body
    save(client, "PUT", "plan.txt", b"one")
    save(carol, "PUT", "plan.txt", b"two")
    save(carol, "PUT", "plan.txt", b"three")
    to_bob = [m for m in due(kernel, mailbox) if "bob" in str(m["To"])]
    assert len(to_bob) == 2
    found = kernel.run(
        lambda ctx: ctx.execute(text("SELECT content_id FROM core_content_content WHERE label = 'plan'")).scalar()
    )
    path = f"/api/workspaces/{bob.space}/contents/{found}/comments"
    assert client.post(path, {"raw_content": "<p>hi</p>"}).status == 200
    assert len(mailbox.to("bob")) == 1, "at once"


@pytest.mark.atrio_config(plugins__enabled=["mail", "webdav"], mail__settle_seconds=0)
def test_without_waiting(kernel, client, bob, mailbox):
    save(client, "PUT", "photo.jpg", b"one")
    save(client, "PUT", "photo.jpg", b"two")
    assert len(mailbox.news()) == 2
