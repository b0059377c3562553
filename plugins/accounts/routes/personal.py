"""The card of a user, his parameters and properties, whom he follows, and what is said of usernames."""

from __future__ import annotations

from typing import Any

import msgspec

from atrio.kernel.context import Context
from atrio.kernel.db.statement import row_type
from atrio.kernel.http.paging import page, read_token
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.kernel.http.schema import Rows

from .. import queries, schemas, services
from ..adapters import properties
from ..api import KNOWS_USER, USER
from ..errors import AlreadyFollowed, NotFollowed, PropertiesInvalid, UserNotFound
from .shared import PERSONAL, U

Parameters = row_type("Parameters", ("parameters",))
JsonSchema = row_type("JsonSchema", ("json_schema",))
UiSchema = row_type("UiSchema", ("ui_schema",))
Availability = row_type("Availability", ("username", "available"))
Reserved = row_type("Reserved", ("items",))


def about(ctx: Context, call: Call) -> Any:
    """Return the card of a user."""
    return queries.about_statement(ctx).first(ctx, user_id=ctx.resources["user"].user_id)


# -- parameters and properties ---------------------------------------------------------------------------------


def get_parameters(ctx: Context, call: Call) -> Any:
    """Return the parameters that clients keep for a user."""
    rows = queries.PARAMETERS.all(ctx, user_id=ctx.resources["user"].user_id)
    return Parameters({row.name: msgspec.json.decode(row.value) for row in rows})


def set_parameters(ctx: Context, call: Call) -> None:
    """Write some parameters; the others stay."""
    services.merge_parameters(ctx, ctx.resources["user"].user_id, call.body["parameters"])


def get_properties(ctx: Context, call: Call) -> Any:
    """Return the custom properties of a user."""
    row = queries.PROPERTIES.first(ctx, user_id=ctx.resources["user"].user_id)
    return Parameters(msgspec.json.decode(row.document) if row is not None else {})


def set_properties(ctx: Context, call: Call) -> None:
    """Replace the custom properties, if they fit the schema."""
    document = properties.checked(ctx, call.body["parameters"])
    services.replace_properties(ctx, ctx.resources["user"].user_id, document)


def properties_schema(ctx: Context, call: Call) -> Any:
    """Return the schema of the custom properties in the caller's language."""
    return JsonSchema(properties.translated(ctx, properties.files(ctx).schema, _language(ctx)))


def properties_ui_schema(ctx: Context, call: Call) -> Any:
    """Return how forms show the custom properties, in the caller's language."""
    return UiSchema(properties.translated(ctx, properties.files(ctx).ui, _language(ctx)))


def _language(ctx: Context) -> str | None:
    return ctx.actor.data.lang if ctx.actor.data is not None else None


# -- usernames -------------------------------------------------------------------------------------------------


def username_availability(ctx: Context, call: Call) -> Any:
    """Tell whether a username can be taken: well formed, not reserved, nobody's."""
    username = call.query["username"]
    free = (
        schemas.is_username(username)
        and username.lower() not in services.reserved_usernames(ctx)
        and queries.BY_USERNAME.first(ctx, username=username) is None
    )
    return Availability(username, free)


def reserved_usernames(ctx: Context, call: Call) -> Any:
    """Return the usernames that nobody may take."""
    return Reserved(services.reserved_usernames(ctx))


# -- who follows whom ------------------------------------------------------------------------------------------


def list_following(ctx: Context, call: Call) -> Rows:
    """Return a page of those whom a user follows."""
    return _follows(ctx, call, "leader")


def list_followers(ctx: Context, call: Call) -> Rows:
    """Return a page of those who follow a user."""
    return _follows(ctx, call, "follower")


def _follows(ctx: Context, call: Call, listed: str) -> Rows:
    query = call.query
    bookmark = read_token(query["page_token"], int)
    statement = queries.follows_statement(listed, query["user_id"] is not None, bookmark.side if bookmark else "")
    values: dict[str, Any] = {"owner_id": ctx.resources["user"].user_id, "limit": query["count"] + 1}
    if query["user_id"] is not None:
        values["user_id"] = query["user_id"]
    if bookmark:
        values["place"] = bookmark.row_id
    rows = statement.all(ctx, **values)
    return page(rows, query["count"], bookmark, lambda row: (row.user_id, row.user_id))


def follow(ctx: Context, call: Call) -> dict[str, Any]:
    """Follow a user."""
    services.follow(ctx, ctx.resources["user"].user_id, call.body["user_id"])
    return {}


def unfollow(ctx: Context, call: Call) -> None:
    """Follow a user no more."""
    services.unfollow(ctx, ctx.resources["user"].user_id, int(call.path["leader_id"]))


CONFIG = "Users > User Configuration"

ROUTES = (
    Route(
        "GET", f"{U}/about", about, (KNOWS_USER,), Answer(schemas.about, doc="The card."),
        summary="The card of a user", group="Users",
    ),
    Route(
        "GET", f"{U}/config", get_parameters, PERSONAL, Answer(schemas.config, doc="The parameters."),
        summary="Parameters of clients", group=CONFIG,
    ),
    Route(
        "PUT", f"{U}/config", set_parameters, PERSONAL, EMPTY, body=schemas.UserConfigSchema,
        summary="Write parameters of clients", group=CONFIG,
    ),
    Route(
        "GET", f"{U}/custom-properties", get_properties, (KNOWS_USER,),
        Answer(schemas.properties, doc="The properties."), summary="Custom properties of a user", group=CONFIG,
    ),
    Route(
        "PUT", f"{U}/custom-properties", set_properties, PERSONAL, EMPTY, body=schemas.UserPropertiesSchema,
        errors=(PropertiesInvalid,), summary="Replace custom properties", group=CONFIG,
    ),
    Route(
        "GET", "/api/system/user-custom-properties-schema", properties_schema, (USER,),
        Answer(schemas.properties_schema, doc="The schema."), summary="Schema of custom properties",
        group="System",
    ),
    Route(
        "GET", "/api/system/user-custom-properties-ui-schema", properties_ui_schema, (USER,),
        Answer(schemas.properties_ui, doc="The schema."), summary="How forms show custom properties",
        group="System",
    ),
    Route(
        "GET", "/api/system/username-availability", username_availability, (USER,),
        Answer(schemas.username_availability), query=schemas.UsernameQuerySchema,
        summary="Whether a username is free", group="System",
    ),
    Route(
        "GET", "/api/system/reserved-usernames", reserved_usernames, (USER,),
        Answer(schemas.reserved_usernames), summary="Usernames that nobody may take", group="System",
    ),
    Route(
        "GET", f"{U}/following", list_following, PERSONAL, Answer(schemas.user_id, "page"),
        query=schemas.FollowQuerySchema, summary="Whom a user follows", group="Users",
    ),
    Route(
        "GET", f"{U}/followers", list_followers, PERSONAL, Answer(schemas.user_id, "page"),
        query=schemas.FollowQuerySchema, summary="Who follows a user", group="Users",
    ),
    Route(
        "POST", f"{U}/following", follow, PERSONAL, Answer(shape="any", status=201, doc="An empty object."),
        body=schemas.UserIdSchema, errors=(UserNotFound, AlreadyFollowed), summary="Follow a user",
        group="Users",
    ),
    Route(
        "DELETE", f"{U}/following/{{leader_id:int}}", unfollow, PERSONAL, EMPTY, errors=(NotFollowed,),
        summary="Follow a user no more", group="Users",
    ),
)  # fmt: skip
