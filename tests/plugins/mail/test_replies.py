"""Replies by mail: who may, what becomes of them, and what harms nobody."""

from __future__ import annotations

import re
from email.message import EmailMessage

import pytest
from sqlalchemy import text as sql

from atrio import hookimpl
from atrio.kernel.errors import FileRefused
from atrio.plugins.mail import services
from atrio.plugins.mail.config import MailConfig
from atrio.plugins.mail.incoming import handle
from atrio.plugins.mail.incoming.handle import take, too_large
from atrio.plugins.mail.tags import make_tag, read_tag, signing_key

from .conftest import parts

PATTERN = "reply+{tag}@atrio.example"
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 30_000


@pytest.fixture
def talk(kernel, client, as_actor, make_space, make_content, wants, mailbox):
    """A space with bob, who got a mail of a thread; his mail and the thread's id."""
    kernel.config.replace(
        MailConfig, reply_address=PATTERN, space_address="space+{tag}@atrio.example", incoming="maildir"
    )
    bob = as_actor("bob")
    space = make_space("Alpha", {bob.user_id: "contributor"})
    wants(bob, space)
    mailbox.news()
    thread = make_content(space, "Plan", "thread")["content_id"]
    (mail,) = mailbox.news()

    class Talk:
        """The parts of it."""

    made = Talk()
    made.space, made.thread, made.mail, made.bob = space, thread, mail, bob
    made.address = mail["Reply-To"].addresses[0].addr_spec

    def comments():
        answer = client.get(f"/api/workspaces/{space}/contents/{thread}/comments")
        assert answer.status == 200, answer.body
        items = answer.json["items"] if isinstance(answer.json, dict) else answer.json
        return [c["raw_content"] for c in items]

    made.comments = comments
    return made


def reply(talk, body="Fine.\n\nOn 2026-11-27 10:14, Ann wrote:\n> Shall we?", **headers):
    """Return bob's answer as bytes; headers with None are left out."""
    message = EmailMessage()
    chosen = {
        "From": "Bob <bob@example.org>", "To": talk.address, "Subject": "Re: [Atrio] [Alpha] Plan",
        "Message-ID": f"<{abs(hash((body, str(headers))))}@client.example>", "In-Reply-To": str(talk.mail["Message-ID"]),
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }  # fmt: skip
    for name, value in chosen.items():
        if value is not None:
            message[name] = value
    if body is not None:
        message.set_content(body)
    return message


def test_a_reply_becomes_a_comment_of_its_sender_once(kernel, client, talk, mailbox):
    raw = reply(talk).as_bytes()
    for _ in range(3):
        assert take(kernel, raw).state == "taken"
    assert talk.comments() == ["<p>Fine.</p>"]
    answer = client.get(f"/api/workspaces/{talk.space}/contents/{talk.thread}/comments")
    items = answer.json["items"] if isinstance(answer.json, dict) else answer.json
    assert items[0]["author"]["username"] == "bob"
    assert mailbox.news() == []


@pytest.mark.parametrize("header", ["Delivered-To", "X-Original-To", "Cc"])
def test_the_tag_is_found_in_other_headers_of_the_receiver(kernel, talk, header):
    message = reply(talk, To="Atrio <atrio@atrio.example>", **{header: talk.address.upper()}, In_Reply_To=None)
    assert take(kernel, message.as_bytes()).state == "taken"


@pytest.mark.parametrize("header", ["In_Reply_To", "References"])
def test_without_a_tag_the_id_of_the_mail_that_was_answered_counts(kernel, talk, header):
    message = reply(talk, To="atrio@atrio.example", In_Reply_To=None)
    message[header.replace("_", "-")] = f"<other@x.example> {talk.mail['Message-ID']}"
    assert take(kernel, message.as_bytes()).state == "taken"


def test_a_comment_by_mail_is_told_to_the_others(kernel, talk, as_actor, client, wants, mailbox):
    ann = as_actor("ann")
    assert (
        client.post(f"/api/workspaces/{talk.space}/members", {"user_id": ann.user_id, "role": "reader"}).status
        == 200
    )
    wants(ann, talk.space)
    mailbox.news()
    take(kernel, reply(talk, "Words of Bob").as_bytes())
    (told,) = mailbox.news()
    assert "ann" in str(told["To"])
    assert "Words of Bob" in parts(told)[0]
    assert told["From"].addresses[0].display_name == "bob via Atrio"


# -- who may not ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["content", "user", "signature", "made up", "other purpose"])
def test_a_stranger_can_make_no_tag(kernel, talk, mailbox, change):
    content, user, signature = re.search(r"\+(\d+)-(\d+)-(\w+)@", talk.address).groups()
    with kernel.unit() as ctx:
        key = signing_key(ctx)
    tag = {
        "content": f"{int(content) + 1}-{user}-{signature}", "user": f"{content}-{int(user) - 1}-{signature}",
        "signature": f"{content}-{user}-{'a' * 16}", "made up": f"{content}-{user}",
        "other purpose": make_tag(key, "space", int(content), int(user)),
    }[change]  # fmt: skip
    assert read_tag(key, "reply", tag) is None
    message = reply(talk, To=PATTERN.replace("{tag}", tag), In_Reply_To=f"<content.{content}@localhost>")
    verdict = take(kernel, message.as_bytes())
    assert (verdict.state, verdict.reason) == ("ignored", "no valid tag")
    assert talk.comments() == []
    assert mailbox.news() == []


def test_who_holds_a_tag_of_another_is_not_heard_and_its_owner_is_told(kernel, talk, mailbox):
    assert take(kernel, reply(talk, From="mallory@evil.example").as_bytes()).state == "refused"
    assert talk.comments() == []
    (told,) = mailbox.news()
    assert told["To"].addresses[0].addr_spec == "bob@example.org"
    assert "another address" in parts(told)[0]


@pytest.mark.parametrize(
    ("results", "state"),
    [
        (None, "ignored"), ("mx.example; dmarc=pass header.from=example.org", "taken"),
        ("mx.example; dmarc=fail header.from=example.org", "ignored"),
        ("other.example; dmarc=pass", "ignored"),
        ("mx.example; dkim=pass header.d=example.org; spf=fail", "taken"),
        ("mx.example; dkim=pass header.d=evil.example", "ignored"),
        ("mx.example; spf=pass smtp.mailfrom=bob@example.org", "taken"),
        ("mx.example; spf=pass smtp.mailfrom=bob@notexample.org", "ignored"),
    ],
)  # fmt: skip
def test_a_mail_server_that_checks_senders_is_believed(kernel, talk, results, state):
    kernel.config.replace(MailConfig, trusted_authserv="mx.example")
    assert take(kernel, reply(talk, Authentication_Results=results).as_bytes()).state == state


def test_a_forged_result_below_the_servers_own_does_not_count(kernel, talk):
    kernel.config.replace(MailConfig, trusted_authserv="mx.example")
    message = reply(talk, Authentication_Results="mx.example; dmarc=fail")
    message["Authentication-Results"] = "mx.example; dmarc=pass"
    assert take(kernel, message.as_bytes()).state == "ignored"


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"}, {"Auto_Submitted": "auto-generated (x)"}, {"Precedence": "bulk"},
        {"Precedence": "auto_reply"}, {"X_Auto_Response_Suppress": "All"}, {"X_Autoreply": "yes"},
        {"X_Auto_Response_Suppress": "DR, AutoReply"}, {"Return_Path": "<>"}, {"List_Id": "<x.example>"},
        {"From": "MAILER-DAEMON@example.org"}, {"From": "atrio@localhost"},
        {"From": "a@example.org, bob@example.org"}, {"From": None},
    ],
)  # fmt: skip
def test_programs_are_not_answered(kernel, talk, mailbox, headers):
    assert take(kernel, reply(talk, **headers).as_bytes()).state == "ignored"
    assert talk.comments() == []
    assert mailbox.news() == []


def test_our_own_mails_come_to_nothing_when_they_come_back(kernel, talk, mailbox):
    """A loop: a notification that is delivered to the reply address."""
    assert take(kernel, talk.mail.as_bytes()).state == "ignored"


def test_an_answer_to_a_refusal_refuses_nothing_more(kernel, talk, mailbox):
    take(kernel, reply(talk, "").as_bytes())
    (told,) = mailbox.news()
    assert told["Auto-Submitted"] == "auto-replied"
    assert take(kernel, told.as_bytes()).state == "ignored"
    assert mailbox.news() == []


# -- refusals ------------------------------------------------------------------------------------------------


def refused(kernel, talk, mailbox, words, raw=None):
    """A mail is refused and answered once, however often it is read; nothing is written."""
    before = talk.comments()
    mailbox.news()
    raw = raw or reply(talk, f"About {words}").as_bytes()
    assert [take(kernel, raw).state for _ in range(3)] == ["refused"] * 3
    (told,) = mailbox.news()
    assert words in parts(told)[0]
    assert talk.comments() == before
    return told


def test_closed_contents_take_no_reply(kernel, client, talk, mailbox):
    path = f"/api/workspaces/{talk.space}/threads/{talk.thread}/status"
    assert client.put(path, {"status": "closed-validated"}).status == 204
    told = refused(kernel, talk, mailbox, "closed")
    assert told["In-Reply-To"].startswith("<")


def test_deleted_contents_take_no_reply(kernel, client, talk, mailbox):
    assert client.put(f"/api/workspaces/{talk.space}/contents/{talk.thread}/trashed", {}).status == 204
    mailbox.news()
    assert take(kernel, reply(talk).as_bytes()).state == "refused"
    assert "not there any more" in parts(mailbox.news()[0])[0]


def test_who_left_or_may_only_read_is_refused(kernel, client, talk, mailbox):
    path = f"/api/workspaces/{talk.space}/members/{talk.bob.user_id}"
    assert client.put(path, {"role": "reader"}).status == 200
    refused(kernel, talk, mailbox, "not write")
    assert client.delete(path).status == 204
    refused(kernel, talk, mailbox, "not there any more")


def test_a_disabled_account_is_not_heard(kernel, client, talk, mailbox):
    assert client.put(f"/api/users/{talk.bob.user_id}/disabled", {}).status == 204
    assert take(kernel, reply(talk).as_bytes()).state == "ignored"


def test_a_mail_without_a_word_is_refused(kernel, talk, mailbox):
    body = "On 2026-11-27 10:14, Ann wrote:\n> Shall we?\n\n-- \nBob"
    refused(kernel, talk, mailbox, "no text", reply(talk, body).as_bytes())


def test_a_mail_that_is_too_large_is_refused_unread(kernel, talk, mailbox):
    headers = reply(talk).as_bytes().partition(b"\n\n")[0]
    assert too_large(kernel, headers, 10**9).state == "refused"
    assert too_large(kernel, headers, 10**9).state == "refused"
    assert ["too large" in parts(m)[0] for m in mailbox.news()] == [True]


def test_refusals_are_answered_so_many_times_a_day(kernel, talk, mailbox):
    for number in range(handle.ANSWERS_A_DAY + 5):
        assert take(kernel, reply(talk, "", Subject=f"No {number}").as_bytes()).state == "refused"
    assert len(mailbox.news()) == handle.ANSWERS_A_DAY


# -- files ---------------------------------------------------------------------------------------------------


def files_of(client, talk):
    answer = client.get(f"/api/workspaces/{talk.space}/contents?parent_ids={talk.thread}&content_type=file")
    assert answer.status == 200, answer.body
    return sorted(item["filename"] for item in answer.json["items"])


def test_a_file_that_a_plugin_keeps_out_refuses_the_mail(kernel, talk, mailbox):
    class Looks:
        """A plugin that looks at files."""

        @hookimpl
        def check_received(self, blob):
            if b"bad" in blob.path.read_bytes():
                raise FileRefused("it is bad")

    kernel.hooks.register(Looks(), "looks")
    message = reply(talk)
    message.add_attachment(b"a bad file", maintype="application", subtype="pdf", filename="a.pdf")
    assert take(kernel, message.as_bytes()).state == "refused"
    assert talk.comments() == []
    (told,) = mailbox.news()
    assert "bob" in str(told["To"])


def test_attachments_become_files_and_decoration_does_not(kernel, client, talk):
    message = reply(talk, "See the files.")
    message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="../../Übersicht.pdf")
    message.add_attachment(b"%PDF-1.5", maintype="application", subtype="pdf", filename="Übersicht.pdf")
    message.add_attachment(
        PNG, maintype="image", subtype="png", filename="photo.png", disposition="inline", cid="<1>"
    )
    message.add_attachment(
        b"\x89PNG", maintype="image", subtype="png", filename="logo.png", disposition="inline", cid="<2>"
    )
    assert take(kernel, message.as_bytes()).state == "taken"
    assert files_of(client, talk) == ["photo.png", "Übersicht (2).pdf", "Übersicht.pdf"]
    assert talk.comments() == ["<p>See the files.</p>"]


def test_a_file_without_a_word_is_taken(kernel, client, talk):
    message = reply(talk, "")
    message.add_attachment(b"x", maintype="application", subtype="octet-stream")
    assert take(kernel, message.as_bytes()).state == "taken"
    assert files_of(client, talk) == ["file-1.bin"]
    assert talk.comments() == []


def test_text_around_a_picture_is_taken_whole(kernel, client, talk):
    """As Apple Mail sends it: text, picture, text; and an invitation in the mail is no file, an attached one is."""
    message = reply(talk, None)
    message.make_mixed()
    for body in ("Before", None, "After"):
        part = EmailMessage()
        if body is None:
            part.set_content(PNG, maintype="image", subtype="png", filename="p.png", disposition="inline")
        else:
            part.set_content(body)
        message.attach(part)
    calendar = EmailMessage()
    calendar.set_content("BEGIN:VCALENDAR", subtype="calendar")
    message.attach(calendar)
    message.add_attachment("BEGIN:VCALENDAR", subtype="calendar", filename="a.ics")
    assert take(kernel, message.as_bytes()).state == "taken"
    (comment,) = talk.comments()
    assert comment.index("Before") < comment.index("After")
    assert files_of(client, talk) == ["a.ics", "p.png"]


def test_a_mail_that_breaks_the_parser_is_over_at_once(kernel, talk, monkeypatch):
    def boom(*args):
        raise RuntimeError("a bug of a library")

    monkeypatch.setattr(handle, "parse", boom)
    raw = reply(talk).as_bytes()
    assert [take(kernel, raw).state for _ in range(2)] == ["ignored"] * 2
    assert too_large(kernel, raw, 10**9).state == "ignored"


def test_a_compressed_bomb_stays_closed(kernel, client, talk):
    """Archives are bytes like others: nothing unpacks them."""
    import io
    import zipfile

    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", b"\0" * 50_000_000)
    message = reply(talk, "Look")
    message.add_attachment(bomb.getvalue(), maintype="application", subtype="zip", filename="bomb.zip")
    assert take(kernel, message.as_bytes()).state == "taken"
    assert files_of(client, talk) == ["bomb.zip"]


def test_all_or_nothing(kernel, client, talk, mailbox):
    """Files without room: no comment either, and the sender knows."""
    from atrio.plugins.core_content.config import ContentConfig

    kernel.config.replace(ContentConfig, space_size=1000)
    message = reply(talk, "Words")
    message.add_attachment(b"x" * 5000, maintype="application", subtype="octet-stream", filename="a.bin")
    refused(kernel, talk, mailbox, "no room", message.as_bytes())
    assert files_of(client, talk) == []


def test_more_files_than_allowed_are_refused(kernel, talk, mailbox):
    kernel.config.replace(MailConfig, max_attachments=1)
    message = reply(talk, "Two")
    for name in ("a.bin", "b.bin"):
        message.add_attachment(b"x", maintype="application", subtype="octet-stream", filename=name)
    refused(kernel, talk, mailbox, "could not be read", message.as_bytes())


# -- hostile and broken --------------------------------------------------------------------------------------

HEAD = b"From: bob@example.org\r\nTo: %s\r\nMessage-ID: <%s@x>\r\n"


@pytest.mark.parametrize("body", [
    b"Content-Type: text/plain; charset=no-such\r\n\r\nBonjour \xe9t\xe9",
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!not base64",
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nno end",
    b"Content-Type: multipart/mixed\r\n\r\nno boundary",
    b"Content-Type: ;;;=\r\nContent-Disposition: \xff\xfe\r\n\r\ntext",
    b"Subject: =?utf-8?b?!!!?= =?no-such?q?x?=\r\nContent-Type: text/html\r\n\r\n<p>Hi<script>alert(1)</script>",
    b"Subject: \xff\xfe\x00\r\n\r\ntext with \x00 null",
    b"Content-Type: text/plain; format=flowed\r\n\r\nOne \r\nline\r\n> a \r\n> b",
    b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner text",
    b"Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n \r\n--x\r\n"
    b"Content-Type: text/html\r\n\r\n<p>Only HTML</p>\r\n--x--",
])  # fmt: skip
def test_broken_mails_are_taken_or_refused_and_never_a_fault(kernel, talk, body, caplog):
    raw = HEAD % (talk.address.encode(), str(abs(hash(body))).encode()) + body
    verdict = take(kernel, raw)
    assert verdict.state in ("taken", "refused"), verdict
    assert "Traceback" not in caplog.text
    for comment in talk.comments():
        assert "<script" not in comment
        assert "\x00" not in comment


def test_bombs_of_structure_end(kernel, talk):
    to = talk.address.encode()
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(5000))
    wide = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\ntext\r\n" * 5000 + b"--x--"
    tall = b"Content-Type: text/html\r\n\r\n" + b"<div>" * 200_000
    for number, body in enumerate((deep, wide, tall, b"X: " + b"y" * 1_000_000)):
        verdict = take(kernel, HEAD % (to, b"bomb%d" % number) + body)
        assert verdict.state in ("refused", "ignored", "taken"), (number, verdict)
    assert take(kernel, b"To: " + b"a@b.example, " * 200_000).state == "ignored"
    assert take(kernel, b"").state == "ignored"


def test_a_text_that_is_too_long_is_refused_and_not_cut(kernel, talk, mailbox):
    refused(kernel, talk, mailbox, "could not be read", reply(talk, "Many words. \n" * 30_000).as_bytes())


def test_html_that_acts_becomes_words(kernel, talk):
    message = reply(talk, None)
    message.set_content(
        "<p>Hi <img src='https://spy.example/1.png'><a href='javascript:alert(1)'>x</a></p>"
        "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>", subtype="html",
    )  # fmt: skip
    assert take(kernel, message.as_bytes()).state == "taken"
    (comment,) = talk.comments()
    assert "spy.example" not in comment
    assert "javascript" not in comment
    assert "&lt;script&gt;" in comment


def test_a_poison_mail_is_given_up_after_some_tries(kernel, talk, monkeypatch, caplog):
    def boom(*args, **kwargs):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(handle, "add_comment", boom)
    raw = reply(talk).as_bytes()
    assert [take(kernel, raw).state for _ in range(5)] == ["trying"] * 3 + ["failed"] * 2
    assert talk.comments() == []


def test_a_crash_between_comment_and_move_doubles_nothing(kernel, talk):
    """The verdict is written with the comment: the mail that still lies there is known."""
    raw = reply(talk).as_bytes()
    take(kernel, raw)
    other = b"Received: by another way\r\n" + raw
    assert take(kernel, other).state == "taken"
    assert len(talk.comments()) == 1
    with kernel.unit(writes=False) as ctx:
        assert ctx.execute(sql("SELECT state, attempt FROM mail_incoming")).all() == [("taken", 1)]


def test_a_plugin_may_take_a_reply(kernel, talk):
    from atrio import hookimpl

    seen = []

    class Taker:
        """Takes what begins with a slash."""

        @hookimpl
        def handle_reply(self, ctx, reply):
            if not reply["text"].startswith("/"):
                return None
            seen.append((ctx.actor.id, reply["text"], reply["content"].content_id))
            return reply["content"].content_id

    kernel.hooks.register(Taker())
    assert take(kernel, reply(talk, "/close").as_bytes()).state == "taken"
    assert take(kernel, reply(talk, "words").as_bytes()).state == "taken"
    assert seen == [(talk.bob.user_id, "/close", talk.thread)]
    assert talk.comments() == ["<p>words</p>"]


# -- threads by mail -----------------------------------------------------------------------------------------


def test_a_member_opens_a_thread_in_a_space_that_takes_them(kernel, client, talk, mailbox):
    address = kernel.run(lambda ctx: services.space_address(ctx, talk.space, talk.bob.user_id))
    message = reply(talk, "First words", To=address, Subject="New idea", In_Reply_To=None)
    message.add_attachment(b"x", maintype="application", subtype="octet-stream", filename="a.bin")
    assert take(kernel, message.as_bytes()).state == "refused"
    kernel.run(lambda ctx: services.open_space(ctx, talk.space, True))
    del message["Message-ID"]
    message["Message-ID"] = "<second@x>"
    assert take(kernel, message.as_bytes()).state == "taken"
    answer = client.get(f"/api/workspaces/{talk.space}/contents?content_type=thread")
    made = next(c for c in answer.json["items"] if c["label"] == "New idea")
    assert made["author"]["username"] == "bob"
    kernel.run(lambda ctx: services.open_space(ctx, talk.space, False))
    again = reply(talk, "More", To=address, In_Reply_To=None)
    assert take(kernel, again.as_bytes()).state == "refused"
