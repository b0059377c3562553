"""Wire shapes of accounts (spec: users, §1–2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import marshmallow
import msgspec
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


digest = Dumper(UserDigestSchema)


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


def _password() -> Any:
    return fields.String(required=True, load_only=True, validate=validate.Length(6, 512))


USERNAME = [validate.Length(3, 255), validate.Regexp(r"^[A-Za-z0-9._-]+\Z")]


def is_username(text: str) -> bool:
    """Tell whether a text has the form of a username."""
    return 3 <= len(text) <= 255 and re.fullmatch(r"[A-Za-z0-9._-]+", text) is not None


def username_field() -> Any:
    """Return the field of a username, for doors without a schema."""
    return Text(required=True, validate=USERNAME)


class UserCreationSchema(Schema):
    """A new account."""

    email = NamedEmail(load_default=None, allow_none=True)
    username = fields.String(load_default=None, allow_none=True, validate=USERNAME)
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


class UserUpdateSchema(Schema):
    """Any change of an account, as the command line takes it: what is absent stays."""

    email = Email()
    username = Text(validate=USERNAME)
    password = fields.String(load_only=True, validate=validate.Length(6, 512))
    profile = Text(validate=one_of(*ASSIGNABLE))
    timezone = Text(validate=validate.Length(max=32))
    public_name = Text(validate=validate.Length(3, 255))
    lang = Text(validate=validate.Length(2, 6))
    allowed_space = Int(validate=validate.Range(min=0))


class UserInfoSchema(Schema):
    """What a user says of himself."""

    timezone = Text(required=True, validate=validate.Length(max=32))
    lang = Text(required=True, allow_none=True, validate=validate.Length(2, 6))
    public_name = Text(validate=validate.Length(3, 255))


class UserEmailSchema(Schema):
    """A new address, with the caller's own password."""

    loggedin_user_password = _password()
    email = Email(required=True)


class UserUsernameSchema(Schema):
    """A new username, with the caller's own password."""

    loggedin_user_password = _password()
    username = Text(required=True, validate=USERNAME)


class UserPasswordSchema(Schema):
    """A new password, with the caller's own one."""

    loggedin_user_password = _password()
    new_password = _password()
    new_password2 = _password()


class UserProfileSchema(Schema):
    """A new profile."""

    profile = Text(required=True, validate=one_of(*ASSIGNABLE))


class UserAllowedSpaceSchema(Schema):
    """How much a user may own; null: what new accounts get."""

    allowed_space = Int(required=True, allow_none=True, validate=validate.Range(min=0))


class PasswordResetRequestSchema(Schema):
    """Who wants a new password."""

    email = Email(load_default=None, allow_none=True)
    username = Text(load_default=None, allow_none=True, validate=validate.Length(3, 255))

    @marshmallow.validates_schema
    def one_login(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Ask for a login."""
        if not data.get("email") and not data.get("username"):
            raise marshmallow.ValidationError("email or username required")


class PasswordResetCheckSchema(Schema):
    """A token and whose it is."""

    email = Email(required=True)
    reset_password_token = Text(required=True, load_only=True, validate=validate.Length(1, 512))


class PasswordResetSchema(PasswordResetCheckSchema):
    """A token, whose it is, and the new password twice."""

    new_password = _password()
    new_password2 = _password()


# -- what belongs to one user ----------------------------------------------------------------------------------

PARAMETER_NAME = re.compile(r"[0-9a-zA-Z_.-]{1,255}\Z")
PARAMETER_BYTES = 65_536
DOCUMENT_BYTES = 262_144
DOCUMENT_DEPTH = 32


class Parameters(fields.Field[Any]):
    """An object of texts, numbers, booleans and nulls; names of letters, digits, `-`, `_` and `.`."""

    json_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object", "maxProperties": 1000,
        "propertyNames": {"pattern": "^[0-9a-zA-Z_.-]{1,255}$"},
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    }  # fmt: skip

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise marshmallow.ValidationError("Not an object.")
        if len(value) > 1000:
            raise marshmallow.ValidationError("More than 1000 names.")
        wrong: dict[str, list[str]] = {}
        for name, held in value.items():
            if not PARAMETER_NAME.match(name):
                wrong[name[:255]] = ["Not a valid name."]
            elif isinstance(held, dict | list):
                wrong[name] = ["Neither an object nor a list."]
            elif isinstance(held, str) and len(held) > PARAMETER_BYTES:
                wrong[name] = [f"Longer than {PARAMETER_BYTES} characters."]
        if wrong:
            raise marshmallow.ValidationError(dict(list(wrong.items())[:20]))
        return value


class Document(fields.Field[Any]):
    """A JSON object."""

    json_schema: ClassVar[Mapping[str, Any]] = {"type": "object"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise marshmallow.ValidationError("Not an object.")
        try:
            size = len(msgspec.json.encode(value))
        except (ValueError, RecursionError, TypeError, UnicodeError):
            raise marshmallow.ValidationError("Not a valid object.") from None
        if size > DOCUMENT_BYTES:
            raise marshmallow.ValidationError(f"Larger than {DOCUMENT_BYTES} bytes.")
        if _deeper(value, DOCUMENT_DEPTH):
            raise marshmallow.ValidationError(f"Nested more than {DOCUMENT_DEPTH} deep.")
        return value


def _deeper(value: Any, most: int) -> bool:
    """Tell whether a value is nested deeper; level by level, so that depth costs no stack."""
    level = [value]
    for _ in range(most):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


class UserConfigSchema(Schema):
    """The parameters that clients keep for a user."""

    parameters = Parameters(required=True)


class UserPropertiesSchema(Schema):
    """The custom properties of a user."""

    parameters = Document(required=True)


class PropertiesSchemaSchema(Schema):
    """The JSON schema of the custom properties, in the language of the caller."""

    json_schema = Document()


class PropertiesUiSchema(Schema):
    """How forms show the custom properties."""

    ui_schema = Document()


class UsernameQuerySchema(Schema):
    """A username that somebody would like."""

    username = Text(required=True, validate=validate.Length(1, 255))


class UsernameAvailabilitySchema(Schema):
    """Whether a username can be taken."""

    username = Text()
    available = fields.Boolean()


class ReservedUsernamesSchema(Schema):
    """Usernames that nobody may take."""

    items = fields.List(Text())


class AboutUserSchema(Schema):
    """The card of a user; plugins may fill the counts that accounts does not know (shape `user_about`)."""

    user_id = Int()
    username = Text(allow_none=True)
    public_name = Text()
    has_avatar = fields.Boolean(dump_default=True)
    has_cover = fields.Boolean(dump_default=False)
    created = Timestamp()
    followers_count = Int()
    leaders_count = Int()
    authored_content_revisions_count = Int(dump_default=0)
    authored_content_revisions_space_count = Int(dump_default=0)


class FollowQuerySchema(Schema):
    """A page of users that are followed, or follow; `user_id` asks for one."""

    count = Int(load_default=10, validate=validate.Range(min=1, max=100_000))
    page_token = fields.String(load_default=None, allow_none=True)
    user_id = Int(load_default=None, allow_none=True, validate=validate.Range(min=1))


class UserIdSchema(Schema):
    """A user by id."""

    user_id = Int(required=True, validate=validate.Range(min=1))


class NewApplicationTokenSchema(Schema):
    """A name for the token, how many days it is good for (null: until it is ended), and the own password."""

    label = Text(required=True, validate=validate.Length(min=1, max=255))
    days = Int(load_default=None, allow_none=True, validate=validate.Range(min=1, max=3660))
    loggedin_user_password = Text(load_default="", validate=validate.Length(max=1024))


class ApplicationTokenSchema(Schema):
    """A token without what it is; `expires` null: good until it is ended."""

    token_id = Int()
    label = Text()
    created = Timestamp()
    expires = Timestamp(allow_none=True)
    last_used = Timestamp(allow_none=True)


class MadeApplicationTokenSchema(Schema):
    """A new token; its text is told this once. `login` goes with it where a program asks for a name."""

    token_id = Int()
    label = Text()
    login = Text()
    token = Text()


class PictureQuerySchema(Schema):
    """How a picture is to be sent."""

    force_download = Int(load_default=0, validate=validate.Range(min=0, max=1))


def _profile(row: Any) -> str:
    return PROFILES[row.profile]


user = Dumper(UserSchema, computed={"profile": _profile})
about = Dumper(AboutUserSchema)
config = Dumper(UserConfigSchema)
properties = Dumper(UserPropertiesSchema)
properties_schema = Dumper(PropertiesSchemaSchema)
properties_ui = Dumper(PropertiesUiSchema)
username_availability = Dumper(UsernameAvailabilitySchema)
reserved_usernames = Dumper(ReservedUsernamesSchema)
user_id = Dumper(UserIdSchema)
application_token = Dumper(ApplicationTokenSchema)
new_application_token = Dumper(MadeApplicationTokenSchema)
