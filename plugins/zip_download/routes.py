"""Routes of zip_download."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.errors import ValidationFailed
from atrio.kernel.http.response import Response
from atrio.kernel.http.route import Answer, Call, Route
from atrio.plugins.core_content.api import FOLDER, ContentNotFound
from atrio.plugins.spaces.api import READER, SPACE

from . import schemas
from .errors import ZipTooLarge
from .plan import plan_of, safe_name
from .stream import answer

GROUP = "Contents > Zip files"
W = "/api/workspaces/{workspace_id}"
CHOSEN = 1000
"""How many contents one request may name."""
ZIP = Answer(shape="any", media="application/zip", doc="The zip file.")


def folder(ctx: Context, call: Call) -> Response:
    """Send what lies in a folder, and below it."""
    row = ctx.resources["content"]
    entries = plan_of(ctx, row.workspace_id, [row.content_id], inside=True)
    return answer(ctx.kernel, entries, _name(call, row.label))


def selection(ctx: Context, call: Call) -> Response:
    """Send some contents of a space with everything below them, or all of it."""
    space, chosen = ctx.resources["space"], call.query["content_ids"]
    if chosen and len(chosen) > CHOSEN:
        raise ValidationFailed({"content_ids": [f"At most {CHOSEN} ids."]})
    entries = plan_of(ctx, space.space_id, chosen or None, inside=False)
    return answer(ctx.kernel, entries, _name(call, space.label))


def _name(call: Call, label: str) -> str:
    given = call.path.get("filename", "")
    return given if given not in ("", "raw") else safe_name(label, ".zip")


ROUTES = (
    Route(
        "GET", f"{W}/folders/{{content_id}}/zip/{{filename}}", folder, (SPACE, READER, FOLDER), ZIP,
        errors=(ContentNotFound, ZipTooLarge), summary="A folder as a zip file", group=GROUP,
    ),
    Route(
        "GET", f"{W}/zip/{{filename}}", selection, (SPACE, READER), ZIP, query=schemas.ZipQuerySchema,
        errors=(ContentNotFound, ZipTooLarge), summary="Contents, or a whole space, as a zip file", group=GROUP,
    ),
)  # fmt: skip
