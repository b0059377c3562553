"""Wire shapes of system."""

from __future__ import annotations

from marshmallow import fields

from atrio.kernel.http.schema import Dumper, Int, Schema, Text, Timestamp, one_of


class AboutSchema(Schema):
    """Which server this is."""

    name = Text()
    version = Text()
    build_version = Text()
    datetime = Timestamp()
    website = Text()
    database_schema_version = Text(allow_none=True)


class ErrorCodeSchema(Schema):
    """An error code and its name."""

    name = fields.String()
    code = Int()


class ApplicationSchema(Schema):
    """A feature that front ends show."""

    label = Text()
    slug = Text()
    fa_icon = Text()
    hexcolor = Text()
    is_active = fields.Boolean()
    config = fields.Dict()


class StatusSchema(Schema):
    """A status that contents may have."""

    slug = Text()
    global_status = Text(validate=one_of("open", "closed"))
    label = Text()
    fa_icon = Text()
    hexcolor = Text()


class ContentTypeSchema(Schema):
    """A kind of content."""

    slug = Text()
    fa_icon = Text()
    hexcolor = Text()
    label = Text()
    creation_label = Text()
    available_statuses = fields.List(fields.Nested(StatusSchema))


class TimezoneSchema(Schema):
    """A time zone."""

    name = Text()


class ConditionFileSchema(Schema):
    """A document with conditions of use."""

    title = fields.String()
    url = fields.String()


class UsageConditionsSchema(Schema):
    """The conditions of use."""

    items = fields.List(fields.Nested(ConditionFileSchema))


class TargetLanguageSchema(Schema):
    """A language to translate into."""

    code = fields.String(required=True)
    display = fields.String(required=True)


class CodeSampleLanguageSchema(Schema):
    """A language of code samples."""

    value = fields.String(required=True)
    text = fields.String(required=True)


class IdentityProviderSchema(Schema):
    """Where people may sign in by SAML."""

    logo_url = fields.String(required=True)
    displayed_name = fields.String(required=True)
    identifier = fields.String(required=True)


class EditableFileTypeSchema(Schema):
    """A type of file that is edited together."""

    mimetype = fields.String(required=True)
    extension = fields.String(required=True)
    associated_action = fields.String(required=True)
    url_source = fields.String(required=True)


class DocumentEditionSchema(Schema):
    """The editor of office documents."""

    software = fields.String()
    supported_file_types = fields.List(fields.Nested(EditableFileTypeSchema))


class CustomActionPlacesSchema(Schema):
    """The links by menu."""

    user_sidebar_dropdown = fields.List(fields.Dict())
    user_sidebar_shortcuts = fields.List(fields.Dict())
    content_in_list_dropdown = fields.List(fields.Dict())
    content_app_dropdown = fields.List(fields.Dict())
    space_dashboard_action_list = fields.List(fields.Dict())


class ConfigSchema(Schema):
    """What clients must know before anybody signs in. Sizes in bytes, 0: no limit; times in milliseconds."""

    email_notification_activated = fields.Boolean()
    new_user_invitation_do_notify = fields.Boolean()
    webdav_enabled = fields.Boolean()
    translation_service__enabled = fields.Boolean()
    webdav_url = fields.String()
    collaborative_document_edition = fields.Nested(DocumentEditionSchema, allow_none=True)
    content_length_file_size_limit = Int()
    workspace_size_limit = Int()
    workspaces_number_per_user_limit = Int()
    instance_name = fields.String()
    email_required = fields.Boolean()
    search_engine = fields.String()
    translation_service__target_languages = fields.List(fields.Nested(TargetLanguageSchema))
    user__self_registration__enabled = fields.Boolean()
    ui__spaces__creation__parent_space_choice__visible = fields.Boolean()
    ui__notes__code_sample_languages = fields.List(fields.Nested(CodeSampleLanguageSchema))
    limitation__maximum_online_users_message = fields.String()
    call__enabled = fields.Boolean()
    call__unanswered_timeout = Int()
    auth_types = fields.List(fields.String())
    user__read_only_fields = fields.Dict()
    saml_idp_list = fields.List(fields.Nested(IdentityProviderSchema))
    app_custom_actions = fields.Nested(CustomActionPlacesSchema)
    iframe_whitelist = fields.List(fields.String())


about = Dumper(AboutSchema)
error_code = Dumper(ErrorCodeSchema)
application = Dumper(ApplicationSchema)
content_type = Dumper(ContentTypeSchema)
timezone = Dumper(TimezoneSchema)
usage_conditions = Dumper(UsageConditionsSchema)
config = Dumper(ConfigSchema)
