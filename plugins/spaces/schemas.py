"""Wire shapes of spaces (spec: spaces)."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from atrio.kernel.http.schema import Dumper, IdList, Int, Schema, Text, Timestamp, one_of
from atrio.plugins.accounts.api import NamedEmail, UserDigestSchema

from .permissions import LEVELS, ROLES

ACCESS_TYPES = ("confidential", "on_request", "open")
NOTIFICATIONS = ("individual", "none", "hourly", "daily", "weekly")


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


class SpaceSchema(NestedSpaceSchema):
    """A space."""

    description = Text()
    number_of_members = Int()


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


def _entries(row: Any, space_id: int, flag: str) -> list[dict[str, str]]:
    return [
        {
            "slug": e["slug"], "label": e["label"], "route": e["route"].replace("{id}", str(space_id)),
            "fa_icon": e["fa_icon"], "hexcolor": e["hexcolor"],
        }
        for e in row.entries
        if e["setting"] is None or getattr(row, f"{flag}{e['setting']}")
    ]  # fmt: skip


space = Dumper(
    SpaceSchema,
    computed={
        "default_user_role": lambda r: ROLES[r.default_role],
        "sidebar_entries": lambda r: _entries(r, r.workspace_id, ""),
    },
)
_MEMBER: dict[str, Any] = {
    "role": lambda r: ROLES[r.role],
    "workspace__default_user_role": lambda r: ROLES[r.workspace__default_role],
    "workspace__sidebar_entries": lambda r: _entries(r, r.workspace_id, "workspace__"),
}
member = Dumper(MemberSchema, computed=_MEMBER)
added_member = Dumper(AddedMemberSchema, computed=_MEMBER)
role = Dumper(RoleSchema, computed={"role": lambda r: ROLES[r.role]})
