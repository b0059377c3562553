"""A mail as it came, taken apart: everything in it is hostile, and anything in it may be broken."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.utils import getaddresses
from typing import Any

from atrio.kernel.errors import ValidationFailed

from .html import strip_html_reply
from .quotes import LONGEST, strip_reply

HEADER_BYTES = 262_144
PARTS = 400
SMALL_PICTURE = 20_000
"""Bytes up to which a picture inside the text counts as decoration: logos of signatures, trackers."""
MACHINE_TALK = frozenset({"application/pgp-signature", "application/pkcs7-signature", "text/calendar"})
RECEIVERS = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Delivered-To", "X-Envelope-To")
_ID = re.compile(r"<[^<>\s]{1,500}>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069]+")


class Broken(Exception):
    """A mail that cannot be read; the text says why."""


@dataclass(frozen=True)
class File:
    """An attachment."""

    name: str
    media: str
    data: bytes


@dataclass
class Parsed:
    """What a mail says."""

    key: str
    sender: str = ""
    senders: int = 0
    recipients: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    message_id: str = ""
    subject: str = ""
    automatic: str = ""
    results: list[str] = field(default_factory=list)
    message: Any = None


def parse(raw: bytes) -> Parsed:
    """Read the headers of a mail. Broken for one that no reader would take."""
    end = re.search(rb"\r?\n\r?\n", raw[: HEADER_BYTES + 4])
    if end is None and len(raw) > HEADER_BYTES:
        raise Broken("the headers are too long")
    try:
        message = message_from_bytes(raw, policy=policy.compat32)
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise Broken(f"no MIME message: {type(error).__name__}") from None
    senders = _addresses(message, ("From",))
    found = Parsed(
        key=_key(message, raw), sender=senders[0] if senders else "", senders=len(senders),
        recipients=_addresses(message, RECEIVERS), message_id=_header(message, "Message-ID").strip(),
        subject=decoded(_header(message, "Subject"))[:300], automatic=automatic(message),
        results=[_header_text(v) for v in message.get_all("Authentication-Results", [])], message=message,
    )  # fmt: skip
    for name in ("In-Reply-To", "References"):
        found.answers += _ID.findall(_header(message, name)[:20_000])[-50:]
    return found


def broken_key(raw: bytes) -> str:
    """Return the key of a mail that cannot be read."""
    return hashlib.sha256(raw).hexdigest()


def _key(message: Any, raw: bytes) -> str:
    """Return what makes a mail one: its id and sender, so that a copy by another way is the same mail."""
    message_id = _header(message, "Message-ID").strip()
    if len(message_id) < 6:
        return broken_key(raw)
    text = f"{message_id}\n{_header(message, 'From').strip()}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _header(message: Any, name: str) -> str:
    return _header_text(message.get(name, ""))


def _header_text(value: Any) -> str:
    try:
        return str(value)[:50_000]
    except (ValueError, LookupError, TypeError):
        return ""


def _addresses(message: Any, names: tuple[str, ...]) -> list[str]:
    """Return the addresses of some headers, lower case, each once."""
    values = [_header_text(v) for name in names for v in message.get_all(name, [])][:50]
    try:
        pairs = getaddresses([v.encode("utf-8", "replace").decode("utf-8", "replace") for v in values])
    except (ValueError, TypeError, IndexError):
        return []
    return list(dict.fromkeys(a.strip().lower() for _, a in pairs if "@" in a and len(a) <= 320))[:200]


def decoded(text: str) -> str:
    """Return a header with its encoded words (RFC 2047) read, on one line."""
    from email.header import decode_header, make_header

    try:
        plain = str(make_header(decode_header(text)))
    except (ValueError, LookupError, TypeError, AttributeError):
        plain = text
    return " ".join(_CONTROL.sub(" ", plain).split())


# -- automatic mail ------------------------------------------------------------------------------------------


def automatic(message: Any) -> str:
    """Return why a mail was not written by a person (RFC 3834 and what programs do), empty when it was."""

    def value(name: str) -> str:
        return _header(message, name).strip().lower()

    submitted = value("Auto-Submitted").partition(";")[0].strip()
    if submitted and submitted != "no":
        return f"Auto-Submitted: {submitted[:40]}"
    suppress = {word.strip() for word in value("X-Auto-Response-Suppress").split(",")}
    if suppress & {"all", "autoreply", "dr", "oof"}:
        return "X-Auto-Response-Suppress"
    if value("Precedence") in ("bulk", "junk", "list", "auto_reply"):
        return f"Precedence: {value('Precedence')}"
    for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply", "X-Autoresponder", "List-Id", "X-Loop"):
        if name in message and value(name) not in ("no", ""):
            return name
    if value("Return-Path") in ("<>", "< >"):
        return "Return-Path: <>"
    kind = str(message.get_content_type())
    if kind in ("multipart/report", "message/delivery-status", "message/disposition-notification"):
        return kind
    local = (_addresses(message, ("From",)) or [""])[0].partition("@")[0]
    if local in ("mailer-daemon", "postmaster", "no-reply", "noreply", "bounce", "bounces"):
        return f"from {local}"
    return ""


# -- the body ------------------------------------------------------------------------------------------------


def reply_and_files(parsed: Parsed, most_files: int) -> tuple[str, list[File]]:
    """Return the text that was written and the files that came with it. Broken for parts that cannot be read."""
    try:
        plain, html, files = _parts(parsed.message, most_files)
        text = strip_reply(plain) if plain.strip() else ""
        if not text and html.strip():
            text = strip_html_reply(html)
    except ValidationFailed:
        raise Broken("its HTML is nested too deeply") from None
    except RecursionError:
        raise Broken("its parts are nested too deeply") from None
    if len(text) > LONGEST * 9 // 10:
        raise Broken("its text is too long")  # cut in two, it would lose its end in silence
    return text.replace("\x00", ""), files


def _parts(message: Any, most_files: int) -> tuple[str, str, list[File]]:
    plain = html = ""
    files: list[File] = []
    for number, part in enumerate(_leaves(message)):
        if number > PARTS:
            raise Broken("it has too many parts")
        kind, name = part.get_content_type(), _file_name(part)
        disposition = str(part.get("Content-Disposition", "")).strip().lower().partition(";")[0]
        is_text = kind in ("text/plain", "text/html") and disposition != "attachment" and not name
        if is_text and kind == "text/plain":
            plain = f"{plain}\n{_text(part)}" if plain else _text(part)
        elif is_text:
            html += _text(part)
        elif not _decoration(part, kind, disposition):
            if len(files) >= most_files:
                raise Broken(f"it brings more than {most_files} files")
            files.append(File(name or _fallback_name(kind, len(files)), kind, _bytes(part)))
    return plain, html, files


def _leaves(message: Any) -> list[Any]:
    """Return the parts that hold something, in order, without recursion; a mail inside is one file."""
    found: list[Any] = []
    queue = [message]
    while queue and len(found) <= PARTS + 1:
        part = queue.pop(0)
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            queue = [*part.get_payload()[: PARTS + 2], *queue]
        else:
            found.append(part)
    return found


def _file_name(part: Any) -> str:
    try:
        name = part.get_filename() or ""
    except (ValueError, LookupError, TypeError, AttributeError):
        name = ""
    plain = decoded(str(name)).replace("\\", "/").rpartition("/")[2].strip(". ")
    return plain[:180]


def _fallback_name(kind: str, number: int) -> str:
    import mimetypes

    extension = ".eml" if kind.startswith("message/") else mimetypes.guess_extension(kind) or ".bin"
    return f"file-{number + 1}{extension}"


def _decoration(part: Any, kind: str, disposition: str) -> bool:
    """Tell whether a part is no file: a small picture inside the text, what programs tell each other."""
    if kind in MACHINE_TALK and disposition != "attachment":
        return True
    inside = disposition == "inline" or "Content-ID" in part
    return (
        kind.startswith("image/") and disposition != "attachment" and inside and len(_bytes(part)) < SMALL_PICTURE
    )


def _bytes(part: Any) -> bytes:
    if part.is_multipart():  # a mail inside the mail
        inner = part.get_payload()
        try:
            return bytes(inner[0].as_bytes()) if inner else b""
        except (ValueError, LookupError, TypeError, KeyError, AttributeError, UnicodeError):
            return str(inner[0]).encode("utf-8", "replace")
    try:
        data = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError):
        data = None
    return data if isinstance(data, bytes) else str(part.get_payload()).encode("utf-8", "replace")


def _text(part: Any) -> str:
    """Return a text in its charset; unknown or wrong ones are read as UTF-8, then as Latin-1."""
    data = _bytes(part)
    try:
        named = part.get_content_charset() or "utf-8"
        text = data.decode(named)
    except (LookupError, UnicodeDecodeError, ValueError):
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
    if (
        part.get_param("format", "").lower() == "flowed"
        if isinstance(part.get_param("format", ""), str)
        else False
    ):
        return _unflowed(text)
    return text


def _unflowed(text: str) -> str:
    """Return a flowed text (RFC 3676) with its soft line breaks undone."""
    found: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        soft = found and found[-1].endswith(" ") and found[-1] != "-- "
        if soft and line.startswith(">") == found[-1].startswith(">"):
            found[-1] += line.lstrip("> ") if line.startswith(">") else line
        else:
            found.append(line)
    return "\n".join(found)


def authenticated(parsed: Parsed, authserv: str) -> bool:
    """Tell whether our mail server vouches for the sender (RFC 8601): DMARC, or DKIM or SPF of his own domain.

    Only the topmost header of that server counts: those below may have come with the mail.
    """
    domain = re.escape(parsed.sender.rpartition("@")[2])
    for value in parsed.results[:1]:
        plain = " ".join(value.lower().split())
        if plain.partition(";")[0].strip().partition(" ")[0] != authserv.lower():
            return False
        if re.search(r";\s*dmarc=pass\b", plain):
            return True
        own = rf"(?:header\.(?:d|i|from)|smtp\.mailfrom)=(?:[^\s;]*[@.])?{domain}(?=[\s;]|$)"
        return any(re.match(r"(?:dkim|spf)=pass\b", m.strip()) and re.search(own, m) for m in plain.split(";"))
    return False


__all__ = ["Broken", "File", "Parsed", "authenticated", "broken_key", "parse", "reply_and_files"]
