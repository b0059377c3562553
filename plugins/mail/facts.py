"""What a mail tells, read when it is sent: what was deleted, moved away or left meanwhile is told to nobody."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import and_, case, func, select

from atrio.kernel.config import base_url
from atrio.kernel.context import Context
from atrio.kernel.host import Kernel
from atrio.plugins.accounts.api import UserNotFound, get_user, make_reset_token, reset_link
from atrio.plugins.core_content.api import CONTENT, READ, REVISION, digest_statement, text_of
from atrio.plugins.spaces.api import mail_modes_among, space_view

from .kinds import ACCESS_DECISION, ACCESS_REQUEST, ADDRESSEE, DIGEST, NONE, RESET, WELCOME
from .kinds import CONTENT as CONTENT_KIND
from .models import OUTGOING
from .text import clean_body, mentioned_ids, name_mentions, shortened

log = logging.getLogger("atrio.mail")
LINES = 100
"""Contents that a digest names; the rest is counted."""
WITH_TEXT = frozenset({"html-document", "thread", "comment", "file"})


class NothingToTell(Exception):
    """There is nothing to send any more; the text says why."""


@dataclass
class Facts:
    """What a template shows, and what the headers need."""

    kind: str
    values: dict[str, Any]
    author_id: int | None = None
    author_name: str = ""
    space_id: int | None = None
    space_label: str = ""
    thread_id: int | None = None
    personal: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


def content_url(ctx: Context, content_id: int) -> str:
    """Return the address of a content in the front end."""
    return f"{base_url(ctx.config)}/ui/contents/{content_id}"


def space_url(ctx: Context, space_id: int) -> str:
    """Return the address of a space in the front end."""
    return f"{base_url(ctx.config)}/ui/workspaces/{space_id}/dashboard"


def facts_of(ctx: Context, row: Any) -> Facts:
    """Return what a queued mail tells; NothingToTell when that is over. Those with links write their token."""
    makers = {
        CONTENT_KIND: _content, WELCOME: _welcome, RESET: _reset, ACCESS_REQUEST: _access,
        ACCESS_DECISION: _access, DIGEST: _digest,
    }  # fmt: skip
    maker = makers.get(row.kind)
    if maker is not None:
        return maker(ctx, row)
    foreign = declared_facts(ctx.kernel).get(row.kind)
    return _foreign(ctx, row, foreign) if foreign is not None else _plain(ctx, row)


def details_of(row: Any) -> dict[str, Any]:
    """Return what was put beside a queued mail."""
    return dict(msgspec.json.decode(row.details or "{}"))


class Outsider(NamedTuple):
    """Somebody without an account, as the addressee of a mail."""

    email: str
    public_name: str
    lang: str | None


def outsider(row: Any) -> Outsider | None:
    """Return whom a mail goes to that belongs to no account."""
    given = details_of(row).get(ADDRESSEE)
    if not given or not given.get("address"):
        return None
    return Outsider(given["address"], given.get("name") or "", given.get("lang"))


def declared_facts(kernel: Kernel) -> Mapping[str, Callable[..., Any]]:
    """Return what other plugins read for mails of their kinds; asked once, who fails is left out."""

    def collect() -> dict[str, Callable[..., Any]]:
        found: dict[str, Callable[..., Any]] = {}
        for record in kernel.records:
            if not record.enabled:
                continue
            try:
                found |= kernel.ask(record, "register_mail_facts") or {}
            except Exception:
                log.exception("the mail facts of %s are left out", record.name)
                kernel.note_fault(record)
        return found

    return kernel.memo("mail.facts", collect)


def _foreign(ctx: Context, row: Any, read: Callable[..., Any]) -> Facts:
    found = read(ctx, details_of(row))
    if found is None:
        raise NothingToTell("there is nothing to tell any more")
    return Facts(
        row.kind, dict(found["values"]), author_id=found.get("author_id"),
        author_name=found.get("author_name", ""), space_id=found.get("space_id"),
        space_label=found.get("space_label", ""),
    )  # fmt: skip


def _plain(ctx: Context, row: Any) -> Facts:
    details = details_of(row)
    return Facts(row.kind, details, extra={"in_reply_to": details.get("in_reply_to")})


# -- contents ------------------------------------------------------------------------------------------------

_REVISION = select(REVISION.c.revision_type, REVISION.c.status, REVISION.c.label)


def _content(ctx: Context, row: Any) -> Facts:
    content = digest_statement(ctx).first(ctx, content_id=row.content_id)
    if content is None or content.is_deleted or content.is_archived:
        raise NothingToTell("the content is gone")
    main = content
    if content.content_type in ("comment", "todo") and content.parent_id is not None:
        main = digest_statement(ctx).first(ctx, content_id=content.parent_id)
        if main is None or main.is_deleted or main.is_archived:
            raise NothingToTell("the content is gone")
    space = space_view(ctx, content.workspace_id)
    revision = ctx.execute(_REVISION.where(REVISION.c.revision_id == row.revision_id)).first()
    if space is None or space.is_deleted or revision is None:
        raise NothingToTell("the space is gone")
    author = _name(ctx, row.author_id)
    values = {
        "action": _action(revision.revision_type, content.content_type), "author": author,
        "content_type": main.content_type, "label": main.label or main.filename, "space": space.label,
        "status": revision.status, "body": _body(ctx, content, row.revision_id),
        "url": content_url(ctx, main.content_id), "space_url": space_url(ctx, content.workspace_id),
    }  # fmt: skip
    return Facts(
        CONTENT_KIND, values, author_id=row.author_id, author_name=author, space_id=content.workspace_id,
        space_label=space.label, thread_id=main.content_id,
    )  # fmt: skip


def _action(revision_type: str, content_type: str) -> str:
    if content_type == "comment":
        return "comment" if revision_type != "edition" else "comment-edition"
    return revision_type if revision_type in ("creation", "edition", "revision", "status-update") else "mention"


def _body(ctx: Context, content: Any, revision_id: int) -> str:
    """Return the text of a revision as the mail shows it; empty for what has none to read."""
    if content.content_type not in WITH_TEXT:
        return ""
    text = text_of(ctx, revision_id)
    raw = (text.raw_content or text.description) if text is not None else ""
    body = clean_body(raw or "")
    if "<html-mention" in body:
        body = name_mentions(body, {i: _name(ctx, i) for i in sorted(mentioned_ids(body))[:50]})
    return shortened(body)


def _name(ctx: Context, user_id: int | None) -> str:
    if user_id is None:
        return ""
    try:
        return str(get_user(ctx, user_id).public_name)
    except UserNotFound:
        return ""


# -- accounts and access -------------------------------------------------------------------------------------


def _welcome(ctx: Context, row: Any) -> Facts:
    user = get_user(ctx, row.user_id)
    token = make_reset_token(ctx, row.user_id, welcome=True) if user.password_hash is None else None
    link = reset_link(ctx, user.email, token) if token else f"{base_url(ctx.config)}/ui/login"
    values = {
        "author": _name(ctx, row.author_id if row.author_id != row.user_id else None), "url": link,
        "login": user.email, "username": user.username or "", "sets_password": token is not None,
    }  # fmt: skip
    return Facts(WELCOME, values, personal=True)


def _reset(ctx: Context, row: Any) -> Facts:
    user = get_user(ctx, row.user_id)
    if user.auth_type not in ("internal", "unknown"):
        raise NothingToTell("the password is kept elsewhere")
    link = reset_link(ctx, user.email, make_reset_token(ctx, row.user_id))
    return Facts(RESET, {"url": link, "login": user.email}, personal=True)


def _access(ctx: Context, row: Any) -> Facts:
    details = details_of(row)
    space = space_view(ctx, details["space_id"])
    if space is None or space.is_deleted:
        raise NothingToTell("the space is gone")
    values = {
        "user": _name(ctx, details["user_id"]), "state": details["state"], "space": space.label,
        "url": space_url(ctx, details["space_id"]), "author": _name(ctx, row.author_id),
    }  # fmt: skip
    return Facts(row.kind, values, space_id=details["space_id"], space_label=space.label)


# -- digests -------------------------------------------------------------------------------------------------


def _digest(ctx: Context, row: Any) -> Facts:
    """Return the unread lines of a digest by space, each content once, those that mention the receiver first."""
    lines = _lines(ctx, row)
    allowed: dict[int, bool] = {}
    for space_id in {line.space_id for line in lines}:
        mode = mail_modes_among(ctx, space_id, [row.user_id]).get(row.user_id)
        allowed[space_id] = mode is not None and mode != NONE
    lines = [line for line in lines if allowed[line.space_id]]
    if not lines:
        raise NothingToTell("everything was read, or is gone")
    spaces: dict[int, dict[str, Any]] = {}
    for line in lines[:LINES]:
        space = spaces.setdefault(line.space_id, {"label": "", "url": space_url(ctx, line.space_id), "lines": []})
        space["lines"].append(_line(ctx, line))
    for space_id in list(spaces):
        view = space_view(ctx, space_id)
        if view is None or view.is_deleted:
            del spaces[space_id]
        else:
            spaces[space_id]["label"] = view.label
    if not spaces:
        raise NothingToTell("the spaces are gone")
    total = sum(line.changes for line in lines)
    values = {
        "mode": row.mode, "spaces": list(spaces.values()), "more": max(0, len(lines) - LINES), "total": total,
        "mentions": sum(line.mentions for line in lines), "url": f"{base_url(ctx.config)}/ui",
    }  # fmt: skip
    return Facts(DIGEST, values, personal=True)


def _lines(ctx: Context, row: Any) -> list[Any]:
    """Return one row for each main content that the lines of a digest are about: one statement.

    A line counts while its content can be seen and its reader has not read that revision.
    """
    item, content, main = OUTGOING.alias("item"), CONTENT.alias("content"), CONTENT.alias("main")
    read = READ.alias("seen")
    main_id = case(
        (and_(content.c.type.in_(("comment", "todo")), content.c.parent_id.is_not(None)), content.c.parent_id),
        else_=content.c.content_id,
    )
    query = (
        select(
            main.c.content_id, main.c.space_id, main.c.type, main.c.label, main.c.filename,
            func.count().label("changes"), func.sum(item.c.mentioned).label("mentions"),
            func.sum(case((content.c.type == "comment", 1), else_=0)).label("comments"),
            func.max(item.c.author_id).label("author_id"), func.min(item.c.author_id).label("other_id"),
        )
        .select_from(item)
        .join(content, content.c.content_id == item.c.content_id)
        .join(main, main.c.content_id == main_id)
        .outerjoin(read, and_(read.c.user_id == item.c.user_id, read.c.content_id == content.c.content_id))
        .where(
            item.c.receiver == row.receiver, item.c.digest == row.ref, _visible(content), _visible(main),
            (read.c.revision_id.is_(None)) | (read.c.revision_id < item.c.revision_id),
        )
        .group_by(main.c.content_id, main.c.space_id, main.c.type, main.c.label, main.c.filename)
        .order_by(func.sum(item.c.mentioned).desc(), func.max(item.c.mail_id).desc())
    )  # fmt: skip
    return list(ctx.execute(query).all())


def _visible(table: Any) -> Any:
    return and_(table.c.trashed_at.is_(None), table.c.archived_at.is_(None), table.c.hidden_by.is_(None))


def _line(ctx: Context, line: Any) -> Mapping[str, Any]:
    alone = line.author_id is not None and line.author_id == line.other_id
    return {
        "label": line.label or line.filename, "url": content_url(ctx, line.content_id), "type": line.type,
        "changes": int(line.changes), "comments": int(line.comments or 0), "mentioned": bool(line.mentions),
        "author": _name(ctx, line.author_id) if alone else "",
    }  # fmt: skip
