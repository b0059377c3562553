"""Wire shapes of accounts (spec: users, §1–2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import marshmallow
from marshmallow import fields, validate

from atrio.kernel.http.schema import Dumper, Int, Schema, Text, Timestamp, one_of

PROFILES = {0: "nobody", 1: "users", 2: "trusted-users", 3: "administrators"}
PROFILE_LEVELS = {slug: level for level, slug in PROFILES.items()}
ASSIGNABLE = ("users", "trusted-users", "administrators")


class Email(Text):
    """An address: contains `@`, none of `<>,;` or a line break, 3 to 255 characters, lower case."""

    json_schema: ClassVar[Mapping[str, Any]] = {
        "minLength": 3, "maxLength": 255, "pattern": r"^[^<>,;\r\n]*@[^<>,;\r\n]*$",
    }  # fmt: skip

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs).lower()
        if not 3 <= len(text) <= 255 or "@" not in text or any(c in text for c in "<>,;\r\n"):
            raise marshmallow.ValidationError("Not a valid email address.")
        return text


class NamedEmail(Text):
    """An address, or `Name <address>`; gives (name, address)."""

    json_schema: ClassVar[Mapping[str, Any]] = {
        "pattern": r"^([^<>]*<)?[^<>,;\r\n]*@[^<>,;\r\n]*>?$",
        "description": "An address, or a name and `<address>`.",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        name, address = "", text
        if text.endswith(">") and "<" in text:
            name, _, address = text[:-1].rpartition("<")
            name = name.strip().strip('"').strip()
            if len(name) > 255:
                raise marshmallow.ValidationError("The name is longer than 255 characters.")
        return name, Email()._deserialize(address, attr, data)


class UserDigestSchema(Schema):
    """What everybody may see of a user."""

    user_id = Int()
    has_avatar = fields.Boolean(dump_default=True)
    has_cover = fields.Boolean(dump_default=False)
    public_name = Text()
    username = Text(allow_none=True)
    is_active = fields.Boolean()


class UserSchema(UserDigestSchema):
    """What a user and the administrators see."""

    email = Text(allow_none=True)
    created = Timestamp()
    is_deleted = fields.Boolean()
    timezone = Text()
    profile = Text(validate=one_of(*PROFILE_LEVELS))
    lang = Text(allow_none=True)
    auth_type = Text(validate=one_of("internal", "ldap", "saml", "unknown", "remote"))
    allowed_space = Int(allow_none=True)


class LoginSchema(Schema):
    """A sign-in: one of the two logins and the password, whose length rule counts here too."""

    email = Email(load_default=None, allow_none=True)
    username = fields.String(
        load_default=None, allow_none=True,
        validate=[validate.Length(3, 255), validate.ContainsNoneOf("\x00", error="Not a valid string.")],
    )  # fmt: skip
    password = fields.String(required=True, load_only=True, validate=validate.Length(6, 512))

    @marshmallow.validates_schema
    def one_login(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Ask for a login."""
        if not data.get("email") and not data.get("username"):
            raise marshmallow.ValidationError("email or username required")


class UserCreationSchema(Schema):
    """A new account."""

    email = NamedEmail(load_default=None, allow_none=True)
    username = fields.String(
        load_default=None, allow_none=True,
        validate=[validate.Length(3, 255), validate.Regexp(r"^[A-Za-z0-9._-]+\Z")],
    )  # fmt: skip
    password = fields.String(load_default=None, allow_none=True, validate=validate.Length(6, 512))
    profile = Text(load_default=None, allow_none=True, validate=one_of(*ASSIGNABLE))
    timezone = Text(load_default="", validate=validate.Length(max=32))
    public_name = Text(load_default=None, validate=validate.Length(3, 255))
    lang = Text(load_default=None, allow_none=True, validate=validate.Length(2, 6))
    email_notification = fields.Boolean(load_default=True)
    allowed_space = Int(load_default=None, allow_none=True, validate=validate.Range(min=0))

    @marshmallow.validates_schema
    def one_login(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Ask for a login."""
        if not data.get("email") and not data.get("username"):
            raise marshmallow.ValidationError("email or username required")


def _profile(row: Any) -> str:
    return PROFILES[row.profile]


user = Dumper(UserSchema, computed={"profile": _profile})
