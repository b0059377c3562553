"""Wire shapes of zip_download."""

from __future__ import annotations

from atrio.kernel.http.schema import IdList, Schema


class ZipQuerySchema(Schema):
    """Which contents; all of the space where none is named."""

    content_ids = IdList(load_default=None)
