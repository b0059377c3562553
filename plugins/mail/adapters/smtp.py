"""SMTP by aiosmtplib over one kept connection."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine
from typing import Any

import aiosmtplib

from ..config import MailConfig
from ..message import Envelope
from ..transport import InDoubt, Permanent, Temporary, Unreachable

CONCERNS_US = frozenset({421, 530, 534, 535, 538})
"""Replies that are no verdict on a mail: the service closes, or wants a login (RFC 5321 §4.2, RFC 4954 §6)."""


def tls_context(ca_file: str) -> ssl.SSLContext:
    """Return how servers are trusted: by the system's authorities, or by those of a file."""
    return ssl.create_default_context(cafile=ca_file or None)


class _Broke(Unreachable):
    """The connection broke before a mail was in doubt: a kept one may just have been closed in the pause."""


class SmtpTransport:
    """One connection, opened at the first mail and kept until `close`; its event loop is its own.

    aiosmtplib is asynchronous, a job is not: `asyncio.Runner` drives it in the job's thread.
    """

    def __init__(self, settings: MailConfig) -> None:
        self.settings = settings
        self._runner = asyncio.Runner()
        self._client: aiosmtplib.SMTP | None = None

    def send(self, envelope: Envelope) -> None:
        """Hand a mail over; when the connection was dropped between two mails, over a new one."""
        kept = self._client is not None
        try:
            self._drive(self._send(envelope))
        except _Broke:
            if not kept:
                raise
            self._drive(self._send(envelope))

    def _drive(self, dialogue: Coroutine[Any, Any, None]) -> None:
        self._runner.get_loop().run_until_complete(dialogue)

    def close(self) -> None:
        """Say QUIT, for a moment, and close."""
        try:
            self._runner.run(self._quit())
        finally:
            self._runner.close()

    async def _send(self, envelope: Envelope) -> None:
        client = await self.connection()
        try:
            await self._dialogue(client, envelope)
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as error:
            code, text = reply_of(error)
            await self._reset(client)
            if code in CONCERNS_US or "relay" in text.lower():
                await self._drop()
                raise Unreachable(f"{code} {text}") from None
            raise (Permanent if 500 <= code < 600 else Temporary)(f"{code} {text}") from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            await self._drop()
            raise InDoubt(f"{type(error).__name__}: {error}") from None

    async def _dialogue(self, client: aiosmtplib.SMTP, envelope: Envelope) -> None:
        """Announce and hand over; what goes wrong before a receiver is named concerns all mails, not this one."""
        options = [] if envelope.recipient.isascii() else ["SMTPUTF8"]
        try:
            await client.mail(envelope.sender, options=options, encoding="utf-8" if options else "ascii")
        except (aiosmtplib.SMTPException, OSError) as error:
            await self._drop()
            code, text = reply_of(error)
            if code in (0, 421):  # gone, or enough mails for one connection
                raise _Broke(f"the connection was closed: {text}") from None
            raise Unreachable(f"the sender {envelope.sender} is refused: {code} {text}") from None
        await client.rcpt(envelope.recipient, encoding="utf-8" if options else "ascii")
        await client.data(envelope.data)

    async def connection(self) -> aiosmtplib.SMTP:
        """Return the open connection, signed in; Unreachable when there is none to be had."""
        if self._client is not None and self._client.is_connected:
            return self._client
        settings = self.settings
        client = aiosmtplib.SMTP(
            hostname=settings.smtp_host, port=settings.smtp_port, timeout=settings.smtp_seconds,
            use_tls=settings.smtp_security == "tls", start_tls=settings.smtp_security == "starttls",
            tls_context=None if settings.smtp_security == "none" else tls_context(settings.ca_file),
        )  # fmt: skip
        try:
            await client.connect()
            if settings.smtp_user:
                await client.login(settings.smtp_user, settings.smtp_password or "")
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            client.close()
            raise Unreachable(explain(error, settings)) from error
        self._client = client
        return client

    async def _reset(self, client: aiosmtplib.SMTP) -> None:
        try:
            await client.rset()
        except (aiosmtplib.SMTPException, OSError):
            await self._drop()

    async def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def _quit(self) -> None:
        client, self._client = self._client, None
        if client is not None and client.is_connected:
            try:
                await client.quit(timeout=2)
            except (aiosmtplib.SMTPException, OSError):
                client.close()


def reply_of(error: Exception) -> tuple[int, str]:
    """Return code and text of what a server answered."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        error = error.recipients[0]
    return int(getattr(error, "code", 0) or 0), str(getattr(error, "message", error))[:500]


def explain(error: BaseException, settings: MailConfig) -> str:
    """Say in plain words why a server cannot be used; never shows the password."""
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"the certificate of {where} cannot be trusted: {cause.verify_message} "
                "(is mail.smtp_host the name in the certificate? mail.ca_file names an authority of your own)"
            )
        if isinstance(cause, ssl.SSLError):
            return f"{where} does not speak TLS there ({cause.reason}); port 587 wants starttls, 465 wants tls"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return f"{where} refuses the login {settings.smtp_user!r}: {error.code} {error.message}"
    if isinstance(error, aiosmtplib.SMTPTimeoutError | TimeoutError):
        return f"{where} does not answer within {settings.smtp_seconds:g} s (a firewall? with port 465: tls?)"
    return _explain_rest(error, where, settings)


def _explain_rest(error: BaseException, where: str, settings: MailConfig) -> str:
    text = str(error)
    lowered = text.lower()
    if "name or service" in lowered or "nodename" in lowered or "name resolution" in lowered:
        return f"the name {settings.smtp_host!r} is unknown: see mail.smtp_host"
    if "refused" in lowered or "111" in lowered:
        return f"nothing listens at {where}: see mail.smtp_host and mail.smtp_port"
    if isinstance(error, aiosmtplib.SMTPNotSupported) or "starttls" in lowered:
        return f"{where}: {text}; see mail.smtp_security and mail.smtp_user"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{where} says {error.code} {error.message}"
    return f"{where}: {text or type(error).__name__}"


async def _probe(transport: SmtpTransport) -> Any:
    return await transport.connection()


def probe(transport: SmtpTransport) -> str:
    """Connect and sign in; return what was agreed on. Unreachable says what is wrong."""
    client = transport._runner.run(_probe(transport))
    settings = transport.settings
    secured = {"tls": "TLS", "starttls": "STARTTLS", "none": "no encryption"}[settings.smtp_security]
    login = f"signed in as {settings.smtp_user}" if settings.smtp_user else "without a login"
    return f"connected to {client.hostname}:{client.port}, {secured}, {login}"
