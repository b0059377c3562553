"""Messages of any name and label: the headers are those that were meant, and no others."""

from __future__ import annotations

from email import message_from_bytes, policy
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atrio.kernel.config import Config, Sources, WebsiteConfig, kernel_config
from atrio.plugins.mail.config import SECTION, MailConfig
from atrio.plugins.mail.facts import Facts
from atrio.plugins.mail.message import UnusableAddress, ascii_domain, build, mailbox, one_line, shared
from atrio.plugins.mail.rendering import Rendered

pytestmark = pytest.mark.any_engine

HEADERS = {
    "To", "Date", "Message-ID", "Reply-To", "From", "Subject", "Auto-Submitted", "X-Auto-Response-Suppress",
    "Precedence", "In-Reply-To", "References", "List-Id", "List-Archive", "List-Unsubscribe", "MIME-Version",
    "Content-Type", "Content-Language",
}  # fmt: skip
ODD = st.text(max_size=120) | st.sampled_from(
    ["a\r\nBcc: x@y.example", "\"quoted\" <x@y.example>", "=?utf-8?q?x?=", "é" * 90, "a" * 300, "\ud800x", "日本" * 40, "a,b;c:d", "\\"]
)  # fmt: skip


def settings_of() -> Config:
    """Return settings with replies on."""
    config = kernel_config(Sources(None, {}, {}, {}))
    config.add(SECTION)
    config.replace(
        MailConfig, reply_address="reply+{tag}@atrio.example", incoming="imap", from_address="a@atrio.example"
    )
    return config


@given(name=ODD, label=ODD, space=ODD, title=ODD)
@settings(max_examples=150, deadline=None)
def test_no_name_breaks_out_of_its_header(name, label, space, title):
    config = settings_of()
    config.replace(WebsiteConfig, title=title)
    facts = Facts("content", {}, author_id=3, author_name=name, space_id=4, space_label=space, thread_id=5)
    words = Rendered(f"[{title}] {label}", "text\n", "<p>html</p>")
    common = shared(config, "content", facts, words, "en")
    row = SimpleNamespace(kind="content", ref="9", receiver=7, mail_id=1)
    to = SimpleNamespace(email="bob@example.org", public_name=name)
    made = build(config, b"key", row, to, facts, common)
    head = made.data.partition(b"\r\n\r\n")[0]
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    assert head.isascii()
    back = message_from_bytes(made.data, policy=policy.default)
    assert set(back.keys()) == HEADERS
    assert len(back.keys()) == len(HEADERS)
    assert [a.addr_spec for a in back["To"].addresses] == ["bob@example.org"]
    assert [a.addr_spec for a in back["From"].addresses] == ["a@atrio.example"]
    assert back["Reply-To"].addresses[0].addr_spec.startswith("reply+5-7-")
    assert back.get_body(("plain",)).get_content().strip() == "text"


@pytest.mark.parametrize(
    ("address", "shown"), [("a@exämple.org", "a@xn--exmple-cua.org"), ("A.b+c@Example.org", "A.b+c@Example.org")]
)
def test_domains_are_written_in_ascii(address, shown):
    assert ascii_domain(address) == shown
    assert mailbox("x", address).addr_spec == shown


@pytest.mark.parametrize(
    "address", ["", "a", "@b", "a@", "a b@c.org", "a@b..c", "a@b\r\nx", "a@" + "x" * 70 + ".org", "a<b@c.org"]
)
def test_addresses_that_cannot_be_are_named(address):
    with pytest.raises(UnusableAddress):
        mailbox("x", address)


def test_lines_are_one_line():
    assert one_line("a\r\nb\u2028c\u202ed \x00e", 100) == "a b c d e"
    assert one_line("x" * 50, 10) == "x" * 9 + "…"
