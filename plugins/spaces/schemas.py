"""Wire shapes of spaces (spec: spaces)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from marshmallow import fields, validate

from atrio.kernel.http.schema import Dumper, IdList, Int, Schema, Text, Timestamp, Unless, one_of
from atrio.kernel.text import slugify
from atrio.plugins.accounts.api import NamedEmail, UserDigestSchema

from .permissions import LEVELS, ROLES

ACCESS_TYPES = ("confidential", "on_request", "open")
NOTIFICATIONS = ("individual", "none", "hourly", "daily", "weekly")
STATES = ("pending", "accepted", "rejected")


class MenuEntrySchema(Schema):
    """An entry of the side bar."""

    slug = Text()
    label = Text()
    route = Text()
    fa_icon = Text()
    hexcolor = Text()


class NestedSpaceSchema(Schema):
    """A space inside a member: without description and number of members."""

    workspace_id = Int()
    label = Text()
    slug = Text()
    access_type = Text(validate=one_of(*ACCESS_TYPES))
    default_user_role = Text(validate=one_of(*LEVELS))
    created = Timestamp()
    owner = fields.Nested(UserDigestSchema, allow_none=True)
    sidebar_entries = fields.List(fields.Nested(MenuEntrySchema))
    is_deleted = fields.Boolean()
    agenda_enabled = fields.Boolean()
    public_upload_enabled = fields.Boolean()
    public_download_enabled = fields.Boolean()
    publication_enabled = fields.Boolean()
    parent_id = Int(allow_none=True)


class BriefSpaceSchema(NestedSpaceSchema):
    """A space without its description: as events carry it."""

    number_of_members = Int()


class SpaceSchema(BriefSpaceSchema):
    """A space."""

    description = Text()


class SpaceCreationSchema(Schema):
    """A new space."""

    label = Text(required=True, validate=validate.Length(1, 1024))
    description = Text(required=True, validate=validate.Length(max=1_000_000))
    access_type = Text(required=True, validate=one_of(*ACCESS_TYPES))
    default_user_role = Text(required=True, validate=one_of(*LEVELS))
    agenda_enabled = fields.Boolean(load_default=True)
    public_upload_enabled = fields.Boolean(load_default=True)
    public_download_enabled = fields.Boolean(load_default=True)
    publication_enabled = fields.Boolean(load_default=True, allow_none=True)
    parent_id = Int(load_default=None, allow_none=True, validate=validate.Range(min=0))


class SpaceUpdateSchema(Schema):
    """Changes of a space: what is absent or null stays. Access type and parent cannot be changed."""

    label = Text(load_default=None, allow_none=True, validate=validate.Length(1, 1024))
    description = Text(load_default=None, allow_none=True, validate=validate.Length(max=1_000_000))
    default_user_role = Text(load_default=None, allow_none=True, validate=one_of(*LEVELS))
    agenda_enabled = fields.Boolean(load_default=None, allow_none=True)
    public_upload_enabled = fields.Boolean(load_default=None, allow_none=True)
    public_download_enabled = fields.Boolean(load_default=None, allow_none=True)
    publication_enabled = fields.Boolean(load_default=None, allow_none=True)


class SpaceIdSchema(Schema):
    """Names a space."""

    workspace_id = Int(required=True, validate=validate.Range(min=1))


class SpaceDigestSchema(Schema):
    """A space, shortest."""

    workspace_id = Int()
    label = Text()
    slug = Text()


class SpaceNameSchema(Schema):
    """A space's id and label."""

    workspace_id = Int()
    label = Text()


class SpaceSizeSchema(Schema):
    """How many bytes a space holds, and how many it may; 0: no limit."""

    workspace_id = Int()
    used_space = Int()
    allowed_space = Int()
    workspace = fields.Nested(SpaceDigestSchema)


class UserSizeSchema(UserDigestSchema):
    """How many bytes the spaces of a user hold, and how many they may; 0: no limit."""

    used_space = Int()
    allowed_space = Int()
    user = fields.Nested(UserDigestSchema)


class AccessTypesSchema(Schema):
    """The access types that new spaces may have."""

    items = fields.List(fields.String(validate=one_of(*ACCESS_TYPES)), required=True)


class SpaceFilterSchema(Schema):
    """Query of the list of all spaces."""

    parent_ids = IdList(load_default=())


class UserSpaceFilterSchema(SpaceFilterSchema):
    """Query of a user's spaces."""

    show_owned_workspace = Int(load_default=1, validate=validate.Range(0, 1))
    show_workspace_with_role = Int(load_default=1, validate=validate.Range(0, 1))


class MemberFilterSchema(Schema):
    """Query of the list of members."""

    show_disabled_user = Int(load_default=0, validate=validate.Range(0, 1))


class RoleSchema(Schema):
    """A member, short."""

    user_id = Int()
    user = fields.Nested(UserDigestSchema)
    workspace_id = Int()
    role = Text(validate=one_of(*LEVELS))
    is_active = fields.Boolean()


class MemberSchema(RoleSchema):
    """A member."""

    workspace = fields.Nested(NestedSpaceSchema)
    email_notification_type = Text(validate=one_of(*NOTIFICATIONS))


class AddedMemberSchema(MemberSchema):
    """A member that was just added."""

    newly_created = fields.Boolean()


class MemberAdditionSchema(Schema):
    """Whom to add, by one of three names, and with which role."""

    user_id = Int(load_default=None, allow_none=True, validate=validate.Range(min=1))
    user_email = NamedEmail(load_default=None, allow_none=True)
    user_username = Text(load_default=None, allow_none=True, validate=validate.Length(3, 255))
    role = Text(required=True, validate=one_of(*LEVELS))


class RoleUpdateSchema(Schema):
    """A new role."""

    role = Text(required=True, validate=one_of(*LEVELS))


class NotificationSchema(Schema):
    """How a member is told of changes."""

    email_notification_type = Text(required=True, validate=one_of(*NOTIFICATIONS))


class SubscriptionSchema(Schema):
    """A request to become a member."""

    state = Text(validate=one_of(*STATES))
    created_date = Timestamp()
    workspace = fields.Nested(SpaceNameSchema)
    author = fields.Nested(UserDigestSchema)
    evaluation_date = Timestamp(allow_none=True)
    evaluator = fields.Nested(UserDigestSchema, allow_none=True)


class KnownMemberSchema(UserDigestSchema):
    """Somebody whom a user may find, with the spaces they share."""

    workspace_ids = fields.List(Int())


class KnownMemberFilterSchema(Schema):
    """Query of the search for people."""

    acp = Text(load_default=None, validate=validate.Length(max=1024))
    exclude_user_ids = IdList(load_default=())
    exclude_workspace_ids = IdList(load_default=())
    include_workspace_ids = IdList(load_default=())
    limit = Int(load_default=None, validate=validate.Range(1, 10_000))


def shown_label(label: str, deleted_at: int | None) -> str:
    """Return the label as the wire shows it: that of a trashed space says since when it is there."""
    return label if deleted_at is None else f"{label}-deleted-{_stamp(deleted_at)}"


def shown_slug(slug: str, label: str, deleted_at: int | None) -> str:
    """Return the slug that goes with the shown label."""
    return slug if deleted_at is None else slugify(shown_label(label, deleted_at))


def _stamp(micros: int) -> str:
    moment = datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)
    return moment.strftime("%Y-%m-%dT%H.%M.%S.%f")


def _entries(row: Any, space_id: int, flag: str) -> Any:
    entries = row.entries
    shown = tuple(s is None or bool(getattr(row, f"{flag}{s}")) for s in entries.settings)
    return entries.encode(space_id, shown)


def _space(prefix: str) -> dict[str, Any]:
    """Return the computed fields of a space whose columns carry a prefix."""

    def of(row: Any, name: str) -> Any:
        return getattr(row, f"{prefix}{name}")

    state = (f"{prefix}deleted_at",)
    return {
        f"{prefix}label": Unless(state, lambda r: shown_label(of(r, "label"), of(r, "deleted_at"))),
        f"{prefix}slug": Unless(state, lambda r: shown_slug(of(r, "slug"), of(r, "label"), of(r, "deleted_at"))),
        f"{prefix}default_user_role": lambda r: ROLES[of(r, "default_role")],
        f"{prefix}sidebar_entries": lambda r: _entries(r, r.workspace_id, prefix),
    }


_ROLE: dict[str, Any] = {"role": lambda r: ROLES[r.role]}
space = Dumper(SpaceSchema, computed=_space(""))
brief_space = Dumper(BriefSpaceSchema, computed=_space(""))
nested_space = Dumper(NestedSpaceSchema, computed=_space(""))
member = Dumper(MemberSchema, computed={**_ROLE, **_space("workspace__")})
added_member = Dumper(AddedMemberSchema, computed={**_ROLE, **_space("workspace__")})
role = Dumper(RoleSchema, computed=_ROLE)
subscription = Dumper(
    SubscriptionSchema,
    computed={"workspace__label": lambda r: shown_label(r.workspace__label, r.workspace__deleted_at)},
)
known_member = Dumper(KnownMemberSchema)
space_size = Dumper(
    SpaceSizeSchema,
    computed={
        "workspace__label": lambda r: shown_label(r.workspace__label, r.workspace__deleted_at),
        "workspace__slug": lambda r: shown_slug(r.workspace__slug, r.workspace__label, r.workspace__deleted_at),
    },
)
user_size = Dumper(UserSizeSchema)
access_types = Dumper(AccessTypesSchema)
