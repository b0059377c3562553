"""Wire shapes of url_preview."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import marshmallow

from atrio.kernel.http.schema import Dumper, Schema, Text

from .addressing import LONGEST, Target, target_of


class WebAddress(Text):
    """An http or https address; gives its parts."""

    json_schema: ClassVar[Mapping[str, Any]] = {"format": "uri", "pattern": "^https?://", "maxLength": LONGEST}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            target: Target = target_of(text)
        except ValueError:
            raise marshmallow.ValidationError("Not a valid URL.") from None
        return target


class UrlQuerySchema(Schema):
    """Which page."""

    url = WebAddress(required=True)


class UrlPreviewSchema(Schema):
    """What a page says of itself."""

    title = Text(allow_none=True)
    description = Text(allow_none=True)
    image = Text(allow_none=True)


preview = Dumper(UrlPreviewSchema)
