"""Mails of shares and upload links: to people without an account, and to the members."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.testing.client import Client
from atrio.plugins.mail.delivery import deliver
from atrio.plugins.mail.rendering import read_catalogue
from atrio.plugins.share.mails import TEMPLATES as SHARE
from atrio.plugins.upload_links.mails import TEMPLATES as UPLOAD

from .conftest import parts

SECRET = "open sesame"


@pytest.fixture
def place(client: Client, make_space: Any, send_file: Any) -> str:
    space = make_space("The Space")
    made = send_file(client, f"/api/workspaces/{space}/files", "report.pdf", b"bytes")
    return f"/api/workspaces/{space}/contents/{made.json['content_id']}/shares"


def test_each_address_gets_its_own_link_and_only_once(client: Client, place: str, mailbox: Any) -> None:
    mailbox.news()
    invited = ["Ann Bee <Ann@Example.org>", "bob@example.org", "BOB@example.org"]
    made = client.post(place, {"emails": invited, "password": SECRET}).json
    mails = mailbox.news()
    by_receiver = {str(m["To"]): m for m in mails}
    assert len(mails) == 3
    ann, bob = by_receiver["ann bee <ann@example.org>"], by_receiver["bob@example.org"]
    for mail, share in ((ann, made[0]), (bob, made[1])):
        assert "shared the file “report.pdf” with you" in str(mail["Subject"])
        for words in parts(mail):
            assert share["url"] in words
            assert "password" in words
            assert SECRET not in words
            assert "gave your address" in words
            assert "have an account" not in words
            assert not any(other["share_token"] in words for other in made if other is not share)
    (mine,) = (m for m in mails if m not in (ann, bob))
    assert "You shared “report.pdf” with 3 people" in str(mine["Subject"])
    for words in parts(mine):
        assert all(share["url"] in words for share in made)
        assert SECRET not in words


def test_no_job_holds_a_link(client: Client, kernel: Any, place: str, mailbox: Any) -> None:
    made = client.post(place, {"emails": ["bob@example.org"]}).json
    assert len(mailbox.news()) >= 2
    with kernel.unit(writes=False) as ctx:
        for query in ("SELECT details FROM mail_outgoing", "SELECT payload FROM kernel_outbox"):
            for stored in ctx.execute(text(query)).scalars():
                assert made[0]["share_token"] not in stored


def test_a_share_that_ended_before_the_mail_left_is_told_nobody(
    client: Client, kernel: Any, place: str, mailbox: Any
) -> None:
    mailbox.news()
    made = client.post(place, {"emails": ["bob@example.org"]}).json
    assert len(mailbox.news()) == 2
    client.delete(f"{place}/{made[0]['share_id']}")
    with kernel.unit() as ctx:
        ctx.execute(text("UPDATE mail_outgoing SET state = 'pending', available = 1 WHERE kind LIKE 'share%'"))
    deliver(kernel)
    assert mailbox.news() == []


def test_a_guest_upload_is_one_mail_to_each_member(
    client: Client, kernel: Any, as_actor: Any, make_space: Any, wants: Any, mailbox: Any
) -> None:
    bob, eve = as_actor("bob"), as_actor("eve")
    space = make_space("The Space", members={bob.user_id: "reader", eve.user_id: "reader"})
    with kernel.unit() as ctx:
        for person in (bob, eve):
            ctx.execute(
                text("UPDATE accounts_user SET email = :e WHERE user_id = :u"),
                {"e": f"{person.login}@example.org", "u": person.user_id},
            )
    wants(bob, space, "individual")
    wants(eve, space, "none")
    links = f"/api/workspaces/{space}/upload_permissions"
    made = client.post(links, {"emails": ["Zoë <zoe@example.org>"], "password": None}).json
    sent = mailbox.news()
    (invitation,) = (m for m in sent if "zoe@" in str(m["To"]))
    assert "asks you for files for “The Space”" in str(invitation["Subject"])
    assert all(made[0]["url"] in words for words in parts(invitation))
    guest = Client(kernel.app)
    files = {f"file_{n}": (f"{n}.txt", b"x", "text/plain") for n in range(3)}
    fields = {"username": "Zoë <b>", "message": "hello"}
    assert (
        guest.request("POST", f"/api/public/guest-upload/{made[0]['token']}", files=files, fields=fields).status
        == 204
    )
    sent = mailbox.news()
    assert not [m for m in sent if "eve@" in str(m["To"])]
    (told,) = (m for m in sent if "bob@" in str(m["To"]))
    assert "Zoë <b> left 3 files" in str(told["Subject"])
    plain, html = parts(told)
    assert all(f"{n}.txt" in plain and f"{n}.txt" in html for n in range(3))
    assert "Zoë &lt;b&gt;" in html


@pytest.mark.parametrize("folder", [SHARE, UPLOAD])
def test_every_sentence_is_in_the_french_catalogue_and_no_other(folder: Path) -> None:
    from jinja2 import Environment

    env = Environment(extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True)
    env.policies["ext.i18n.trimmed"] = True
    env.newstyle_gettext = True
    found = set()
    for path in sorted(p for p in folder.iterdir() if p.is_file()):
        for _, _, words in env.extract_translations(path.read_text("utf-8")):
            found.add(words if isinstance(words, str) else next(w for w in words if w))
    catalogue = read_catalogue(folder / "locale" / "fr.po")._catalog
    assert {key[0] if isinstance(key, tuple) else key for key in catalogue if key} == found
    for key, words in catalogue.items():
        source = key[0] if isinstance(key, tuple) else key
        if source and "count" not in words:
            assert set(re.findall(r"%\(\w+\)s", source)) == set(re.findall(r"%\(\w+\)s", words)), source
