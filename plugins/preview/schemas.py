"""Wire shapes of preview (spec: contents, §16)."""

from __future__ import annotations

from marshmallow import fields, validate

from atrio.kernel.http.schema import Dumper, Int, Schema


class FileQuerySchema(Schema):
    """Query of a preview."""

    force_download = Int(load_default=0, validate=validate.Range(0, 1))


class PageQuerySchema(FileQuerySchema):
    """Which page."""

    page = Int(load_default=1, validate=validate.Range(min=1, max=2**31 - 1))


class DimensionSchema(Schema):
    """A size in pixels."""

    width = Int()
    height = Int()


class AllowedDimensionsSchema(Schema):
    """Which sizes of JPEGs there are; when not `restricted`, any other as well."""

    restricted = fields.Boolean()
    dimensions = fields.List(fields.Nested(DimensionSchema))


class PreviewInfoSchema(Schema):
    """Which previews a file has."""

    content_id = Int()
    revision_id = Int()
    page_nb = Int(allow_none=True)
    has_pdf_preview = fields.Boolean()
    has_jpeg_preview = fields.Boolean()


allowed_dimensions = Dumper(AllowedDimensionsSchema)
info = Dumper(PreviewInfoSchema)
