"""Digests: hourly, daily, weekly; once, of what is unread, mentions first."""

from __future__ import annotations

import datetime

import pytest
from sqlalchemy import text

from atrio.plugins.mail import services
from atrio.plugins.mail.delivery import deliver
from atrio.plugins.mail.services.digests import border_of

from .conftest import parts
from .test_notifications import comment

MONDAY = int(datetime.datetime(2026, 11, 23, 6, 0, tzinfo=datetime.UTC).timestamp()) * 1_000_000


def run_digests(kernel):
    """Make the digests that are due and send them."""
    made = kernel.run(services.make_digests)
    deliver(kernel)
    return made


@pytest.mark.parametrize(
    ("mode", "now", "hours_back"),
    [("hourly", MONDAY + 59 * 60_000_000, 0), ("daily", MONDAY, 0), ("daily", MONDAY - 1_000_000, 24), ("weekly", MONDAY, 0),
     ("weekly", MONDAY - 1_000_000, 168), ("weekly", MONDAY + 6 * 24 * 3600 * 1_000_000, 0)],
)  # fmt: skip
def test_when_digests_are_due(mode, now, hours_back):
    assert border_of(mode, now, 6, 0) == MONDAY - hours_back * 3600 * 1_000_000


@pytest.mark.parametrize(("mode", "hours"), [("hourly", 1), ("daily", 24), ("weekly", 168)])
def test_a_digest_tells_what_is_unread_once(
    kernel, client, as_actor, make_space, make_content, wants, mailbox, clock, mode, hours
):
    bob = as_actor("bob")
    space = make_space("Alpha", {bob.user_id: "contributor"})
    wants(bob, space, mode)
    mailbox.news()
    thread = make_content(space, "Plan <x>", "thread")["content_id"]
    comment(client, space, thread)
    comment(client, space, thread)
    read = make_content(space, "Seen")["content_id"]
    assert bob.get(f"/api/workspaces/{space}/html-documents/{read}").status == 200
    path = f"/api/users/{bob.user_id}/workspaces/{space}/contents/{read}/read"
    assert bob.put(path, {}).status == 204
    gone = make_content(space, "Gone")["content_id"]
    assert client.put(f"/api/workspaces/{space}/contents/{gone}/trashed", {}).status == 204
    assert run_digests(kernel) == 0
    assert mailbox.news() == []
    clock.move(hours * 3600)
    assert run_digests(kernel) == 1
    (mail,) = mailbox.news()
    body, html = parts(mail)
    assert "There are 3 changes that you have not read." in body
    assert "- Plan <x>: 3 changes, Global manager" in body
    assert "Plan &lt;x&gt;" in html
    assert "Seen" not in body
    assert "Gone" not in body
    assert "Reply-To" not in mail
    clock.move(hours * 3600)
    assert run_digests(kernel) == 0
    assert mailbox.news() == []


def test_nothing_unread_is_no_mail(kernel, as_actor, make_space, make_content, wants, mailbox, clock):
    bob = as_actor("bob")
    space = make_space("Alpha", {bob.user_id: "contributor"})
    wants(bob, space, "hourly")
    mailbox.news()
    note = make_content(space, "Note")["content_id"]
    assert bob.put(f"/api/users/{bob.user_id}/workspaces/{space}/contents/{note}/read", {}).status == 204
    clock.move(3600)
    assert run_digests(kernel) == 1
    assert mailbox.news() == []
    with kernel.unit(writes=False) as ctx:
        assert ctx.execute(text("SELECT state FROM mail_outgoing WHERE kind = 'digest'")).scalar() == "skipped"


def test_who_left_or_wants_none_any_more_gets_no_digest(
    kernel, client, as_actor, make_space, make_content, wants, mailbox, clock
):
    bob, ann = as_actor("bob"), as_actor("ann")
    space = make_space("Alpha", {bob.user_id: "contributor", ann.user_id: "reader"})
    wants(bob, space, "hourly")
    wants(ann, space, "hourly")
    mailbox.news()
    make_content(space, "Note")
    wants(bob, space, "none")
    assert client.delete(f"/api/workspaces/{space}/members/{ann.user_id}").status == 204
    clock.move(3600)
    run_digests(kernel)
    assert mailbox.news() == []


def test_a_mention_stands_first_in_a_digest_and_in_the_words_of_a_mail_at_once(
    kernel, client, as_actor, make_space, make_content, wants, mailbox, clock
):
    bob, ann = as_actor("bob"), as_actor("ann")
    space = make_space("Alpha", {bob.user_id: "contributor", ann.user_id: "reader"})
    wants(bob, space, "hourly")
    wants(ann, space, "individual")
    thread = make_content(space, "First", "thread")["content_id"]
    make_content(space, "Second", "thread")
    mailbox.news()
    words = f'<p>Hi <html-mention userid="{bob.user_id}"></html-mention> and <html-mention userid="{ann.user_id}"></html-mention></p>'
    comment(client, space, thread, words)
    (at_once,) = mailbox.news()
    assert "Global manager mentioned you in “First”" in parts(at_once)[0]
    assert "Hi @bob and @ann" in parts(at_once)[0]
    clock.move(3600)
    assert run_digests(kernel) == 1
    body = parts(mailbox.news()[0])[0]
    assert "You were mentioned once." in body
    assert body.index("First (you were mentioned)") < body.index("Second")


def test_the_number_of_statements_is_the_same_for_ten_and_a_thousand_readers(
    kernel, as_actor, make_space, clock, statements
):
    """Making digests: rows in, rows out, whatever the number of users."""
    make_space("Alpha")
    counts = []
    for number in (10, 1000):

        def fill(ctx, number=number):
            for n in range(number):
                ctx.execute(
                    text(
                        "INSERT INTO accounts_user (email, public_name, profile, auth_type, timezone, allowed_space,"
                        " is_active, is_deleted, has_cover, created, creation_type, version)"
                        " VALUES (:e, 'x', 1, 'internal', '', 0, 1, 0, 0, 0, 'cli', 0)"
                    ),
                    {"e": f"{number}-{n}@example.org"},
                )
            ctx.execute(text("DELETE FROM spaces_member WHERE user_id > 1"))
            ctx.execute(
                text(
                    "INSERT INTO spaces_member (space_id, user_id, role, email_notification_type, created)"
                    " SELECT 1, user_id, 1, 'hourly', 0 FROM accounts_user WHERE email LIKE :e"
                ),
                {"e": f"{number}-%"},
            )

        kernel.run(fill)
        clock.move(1)
        notice = {"kind": "content", "ref": str(number), "space_id": 1, "content_id": 1, "revision_id": 1}
        with statements() as seen:
            kernel.run(lambda ctx, notice=notice: services.fan_out(ctx, [notice], 1))
            filled = len(seen)
            clock.move(3601)
            assert kernel.run(services.make_digests) == number
        counts.append((filled, len(seen)))
    assert counts[0] == counts[1]
