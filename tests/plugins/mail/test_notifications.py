"""Who is told of what, and what the mails look like."""

from __future__ import annotations

import email.utils
import re

import pytest

from atrio.kernel.config import WebsiteConfig

from .conftest import parts


def comment(client, space, content_id, text="<p>Hello <b>you</b></p>"):
    answer = client.post(f"/api/workspaces/{space}/contents/{content_id}/comments", {"raw_content": text})
    assert answer.status == 200, answer.body
    return answer.json


@pytest.fixture
def alpha(client, as_actor, make_space, wants, mailbox):
    """A space with bob, who wants mail at once; the mails of its making are read."""
    bob = as_actor("bob")
    space = make_space("Alpha", {bob.user_id: "contributor"})
    wants(bob, space)
    mailbox.news()
    return space


def test_a_comment_is_told_at_once_and_threads_in_the_client(client, alpha, make_content, mailbox):
    thread = make_content(alpha, "Plan", "thread")
    comment(client, alpha, thread["content_id"])
    first, second = mailbox.news()
    assert str(first["To"]) == "bob <bob@example.org>"
    assert first["From"] == "Global manager via Atrio <atrio@localhost>"
    assert second["Subject"] == first["Subject"] == "[Atrio] [Alpha] Plan"
    assert second["References"] == first["References"] == second["In-Reply-To"]
    assert second["Message-ID"] != first["Message-ID"]
    assert second["List-Id"] == f"Alpha <space-{alpha}.localhost>"
    assert (second["Auto-Submitted"], second["Precedence"]) == ("auto-generated", "bulk")
    assert email.utils.parsedate_to_datetime(second["Date"])
    text, html = parts(second)
    assert "Hello you" in text
    assert "Global manager commented on “Plan”" in text
    assert "Hello <b>you</b>" in html
    assert "<style" not in html
    assert f"/ui/contents/{thread['content_id']}" in html


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("html-document", 1), ("thread", 1), ("folder", 0), ("kanban", 0), ("logbook", 0)],
)
def test_which_creations_are_told(alpha, make_content, mailbox, kind, expected):
    make_content(alpha, "Made", kind)
    assert len(mailbox.news()) == expected


def test_edits_and_status_are_told_and_trash_moves_and_own_acts_are_not(
    client, as_actor, alpha, make_content, mailbox
):
    bob = as_actor("bob")
    note = make_content(alpha, "Note")["content_id"]
    mailbox.news()
    path = f"/api/workspaces/{alpha}/html-documents/{note}"
    assert client.put(path, {"label": "Note", "raw_content": "<p>New text</p>"}).status == 200
    (edited,) = mailbox.news()
    assert "changed “Note”" in parts(edited)[0]
    assert "New text" in parts(edited)[0]
    assert client.put(f"{path}/status", {"status": "closed-validated"}).status == 204
    (closed,) = mailbox.news()
    assert closed["Subject"] == "[Atrio] [Alpha] Note (closed, done)"
    assert client.put(f"{path}/status", {"status": "open"}).status == 204
    mailbox.news()
    comment(bob, alpha, note)
    assert client.put(f"/api/workspaces/{alpha}/contents/{note}/trashed", {}).status == 204
    assert mailbox.news() == []


def test_nobody_else_is_told(client, as_actor, make_space, make_content, wants, mailbox):
    """Not who chose none or a digest, nor who never signed in, nor a disabled account, nor a stranger."""
    people = {name: as_actor(name) for name in ("none", "daily", "fresh", "gone", "stranger")}
    members = {p.user_id: "reader" for n, p in people.items() if n != "stranger"}
    space = make_space("Alpha", members)
    wants(people["none"], space, "none")
    wants(people["daily"], space, "daily")
    wants(people["gone"], space)
    path = f"/api/users/{people['gone'].user_id}/disabled"
    assert client.put(path, {}).status == 204
    mailbox.news()
    make_content(space, "Note")
    assert mailbox.news() == []


def test_names_and_labels_break_out_of_nothing(client, as_actor, alpha, mailbox, kernel):
    bob = as_actor("bob")
    kernel.config.replace(WebsiteConfig, title="A\r\nBcc: evil@example.org")
    answer = client.put(
        f"/api/users/{bob.user_id}", {"public_name": "Bob\r\nX-Evil: 1", "timezone": "", "lang": "en"}
    )
    assert answer.status == 200, answer.body
    label = "<script>x</script>\u2028\u202e & \"quoted\" 'é' <b>bold</b>"
    answer = client.post(
        f"/api/workspaces/{alpha}/contents", {"label": label, "content_type": "thread", "parent_id": None}
    )
    assert answer.status == 200, answer.body
    (mail,) = mailbox.news()
    assert mail["Bcc"] is None
    assert mail["X-Evil"] is None
    assert "\u202e" not in mail["Subject"]
    assert not [k for k, v in mail.items() if "\n" in str(v)]
    _, html = parts(mail)
    assert "<script" not in html
    assert "<b>bold" not in html
    assert "&lt;b&gt;bold" in html


def test_pictures_of_users_track_nobody(client, alpha, make_content, mailbox):
    note = make_content(alpha, "Note")["content_id"]
    mailbox.news()
    comment(
        client,
        alpha,
        note,
        "<p>Look<img src='https://spy.example/1.png'><a href='https://ok.example/'>here</a></p>",
    )
    text, html = parts(mailbox.news()[0])
    assert "spy.example" not in html + text
    assert 'href="https://ok.example/"' in html
    assert "here <https://ok.example/>" in text


def test_what_went_away_before_the_mail_is_not_told(
    client, alpha, kernel, make_content, as_actor, mailbox, monkeypatch
):
    """Jobs run late: deleted contents, and members who left, are looked at again when the mail is made."""
    from atrio.plugins.mail import tasks

    monkeypatch.setattr(tasks, "deliver", lambda kernel: {})
    first, second = make_content(alpha, "First")["content_id"], make_content(alpha, "Second")["content_id"]
    assert client.put(f"/api/workspaces/{alpha}/contents/{first}/trashed", {}).status == 204
    monkeypatch.undo()
    from atrio.plugins.mail.delivery import deliver

    assert deliver(kernel) == {"skipped": 1, "sent": 1}
    assert second
    assert [m["Subject"] for m in mailbox.news()] == ["[Atrio] [Alpha] Second"]
    monkeypatch.setattr(tasks, "deliver", lambda kernel: {})
    make_content(alpha, "Third")
    assert client.delete(f"/api/workspaces/{alpha}/members/{as_actor('bob').user_id}").status == 204
    monkeypatch.undo()
    assert deliver(kernel) == {"skipped": 1}


def test_the_owner_of_a_new_account_gets_a_link_that_sets_his_password_once(client, stranger, mailbox):
    body = {"email": "Zoé <zoe@example.org>", "profile": "users", "lang": "fr", "email_notification": True}
    assert client.post("/api/users", body).status == 200
    (mail,) = mailbox.news()
    assert mail["Subject"] == "[Atrio] Un compte a été créé pour vous"
    assert mail["Content-Language"] == "fr"
    text, html = parts(mail)
    link = re.search(r"http://\S+/ui/reset-password\?token=([\w-]+)&email=(\S+)", text)
    assert link is not None
    assert link[1] in html
    change = {
        "email": "zoe@example.org", "reset_password_token": link[1], "new_password": "a-new-password",
        "new_password2": "a-new-password",
    }  # fmt: skip
    assert stranger.post("/api/auth/password/reset/modify", change).status == 204
    assert stranger.post("/api/auth/password/reset/modify", change).status == 400
    login = {"email": "zoe@example.org", "password": "a-new-password"}
    assert stranger.post("/api/auth/login", login).status == 200


def test_an_account_with_a_password_is_told_where_to_sign_in(client, mailbox):
    body = {"email": "a@example.org", "password": "some-password", "email_notification": True}
    assert client.post("/api/users", body).status == 200
    text, _ = parts(mailbox.news()[0])
    assert "/ui/login" in text
    assert "some-password" not in text
    quiet = {"email": "b@example.org", "password": "some-password", "email_notification": False}
    assert client.post("/api/users", quiet).status == 200
    assert mailbox.news() == []


def test_a_new_password_is_asked_for_once_a_minute(kernel, client, stranger, as_actor, mailbox, clock):
    as_actor("bob")
    mailbox.news()
    for _ in range(3):
        assert stranger.post("/api/auth/password/reset/request", {"username": "bob"}).status == 204
    (mail,) = mailbox.news()
    assert "reset-password?token=" in parts(mail)[0]
    clock.move(61)
    assert stranger.post("/api/auth/password/reset/request", {"email": "bob@example.org"}).status == 204
    assert stranger.post("/api/auth/password/reset/request", {"email": "nobody@example.org"}).status == 204
    assert len(mailbox.news()) == 1
    with kernel.unit(writes=False) as ctx:
        from sqlalchemy import text

        told = [
            str(r) for t in ("mail_outgoing", "kernel_outbox") for r in ctx.execute(text(f"SELECT * FROM {t}"))
        ]
    token = re.search(r"token=([\w-]+)", parts(mail)[0])[1]
    assert not [line for line in told if token in line]


def test_requests_for_access_are_told_to_managers_and_answers_to_who_asked(
    client, as_actor, make_space, wants, mailbox, stranger
):
    boss, bob = as_actor("boss"), as_actor("bob")
    space = make_space("Club", {boss.user_id: "workspace-manager"}, access_type="on_request")
    wants(boss, space, "weekly")
    mailbox.news()
    ask = f"/api/users/{bob.user_id}/workspace_subscriptions"
    assert bob.put(ask, {"workspace_id": space}).status == 200
    (asked,) = mailbox.news()
    assert "boss" in str(asked["To"])
    assert asked["Subject"] == "[Atrio] [Club] bob wants to become a member"
    path = f"/api/workspaces/{space}/subscriptions/{bob.user_id}"
    assert client.put(f"{path}/reject", {}).status == 204
    (refused,) = mailbox.news()
    assert "bob" in str(refused["To"])
    assert "refused" in refused["Subject"]
    assert bob.put(ask, {"workspace_id": space}).status == 200
    assert len(mailbox.news()) == 1
    assert client.put(f"{path}/accept", {"role": "reader"}).status == 204
    assert "member now" in mailbox.news()[0]["Subject"]


def test_the_language_is_the_receivers(client, as_actor, alpha, make_content, mailbox):
    bob = as_actor("bob")
    body = {"public_name": "Bob", "timezone": "", "lang": "fr"}
    assert client.put(f"/api/users/{bob.user_id}", body).status == 200
    thread = make_content(alpha, "Plan", "thread")["content_id"]
    text, html = parts(mailbox.news()[0])
    assert "a ouvert la discussion « Plan »" in text
    assert "Ouvrir</a>" in html
    assert thread


def test_a_long_text_is_shortened_and_one_that_is_too_deep_loses_no_mail(client, alpha, make_content, mailbox):
    note = make_content(alpha, "Long")["content_id"]
    mailbox.news()
    path = f"/api/workspaces/{alpha}/html-documents/{note}"
    words = '<p>Hi <html-mention userid="1"></html-mention></p>' + "<p>many words</p>" * 5000
    assert client.put(path, {"label": "Long", "raw_content": words}).status == 200
    text, html = parts(mailbox.news()[0])
    assert "Hi @Global manager" in text
    assert len(html) < 60_000
    assert text.count("many words") > 100
