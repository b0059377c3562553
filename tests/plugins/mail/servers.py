"""SMTP servers that misbehave, spoken to over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Sink:
    """Takes mails; `plan` says what a recipient gets at each try: a reply, "drop" or "stall"."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.tries: Counter[str] = Counter()
        self.connections = 0
        self.plan: dict[str, list[str]] = {}
        self.logins: list[tuple[str, str]] = []
        self.pause = 0.0
        self.sender_reply = ""
        self.per_connection = 0

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        pair = (data.login.decode(), data.password.decode())
        self.logins.append(pair)
        return AuthResult(success=pair == ("atrio", "right"), handled=False)

    async def handle_EHLO(  # noqa: N802 - the name is the library's
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802 - the name is the library's
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        session.taken = getattr(session, "taken", 0) + 1
        if self.per_connection and session.taken > self.per_connection:
            return "421 enough for one connection"
        envelope.mail_from = address
        return self.sender_reply or "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - the name is the library's
        self.tries[address] += 1
        planned = self.plan.get(address, [])
        step = planned.pop(0) if planned else "250 OK"
        if step in ("drop", "stall", "drop after"):
            session.step = step
            step = "250 OK"
        if step.startswith("250"):
            envelope.rcpt_tos.append(address)
        return step

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the name is the library's
        step, session.step = getattr(session, "step", ""), ""
        if step == "drop":
            server.transport.abort()
            return "451 never seen"
        await asyncio.sleep(self.pause)
        if step == "stall":
            await asyncio.sleep(30)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        if step == "drop after":
            server.transport.abort()
        return "250 taken"


class _Quiet(Controller):
    def factory(self) -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of logins without TLS, which is what some tests want
            return SMTP(self.handler, **self.SMTP_kwargs)


@contextlib.contextmanager
def smtp_server(**options: Any) -> Iterator[Sink]:
    """Run a server on a free port; the sink knows it as `sink.port`."""
    sink: Any = Sink()
    login = options.pop("login", False)
    if login:
        options |= {"authenticator": sink.authenticate, "auth_required": True, "auth_require_tls": False}
    controller = _Quiet(sink, hostname="127.0.0.1", port=0, **options)
    # port 0: aiosmtpd's own readiness probe would dial it, so the loop is run here
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        loop.create_server(controller.factory, "127.0.0.1", 0, ssl=options.get("ssl_context"))
    )
    sink.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:

        async def end() -> None:
            server.close()
            others = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
