"""Reads of accounts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, bindparam, exists, func, inspect, literal, or_, select, type_coerce
from sqlalchemy.orm import aliased

from atrio.kernel.context import Context
from atrio.kernel.db.base import Base
from atrio.kernel.db.statement import Statement

from .models import ApplicationToken, Follow, Parameter, Picture, Properties, Session, Token, User

COLUMNS = (
    User.user_id, User.email, User.username, User.public_name, User.profile, User.auth_type, User.lang,
    User.timezone, User.allowed_space, User.is_active, User.is_deleted, User.has_cover, User.created,
    User.version, User.password_hash,
)  # fmt: skip

BY_ID = Statement(select(*COLUMNS).where(User.user_id == bindparam("user_id")), "UserRow")
ALLOWANCE = Statement(select(User.allowed_space).where(User.user_id == bindparam("user_id")), "Allowance")
BY_EMAIL = Statement(select(*COLUMNS).where(User.email == bindparam("email")), "UserRow")
BY_USERNAME = Statement(select(*COLUMNS).where(User.username == bindparam("username")), "UserRow")
BY_SESSION = Statement(
    select(*COLUMNS, Session.created.label("session_created"), Session.expires.label("session_expires"))
    .join(Session, Session.user_id == User.user_id)
    .where(Session.token_hash == bindparam("token_hash"), Session.expires > bindparam("now")),
    "SessionUserRow",
)
ALL = Statement(
    select(*(c for c in COLUMNS if c.key not in ("password_hash", "version")))
    .where(User.is_deleted == bindparam("deleted"))
    .order_by(func.lower(User.public_name), User.user_id),
    "ListedUserRow",
)


BY_APPLICATION_TOKEN = Statement(
    select(
        *COLUMNS, ApplicationToken.token_id.label("application_token_id"),
        ApplicationToken.last_used.label("application_token_used"),
    )
    .join(ApplicationToken, ApplicationToken.user_id == User.user_id)
    .where(
        ApplicationToken.token_hash == bindparam("token_hash"),
        or_(ApplicationToken.expires.is_(None), ApplicationToken.expires > bindparam("now")),
    ),
    "TokenUserRow",
)  # fmt: skip
APPLICATION_TOKENS = Statement(
    select(
        ApplicationToken.token_id, ApplicationToken.label.label("label"), ApplicationToken.created,
        ApplicationToken.expires, ApplicationToken.last_used,
    )
    .where(ApplicationToken.user_id == bindparam("user_id"))
    .order_by(ApplicationToken.token_id),
    "ApplicationTokenRow",
)  # fmt: skip
BY_TOKEN = Statement(
    select(*COLUMNS)
    .join(Token, Token.user_id == User.user_id)
    .where(
        Token.token_hash == bindparam("token_hash"), Token.purpose == bindparam("purpose"),
        Token.expires > bindparam("now"),
    ),
    "UserRow",
)  # fmt: skip
TOKEN = Statement(
    select(Token.user_id, Token.expires).where(
        Token.token_hash == bindparam("token_hash"), Token.purpose == bindparam("purpose")
    ),
    "TokenRow",
)
PARAMETERS = Statement(
    select(Parameter.name, Parameter.value)
    .where(Parameter.user_id == bindparam("user_id"))
    .order_by(Parameter.name),
    "ParameterRow",
)
PARAMETER_COUNT = Statement(
    select(func.count().label("n")).where(Parameter.user_id == bindparam("user_id")), "Count"
)
PROPERTIES = Statement(
    select(Properties.document).where(Properties.user_id == bindparam("user_id")), "PropertiesRow"
)
PICTURE = Statement(
    select(Picture.digest, Picture.size, Picture.modified).where(
        Picture.user_id == bindparam("user_id"), Picture.kind == bindparam("kind")
    ),
    "PictureRow",
)


def by_login(ctx: Context, login: str) -> Any | None:
    """Return the user of a login: with `@` an e-mail address, else a username (spec: auth, §2)."""
    if "\x00" in login:  # PostgreSQL takes no such text
        return None
    if "@" in login:
        return BY_EMAIL.first(ctx, email=login.strip().lower())
    return BY_USERNAME.first(ctx, username=login)


def digest_columns(id_column: Any, prefix: str) -> tuple[Any, Any, list[Any]]:
    """Return (alias, join condition, columns `<prefix>__<field>`) for the digest of another table's user."""
    user = aliased(User, name=f"{prefix}_user")
    columns = [
        getattr(user, name).label(f"{prefix}__{name}")
        for name in ("user_id", "public_name", "username", "has_cover", "is_active")
    ]
    return user, user.user_id == id_column, columns


DIGEST_OF = Statement(
    select(User.user_id, User.public_name, User.username, User.has_cover, User.is_active).where(
        User.user_id == bindparam("user_id")
    ),
    "UserDigestRow",
)


def user_ids(*, administrators: bool = False) -> Any:
    """Return a SELECT of the ids of all accounts, or of the administrators, whatever their state."""
    query = select(User.user_id)
    return query.where(User.profile == literal(3)) if administrators else query


def is_active_account(id_column: Any) -> Any:
    """Return the condition: another table's user can sign in."""
    user = aliased(User, name="able_user")
    return exists(
        select(user.user_id).where(
            user.user_id == id_column, type_coerce(user.is_active, Integer) == literal(1),
            type_coerce(user.is_deleted, Integer) == literal(0),
        )
    )  # fmt: skip


def gets_mail(id_column: Any) -> Any:
    """Return the condition: another table's user can sign in, has an address, and has signed in before."""
    user = aliased(User, name="written_user")
    return exists(
        select(user.user_id).where(
            user.user_id == id_column, type_coerce(user.is_active, Integer) == literal(1),
            type_coerce(user.is_deleted, Integer) == literal(0), user.email.is_not(None),
            user.auth_type != literal("unknown"),
        )
    )  # fmt: skip


def mail_addressees(ctx: Context, user_ids: Collection[int]) -> dict[int, Any]:
    """Return address, name and language of those of some users who can sign in and have an address, by id."""
    query = select(User.user_id, User.email, User.public_name, User.lang, User.auth_type).where(
        User.user_id.in_(user_ids), User.is_active == 1, User.is_deleted == 0, User.email.is_not(None)
    )
    return {row.user_id: row for row in ctx.execute(query)} if user_ids else {}


def account_texts(ctx: Context, user_ids: Collection[int]) -> list[Any]:
    """Return user_id, public_name, username and the document of custom properties of some users, by id."""
    query = (
        select(User.user_id, User.public_name, User.username, Properties.document)
        .outerjoin(Properties, Properties.user_id == User.user_id)
        .where(User.user_id.in_(user_ids))
        .order_by(User.user_id)
    )
    return list(ctx.execute(query).all()) if user_ids else []


# -- the card of a user --------------------------------------------------------------------------------------

ABOUT_DEFAULTS = ("authored_content_revisions_count", "authored_content_revisions_space_count")
"""Fields of the card that other plugins may fill: shape `user_about`."""


def about_statement(ctx: Context) -> Statement:
    """Return the SELECT of a user's card, with what other plugins contribute to it."""

    def build() -> Statement:
        given = ctx.kernel.contributed("user_about", User.user_id)
        followers = select(func.count()).where(Follow.leader_id == User.user_id).scalar_subquery()
        leaders = select(func.count()).where(Follow.follower_id == User.user_id).scalar_subquery()
        return Statement(
            select(
                User.user_id, User.username, User.public_name, User.has_cover, User.created,
                followers.label("followers_count"), leaders.label("leaders_count"),
                *(given[name] for name in ABOUT_DEFAULTS if name in given),
            ).where(User.user_id == bindparam("user_id")),
            "AboutRow",
        )  # fmt: skip

    return ctx.kernel.memo("accounts.about", build)


# -- who follows whom ----------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def follows_statement(listed: str, one: bool, bookmark: str) -> Statement:
    """Return the page of `leader` or `follower` ids of a user, by id; one row more than asked for."""
    column, owner = (
        (Follow.leader_id, Follow.follower_id) if listed == "leader" else (Follow.follower_id, Follow.leader_id)
    )
    query = select(column.label("user_id")).where(owner == bindparam("owner_id"))
    if one:
        query = query.where(column == bindparam("user_id"))
    if bookmark:
        after = column > bindparam("place") if bookmark == ">" else column < bindparam("place")
        query = query.where(after)
    order = column.desc() if bookmark == "<" else column
    return Statement(query.order_by(order).limit(bindparam("limit")), "UserIdRow")


# -- removal -------------------------------------------------------------------------------------------------


def traces(ctx: Context, user_id: int) -> list[tuple[str, str, str, int]]:
    """Return (table, column, on delete, rows) for everything that points at a user, in whichever plugin.

    Reads the declared foreign keys: accounts knows no table of another plugin. One statement a reference,
    for the command line only.
    """
    present = set(inspect(ctx.connection).get_table_names())
    found: list[tuple[str, str, str, int]] = []
    for table in Base.metadata.sorted_tables:
        if table.name not in present:
            continue
        for key in sorted(table.foreign_keys, key=lambda k: k.parent.name):
            if key.column.table.name != User.__tablename__:
                continue
            rows = ctx.execute(select(func.count()).select_from(table).where(key.parent == user_id)).scalar_one()
            if rows:
                found.append((table.name, key.parent.name, (key.ondelete or "").upper(), int(rows)))
    return found


def counts(ctx: Context) -> Mapping[str, int]:
    """Return how many accounts there are, and how many are active."""
    row: Any = ctx.execute(select(func.count(), func.sum(User.is_active)).select_from(User)).one()
    return {"all": row[0], "active": row[1] or 0}


FIRST_ADMINISTRATOR = Statement(
    select(*COLUMNS)
    .where(User.profile == 3, User.is_active == 1, User.is_deleted == 0)
    .order_by(User.user_id)
    .limit(1),
    "UserRow",
)


OTHER_ADMINISTRATORS = Statement(
    select(func.count().label("n")).where(
        User.profile == 3, User.is_active == 1, User.is_deleted == 0, User.user_id != bindparam("user_id")
    ),
    "Count",
)


def first_administrator(ctx: Context) -> Any | None:
    """Return the oldest active administrator: who acts for the command line when nobody is named."""
    return FIRST_ADMINISTRATOR.first(ctx)


def lock(ctx: Context, user_id: int) -> None:
    """Lock a user's row until the commit."""
    ctx.execute(select(User.user_id).where(User.user_id == user_id).with_for_update())
