"""What becomes of a mail: taken once, refused with a reason and one answer, or ignored.

Only who holds a signed tag (in the address he answers to, or in the id of the mail he answers) and writes from the
address of the account that the tag was given to is heard. Refusals are answered to that account, never to an
address that somebody put into a header.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from atrio.kernel.blobs import TemporaryBlob
from atrio.kernel.context import Actor, Context
from atrio.kernel.db.work import is_retryable
from atrio.kernel.errors import KernelError, RetryWork
from atrio.kernel.host import Kernel
from atrio.kernel.http.guards import check_all
from atrio.kernel.http.route import Call
from atrio.kernel.jobs import SECOND
from atrio.plugins.accounts.api import UserNotFound, get_user
from atrio.plugins.core_content.api import (
    CONTENT_GUARD,
    add_comment,
    content_types,
    create_content,
    create_file,
    digest_statement,
)
from atrio.plugins.spaces.api import CONTRIBUTOR, NOT_TRASHED, SPACE, refuse_trashed

from .. import queries, services
from ..config import MailConfig, sender_address
from ..models import INCOMING
from ..tags import Signed, read_message_id, read_tag, signing_key, tag_of
from ..text import to_html
from .parse import Broken, File, Parsed, authenticated, broken_key, parse, reply_and_files

log = logging.getLogger("atrio.mail")
ATTEMPTS = 3
ANSWERS_A_DAY = 10
NAMES = 50
TAKEN, REFUSED, IGNORED, FAILED = "taken", "refused", "ignored", "failed"
_REASONS = {
    1002: "gone", 1003: "gone", 1001: "gone", 4003: "role", 2044: "closed", 2038: "closed", 2003: "empty",
    6002: "size", 6003: "quota", 6004: "quota",
}  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What became of a mail; `again` for one that is left where it is for another try."""

    state: str
    reason: str = ""

    @property
    def again(self) -> bool:
        """Tell whether it has to be tried again."""
        return self.state == "trying"


class _Refused(Exception):
    """A mail is refused; `word` is what its sender is told."""

    def __init__(self, word: str, reason: str) -> None:
        super().__init__(reason)
        self.word = word


class _Ignored(Exception):
    """A mail is passed over: nobody is told, a log line says why."""


def take(kernel: Kernel, raw: bytes) -> Verdict:
    """Handle one mail and return what became of it; the same mail again gives the same verdict and does nothing.

    A fault that is not the mail's own (the database away) is raised: the mail stays where it is.
    """
    parsed, broken = _parsed(raw)
    known = _begin(kernel, parsed.key)
    if known is not None:
        return known
    try:
        if broken:
            raise _Ignored(broken)
        return _Handling(kernel, parsed).go()
    except _Ignored as reason:
        log.info("mail %r is ignored: %s", parsed.message_id[:80], reason)
        return _finish(kernel, parsed.key, Verdict(IGNORED, str(reason)))
    except Exception as error:
        if is_retryable(error):
            raise
        log.exception("mail %r could not be handled", parsed.message_id[:80])
        return Verdict("trying", f"{type(error).__name__}: {error}"[:500])


def _parsed(raw: bytes) -> tuple[Parsed, str]:
    """Return a mail with its headers read, or a bare one with its key and why it cannot be read.

    Whatever a parser may raise: a mail that breaks it must not come again for ever.
    """
    try:
        return parse(raw), ""
    except Broken as error:
        return Parsed(key=broken_key(raw)), str(error)
    except Exception as error:
        log.exception("a mail breaks the parser")
        return Parsed(key=broken_key(raw)), f"{type(error).__name__} in the parser"


def too_large(kernel: Kernel, headers: bytes, size: int) -> Verdict:
    """Refuse a mail unread because of its size; its headers tell whom to answer."""
    parsed, broken = _parsed(headers + b"\r\n\r\n")
    known = _begin(kernel, parsed.key)
    if known is not None:
        return known
    if broken:
        return _finish(kernel, parsed.key, Verdict(IGNORED, f"too large, and {broken}"))
    return _Handling(kernel, parsed).refuse_unread("size", f"{size} bytes")


def _begin(kernel: Kernel, key: str) -> Verdict | None:
    """Count an attempt; return the verdict of a mail that is over, or that failed too often."""

    def count(ctx: Context) -> Verdict | None:
        row = queries.came(ctx, key)
        if row is None:
            values = {"key": key, "state": "trying", "attempt": 1, "created": ctx.now}
            try:
                with ctx.savepoint():
                    ctx.execute(insert(INCOMING).values(**values))
            except IntegrityError:
                raise RetryWork from None
            return None
        if row.state != "trying":
            return Verdict(row.state, row.reason or "")
        if row.attempt >= ATTEMPTS:
            _mark(ctx, key, state=FAILED, reason="failed too often")
            log.error("mail with key %s is given up after %d attempts", key, row.attempt)
            return Verdict(FAILED, "failed too often")
        _mark(ctx, key, attempt=row.attempt + 1)
        return None

    return kernel.run(count)


def _mark(ctx: Context, key: str, **values: Any) -> None:
    ctx.execute(update(INCOMING).where(INCOMING.c.key == key).values(**values))


def _finish(kernel: Kernel, key: str, verdict: Verdict) -> Verdict:
    kernel.run(lambda ctx: _mark(ctx, key, state=verdict.state, reason=verdict.reason[:2000]))
    return verdict


class _Handling:
    """One mail on its way to a comment or a thread."""

    def __init__(self, kernel: Kernel, parsed: Parsed) -> None:
        self.kernel = kernel
        self.parsed = parsed
        self.settings = kernel.config[MailConfig]
        self._blobs: list[tuple[File, TemporaryBlob]] = []

    def go(self) -> Verdict:
        """Take the mail, or refuse it with one answer."""
        purpose, signed, user = self._who()
        try:
            self._check_sender(user)
            text, files = self._read()
            call = self._reply if purpose == "reply" else self._thread
            actor = Actor(user.user_id, "user", user, "mail")
            with self._received(files):
                content_id = self.kernel.run(lambda ctx: self._act(ctx, call, signed, text, files), actor=actor)
        except _Refused as refusal:
            return self._refuse(user, refusal.word, str(refusal))
        except KernelError as error:
            if isinstance(error, RetryWork):
                raise
            word = _REASONS.get(error.code or 0, "other")
            return self._refuse(user, word, f"{type(error).__name__} {error.code or ''}".strip())
        log.info("a mail of user %d became content %d", user.user_id, content_id)
        return Verdict(TAKEN)

    def refuse_unread(self, word: str, reason: str) -> Verdict:
        """Refuse without a look at the body."""
        try:
            _, _, user = self._who()
            self._check_sender(user)
        except _Ignored as ignored:
            return _finish(self.kernel, self.parsed.key, Verdict(IGNORED, str(ignored)))
        except _Refused as refusal:
            return self._refuse(user, refusal.word, str(refusal))
        return self._refuse(user, word, reason)

    # -- who writes, and what about --------------------------------------------------------------------------

    def _who(self) -> tuple[str, Signed, Any]:
        """Return what the mail wants, what its tag says, and the account of the tag; _Ignored without any."""
        parsed = self.parsed
        if parsed.automatic:
            raise _Ignored(f"automatic ({parsed.automatic})")
        own = {sender_address(self.kernel.config).lower()}
        if parsed.senders != 1 or parsed.sender in own:
            raise _Ignored("not from one person")

        def look(ctx: Context) -> tuple[str, Signed, Any]:
            found = self._tag(signing_key(ctx))
            if found is None:
                raise _Ignored("no valid tag")
            try:
                user = get_user(ctx, found[1].user_id)
            except UserNotFound:
                raise _Ignored("the account of the tag is gone") from None
            if not user.is_active or user.is_deleted or not user.email:
                raise _Ignored("the account of the tag cannot sign in")
            return (*found, user)

        return self.kernel.run(look)

    def _tag(self, key: bytes) -> tuple[str, Signed] | None:
        """Return the first good tag: of the address that was written to, else of the mail that was answered."""
        for purpose, pattern in (("reply", self.settings.reply_address), ("space", self.settings.space_address)):
            for address in self.parsed.recipients:
                tag = tag_of(pattern, address)
                signed = read_tag(key, purpose, tag) if tag else None
                if signed is not None:
                    return purpose, signed
        for message_id in self.parsed.answers:
            signed = read_message_id(key, message_id)
            if signed is not None:
                return "reply", signed
        return None

    def _check_sender(self, user: Any) -> None:
        if self.parsed.sender != user.email.strip().lower():
            raise _Refused("sender", "from another address than the account's")
        authserv = self.settings.trusted_authserv
        if authserv and not authenticated(self.parsed, authserv):
            raise _Ignored("the sender is not authenticated")

    def _read(self) -> tuple[str, list[File]]:
        try:
            text, files = reply_and_files(self.parsed, self.settings.max_attachments)
        except Broken as error:
            raise _Refused("broken", str(error)) from None
        if not text and not files:
            raise _Refused("empty", "nothing was written")
        return text, files

    @contextmanager
    def _received(self, files: list[File]) -> Iterator[None]:
        """Put the attachments into temporary blobs, look at them and send them to a store elsewhere."""
        try:
            for file in files:
                blob = self.kernel.blobs.begin()
                self._blobs.append((file, blob))
                blob.write(file.data)
                blob.close(fsync=self.kernel.blobs.fsync)
                self.kernel.check_received(blob)
                self.kernel.blobs.upload(blob)
            yield
        finally:
            for _, blob in self._blobs:
                blob.discard()

    # -- what is written -------------------------------------------------------------------------------------

    def _act(
        self, ctx: Context, call: Callable[..., int], signed: Signed, text: str, files: list[File]
    ) -> int:  # fmt: skip
        """Write the content and the verdict in one transaction."""
        content_id = call(ctx, signed, text, files)
        _mark(ctx, self.parsed.key, state=TAKEN, user_id=signed.user_id, content_id=content_id)
        return content_id

    def _reply(self, ctx: Context, signed: Signed, text: str, files: list[File]) -> int:
        """Comment as the sender, behind the same guards as the route; files lie beside the comment."""
        row = digest_statement(ctx).first(ctx, content_id=signed.subject_id)
        if row is None:
            raise _Refused("gone", "the content is gone")
        path = {"workspace_id": str(row.workspace_id), "content_id": str(signed.subject_id)}
        check_all(ctx, Call(path=path), (SPACE, CONTRIBUTOR, CONTENT_GUARD))
        content = ctx.resources["content"]
        html = to_html(text)
        reply = {
            "content": content, "text": text, "html": html, "subject": self.parsed.subject,
            "files": [file.name for file in files],
        }  # fmt: skip
        taken = self.kernel.hooks.hook.handle_reply(ctx=ctx, reply=reply)
        if taken is not None:
            return int(taken)
        if content.is_deleted or content.is_archived:
            raise _Refused("gone", "the content is in the trash or archived")
        if not content.is_editable:
            raise _Refused("closed", "the content is closed")
        made = add_comment(ctx, content, html) if text else 0
        first = self._attach(ctx, ctx.resources["space"], signed.subject_id)
        return made or first

    def _thread(self, ctx: Context, signed: Signed, text: str, files: list[File]) -> int:
        """Open a thread in a space that takes them, with the text as its first comment."""
        path = {"workspace_id": str(signed.subject_id)}
        check_all(ctx, Call(path=path), (SPACE, CONTRIBUTOR, NOT_TRASHED))
        space = ctx.resources["space"]
        refuse_trashed(space)
        if not queries.takes_threads(ctx, signed.subject_id):
            raise _Refused("closed", "the space takes no threads by mail")
        label = (self.parsed.subject or text.partition("\n")[0])[:150].strip() or "…"
        thread_id = self._named(
            label,
            lambda name: create_content(
                ctx, space, kind=content_types(ctx.kernel)["thread"], label=name, parent_id=None,
                namespace="content",
            ),
            ctx,
        )  # fmt: skip
        if text:
            path["content_id"] = str(thread_id)
            check_all(ctx, Call(path=path), (CONTENT_GUARD,))
            add_comment(ctx, ctx.resources["content"], to_html(text))
        self._attach(ctx, space, thread_id)
        return thread_id

    def _attach(self, ctx: Context, space: Any, content_id: int) -> int:
        """Write the files below the content; returns the id of the first, 0 without any."""
        first = 0
        for file, blob in self._blobs:
            make = partial(
                create_file, ctx, space, blob=blob, media=file.media, parent_id=content_id, namespace="content"
            )
            made = self._named(file.name, make, ctx)
            first = first or made
        return first

    def _named(self, name: str, make: Callable[..., int], ctx: Context) -> int:
        """Make something under a name, or the next free one: `scan.pdf`, `scan (2).pdf`."""
        stem, dot, extension = name.rpartition(".") if "." in name.strip(".") else (name, "", "")
        for number in range(1, NAMES + 1):
            chosen = name if number == 1 else f"{stem} ({number}){dot}{extension}"
            try:
                with ctx.savepoint():
                    return make(name=chosen)
            except KernelError as error:
                if error.code != 3002 or number == NAMES:
                    raise
        raise AssertionError

    # -- refusing --------------------------------------------------------------------------------------------

    def _refuse(self, user: Any, word: str, reason: str) -> Verdict:
        """Note the refusal, and answer it once to the account's address, so many times a day."""
        log.info("a mail of user %d is refused: %s (%s)", user.user_id, reason, word)
        key = self.parsed.key

        def write(ctx: Context) -> None:
            answered = queries.refusals_since(ctx, user.user_id, ctx.now - 86_400 * SECOND)
            _mark(ctx, key, state=REFUSED, user_id=user.user_id, reason=f"{word}: {reason}"[:2000])
            if answered < ANSWERS_A_DAY:
                details = {
                    "subject_line": self.parsed.subject[:150],
                    "reason": word,
                    "in_reply_to": self.parsed.message_id[:500],
                }
                services.queue_refusal(ctx, user.user_id, key, details)
                ctx.defer("mail.deliver")

        self.kernel.run(write)
        return Verdict(REFUSED, reason)
