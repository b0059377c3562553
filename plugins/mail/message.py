"""The MIME message of a mail: headers that clients thread by, and that no name can break out of."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import formatdate
from typing import Any

from atrio.kernel.config import Config, WebsiteConfig, base_url

from .config import MailConfig, host_of, mail_domain, sender_address
from .facts import Facts
from .kinds import REFUSAL
from .rendering import Rendered
from .tags import address_with, make_message_id, make_tag

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069]+")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,200}>")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,29}")
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9_+.-]{1,30}@[A-Za-z0-9.-]{1,30}")
NAME_LENGTH, SUBJECT_LENGTH = 100, 250


class UnusableAddress(Exception):
    """An address that no mail can be sent to; the text says why."""


@dataclass(frozen=True)
class Envelope:
    """A mail as it is handed over."""

    sender: str
    recipient: str
    data: bytes


def one_line(text: str, length: int) -> str:
    """Return a text for a header: no line break, no control or direction character, at most so long."""
    plain = " ".join(_CONTROL.sub(" ", text).split())
    return plain if len(plain) <= length else plain[: length - 1].rstrip() + "…"


def ascii_domain(address: str) -> str:
    """Return an address whose domain is in ASCII (RFC 5891); UnusableAddress when it cannot be."""
    local, at, domain = address.strip().rpartition("@")
    if not at or not local or not domain or _CONTROL.search(address):
        raise UnusableAddress(f"{address!r} is no address")
    try:
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        raise UnusableAddress(f"{domain!r} is no domain") from None


def mailbox(name: str, address: str) -> Address:
    """Return a name with its address for a header; UnusableAddress when the address cannot be one."""
    try:
        return Address(display_name=one_line(name, NAME_LENGTH), addr_spec=ascii_domain(address))
    except UnusableAddress:
        raise
    except Exception as error:  # noqa: BLE001 - the parser of addresses fails in many ways
        raise UnusableAddress(f"{address!r}: {error}") from None


@dataclass(frozen=True)
class Shared:
    """What a mail has in common for all its receivers, as bytes: encoding it costs more than sending it."""

    sender: str
    head: bytes
    body: bytes


def shared(config: Config, kind: str, facts: Facts, words: Rendered, language: str) -> Shared:
    """Return headers and body that do not depend on the receiver."""
    settings, title = config[MailConfig], config[WebsiteConfig].title
    sender = ascii_domain(sender_address(config, facts.author_id))
    message = EmailMessage(policy=SMTP)
    message["From"] = mailbox(_sender_name(settings, title, facts), sender)
    message["Subject"] = one_line(words.subject, SUBJECT_LENGTH)
    message["Auto-Submitted"] = "auto-replied" if kind == REFUSAL else "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["Precedence"] = "bulk"
    _name_thread_and_list(message, config, facts)
    message.set_content(words.text, subtype="plain", charset="utf-8", cte="quoted-printable")
    message.add_alternative(words.html, subtype="html", charset="utf-8", cte="base64")
    message["Content-Language"] = language  # after the parts: setting them clears what begins with Content-
    head, _, body = message.as_bytes().partition(b"\r\n\r\n")
    return Shared(sender, head, body)


def build(config: Config, key: bytes, row: Any, addressee: Any, facts: Facts, common: Shared) -> Envelope:
    """Return the message of a queued mail for its receiver; UnusableAddress when his address cannot be one."""
    settings, domain = config[MailConfig], ascii_domain(f"x@{mail_domain(config)}")[2:]
    recipient = ascii_domain(addressee.email)
    lines = [_address_line("To", addressee.public_name, recipient), f"Date: {formatdate(usegmt=True)}\r\n"]
    if facts.thread_id is None:
        mark = hashlib.sha256(key + f"mail {row.mail_id}".encode()).hexdigest()[:24]
        lines.append(f"Message-ID: <m{row.mail_id}.{mark}@{domain}>\r\n")
    else:
        ref = f"{row.kind}.{row.ref}"
        lines.append(f"Message-ID: {make_message_id(key, facts.thread_id, row.receiver, ref, domain)}\r\n")
        if settings.reply_address and settings.incoming != "off":
            address = address_with(settings.reply_address, make_tag(key, "reply", facts.thread_id, row.receiver))
            lines.append(_address_line("Reply-To", f"{config[WebsiteConfig].title}: {facts.space_label}", address))
    own = "".join(lines).encode("utf-8")
    return Envelope(common.sender, recipient, b"".join((own, common.head, b"\r\n\r\n", common.body)))


def _address_line(header: str, name: str, address: str) -> str:
    """Return a folded header with one address; plain ones are written without the library, for speed."""
    if _PLAIN_NAME.fullmatch(name) and _PLAIN_ADDRESS.fullmatch(address):
        return f"{header}: {name} <{address}>\r\n"
    policy = SMTP if address.isascii() else SMTPUTF8
    return str(policy.fold(header, policy.header_factory(header, mailbox(name, address))))


def _sender_name(settings: MailConfig, title: str, facts: Facts) -> str:
    return f"{facts.author_name} via {title}" if facts.author_name else settings.from_label or title


def _name_thread_and_list(message: EmailMessage, config: Config, facts: Facts) -> None:
    """Set the headers that put a mail into its thread and its list."""
    answered = str(facts.extra.get("in_reply_to") or "")
    if facts.thread_id is not None:
        answered = f"<content.{facts.thread_id}@{ascii_domain(f'x@{mail_domain(config)}')[2:]}>"
    if _MESSAGE_ID.fullmatch(answered):
        message["In-Reply-To"] = answered
        message["References"] = answered
    if facts.space_id is not None:
        list_id = f"<space-{facts.space_id}.{ascii_domain(f'x@{host_of(config)}')[2:]}>"
        message["List-Id"] = f"{list_name(facts.space_label)} {list_id}".strip()
        message["List-Archive"] = f"<{base_url(config)}/ui/workspaces/{facts.space_id}/dashboard>"
        message["List-Unsubscribe"] = f"<{base_url(config)}/ui/account>"


def list_name(label: str) -> str:
    """Return a label as the phrase of a List-Id (RFC 2919 §3): ASCII, without what would need quotes."""
    return "".join(c for c in one_line(label, 60) if c.isascii() and (c.isalnum() or c in " -_")).strip()
