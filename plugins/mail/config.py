"""Settings of mail."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address
from urllib.parse import urlsplit

from atrio.kernel.config import Config, ConfigSection, StorageConfig, base_url, option

TAG = "{tag}"
"""Where the signed tag of a reply stands in `reply_address`."""


def _transport(text: str) -> str:
    """Return what the switch of a Tracim instance means here."""
    return "smtp" if text.strip().lower() in ("1", "true", "yes", "on") else "off"


def _security(text: str) -> str:
    """Return what an `encryption` of a Tracim instance means here: STARTTLS is wanted, not only tried."""
    return {"smtps": "tls", "unsecure": "none"}.get(text.strip().lower(), "starttls")


def _reply_address(text: str) -> str:
    return text.replace("{content_id}", TAG)


def _incoming(text: str) -> str:
    return "imap" if text.strip().lower() in ("1", "true", "yes", "on") else "off"


def _tls(text: str) -> str:
    return "tls" if text.strip().lower() in ("1", "true", "yes", "on") else "none"


@dataclass(frozen=True)
class MailConfig:
    """Mail out and in."""

    transport: str = option(
        "file", choices=("file", "smtp", "off"), legacy="email.notification.activated", from_legacy=_transport,
        help="How mail leaves: as files in a folder (to try things out), to an SMTP server, or not at all.",
    )  # fmt: skip
    settle_seconds: int = option(
        60, minimum=0, maximum=3600,
        help="How long a mail about a file waits: programs save several times, and one mail is enough.",
    )  # fmt: skip
    file_folder: str = option("", help="Folder of the .eml files; empty: <data>/mail.")
    smtp_host: str = option("localhost", legacy="email.notification.smtp.server", help="Name of the SMTP server.")
    smtp_port: int = option(
        587, minimum=1, maximum=65535, legacy="email.notification.smtp.port",
        help="Its port: usually 587 with starttls, 465 with tls, 25 without.",
    )  # fmt: skip
    smtp_security: str = option(
        "starttls", choices=("starttls", "tls", "none"), legacy="email.notification.smtp.encryption",
        from_legacy=_security,
        help="Encryption to the SMTP server; a server that cannot do what is asked gets no mail.",
    )  # fmt: skip
    smtp_user: str = option("", legacy="email.notification.smtp.user", help="Login there; empty: none.")
    smtp_password: str | None = option(
        None, legacy="email.notification.smtp.password", secret=True, help="Password there."
    )
    smtp_seconds: float = option(
        30.0, minimum=1, maximum=120, help="Seconds that the SMTP server may take for one step."
    )
    ca_file: str = option(
        "", help="PEM file of the authority that signed the servers' certificates; empty: the system's."
    )
    give_up_hours: int = option(96, minimum=1, help="Hours for which a mail is tried before it is given up.")
    keep_days: int = option(30, minimum=1, help="Days for which what was sent or refused stays listed.")
    from_address: str = option(
        "", legacy="email.notification.from.email",
        help="Address of the sender; may hold {user_id}, the author's number; empty: atrio@<host of the website>.",
    )  # fmt: skip
    from_label: str = option(
        "", legacy="email.notification.from.default_label",
        help="Name of the sender where nobody is the author; empty: the name of the instance.",
    )  # fmt: skip
    reply_address: str = option(
        "", legacy="email.notification.reply_to.email", from_legacy=_reply_address,
        help="Address for replies, with {tag} in its local part (reply+{tag}@example.org); empty: no replies.",
    )  # fmt: skip
    space_address: str = option(
        "",
        help="Address for new threads, with {tag} (space+{tag}@example.org); empty: no threads by mail.",
    )  # fmt: skip
    signing_key: str | None = option(
        None, secret=True, help="Key that signs the tags; empty: one that the database keeps."
    )
    logo_url: str = option("", help="Address of a picture at the top of each mail; empty: none.")
    color: str = option("#2b5a83", help="Colour of titles and buttons, #rrggbb.")
    footer: str = option("", help="A line at the bottom of each mail (an address, a contact).")
    template_folder: str = option(
        "", help="Folder whose templates and locale/*.po come before the built-in ones; empty: none."
    )
    digest_hour: int = option(6, minimum=0, maximum=23, help="Hour (UTC) of the daily and weekly digests.")
    digest_weekday: int = option(0, minimum=0, maximum=6, help="Day of the weekly digests; 0: Monday.")
    incoming: str = option(
        "off", choices=("off", "imap", "maildir"), legacy="email.reply.activated", from_legacy=_incoming,
        help="Where replies are fetched from.",
    )  # fmt: skip
    imap_host: str = option("localhost", legacy="email.reply.imap.server", help="Name of the IMAP server.")
    imap_port: int = option(
        993, minimum=1, maximum=65535, legacy="email.reply.imap.port", help="Its port: 993 with tls, else 143."
    )
    imap_security: str = option(
        "tls", choices=("tls", "starttls", "none"), legacy="email.reply.imap.use_ssl", from_legacy=_tls,
        help="Encryption to the IMAP server.",
    )  # fmt: skip
    imap_user: str = option("", legacy="email.reply.imap.user", help="Login there.")
    imap_password: str | None = option(
        None, legacy="email.reply.imap.password", secret=True, help="Password there."
    )
    imap_folder: str = option("INBOX", legacy="email.reply.imap.folder", help="Folder that is read.")
    imap_idle: bool = option(
        True, legacy="email.reply.imap.use_idle", help="Let the server tell of new mail, where it can (IDLE)."
    )
    maildir: str = option("", help="Path of the Maildir, for incoming = maildir.")
    done_folder: str = option("Atrio-Done", help="Folder for mails that were taken.")
    refused_folder: str = option("Atrio-Refused", help="Folder for mails that were refused or failed.")
    poll_seconds: float = option(
        60.0,
        minimum=0.1,
        legacy="email.reply.check.heartbeat",
        help="Seconds between two looks; with IDLE, the longest time between two.",
    )
    max_bytes: int = option(
        25 * 1024 * 1024, minimum=10_000, help="Largest mail that is read; a larger one is refused unread."
    )
    max_attachments: int = option(20, minimum=0, help="Files that one reply may bring.")
    trusted_authserv: str = option(
        "",
        help="Name with which your mail server signs Authentication-Results; with it, a sender must pass DMARC, "
        "or DKIM or SPF for his own domain.",
    )  # fmt: skip


SECTION = ConfigSection("mail", MailConfig)


def host_of(config: Config) -> str:
    """Return the host of the website, for addresses and ids that nobody configured; an IP address is no domain."""
    host = urlsplit(base_url(config)).hostname or "localhost"
    return "localhost" if ":" in host or host.replace(".", "").isdigit() else host


def sender_address(config: Config, author_id: int | None = None) -> str:
    """Return the address of the sender for mails that an author caused."""
    chosen = config[MailConfig].from_address or f"atrio@{host_of(config)}"
    return chosen.replace("{user_id}", str(author_id or 0))


def mail_domain(config: Config) -> str:
    """Return the domain of message ids: the sender's."""
    return sender_address(config).rpartition("@")[2]


def file_folder(config: Config) -> str:
    """Return the folder of the file transport."""
    return config[MailConfig].file_folder or str(config[StorageConfig].data_dir / "mail")


def faults(config: Config) -> str | None:
    """Return what is wrong with the settings, None when nothing is."""
    settings = config[MailConfig]
    for key in ("reply_address", "space_address"):
        value = getattr(settings, key)
        local, _, domain = value.partition("@")
        if value and (local.count(TAG) != 1 or value.count("{") != 1 or not domain or not _valid(value, TAG)):
            return f"mail.{key}: expected an address with {TAG} before the @, got {value!r}"
    if settings.reply_address and settings.reply_address == settings.space_address:
        return "mail.space_address: must differ from mail.reply_address"
    if not _valid(sender_address(config), TAG):
        return f"mail.from_address: expected an address, got {settings.from_address!r}"
    digits = settings.color.removeprefix("#")
    if len(digits) not in (3, 6) or not all(c in "0123456789abcdefABCDEF" for c in digits):
        return f"mail.color: expected #rrggbb, got {settings.color!r}"
    if settings.incoming == "maildir" and not settings.maildir:
        return "mail.maildir: needed with incoming = maildir"
    return None


def _valid(address: str, tag: str) -> bool:
    try:
        return bool(Address(addr_spec=address.replace(tag, "t")).domain)
    except (ValueError, IndexError):
        return False
