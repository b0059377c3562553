"""Routes of share."""

from __future__ import annotations

from typing import Any

from atrio.kernel.blobs import BLOCK
from atrio.kernel.context import Context
from atrio.kernel.errors import TooManyRequests
from atrio.kernel.http.downloads import StoredFile, user_bytes
from atrio.kernel.http.response import Response
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.kernel.http.uploads import UploadLimit
from atrio.plugins.accounts.api import WrongGuestPassword, check_guest_password
from atrio.plugins.core_content.api import FILE_ONLY
from atrio.plugins.spaces.api import CONTENT_MANAGER, CONTRIBUTOR, SPACE

from . import queries, schemas, services
from .errors import ShareNotFound
from .guards import DOWNLOAD_ENABLED, NOT_TRASHED, SHARED
from .views import with_urls

GROUP = "Contents > Share"
ALL = "/api/workspaces/{workspace_id}/contents/{content_id}/shares"
PUBLIC_ONE = "/api/public/guest-download/{share_token}"
PUBLIC_BYTES = f"{PUBLIC_ONE}/{{filename}}"


def create(ctx: Context, call: Call) -> str:
    """Share a file with some addresses."""
    return services.share_file(ctx, ctx.resources["content"], call.body["emails"], call.body["password"])


def load_group(ctx: Context, group: str) -> Any:
    """Return the shares that were just made."""
    rows = queries.OF_GROUP.all(ctx, content_id=ctx.resources["content"].content_id, group_uuid=group)
    return with_urls(ctx, rows)


def list_all(ctx: Context, call: Call) -> Any:
    """Return the shares of a file, oldest first."""
    content_id = ctx.resources["content"].content_id
    return with_urls(
        ctx, queries.OF_CONTENT.all(ctx, content_id=content_id, show_disabled=call.query["show_disabled"])
    )


def disable(ctx: Context, call: Call) -> None:
    """End a share."""
    text = call.path["share_id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ShareNotFound
    services.disable_share(ctx, ctx.resources["content"], int(text))


def show(ctx: Context, call: Call) -> Any:
    """Return what a guest may know of the file before he takes it."""
    return ctx.resources["share"]


def check(ctx: Context, call: Call) -> None:
    """Tell whether a guest's password is right."""
    _check_password(ctx, call, call.body["password"])


def _check_password(ctx: Context, call: Call, given: str | None) -> None:
    share = ctx.resources["share"]
    check_guest_password(ctx, share.password_hash, given, call.path["share_token"], call.http.client)
    if share.password_hash is not None:
        SHARED.check(ctx, call)  # it may have been ended while the password was checked


def download(ctx: Context, call: Call) -> Response:
    """Send the current bytes of a shared file that has no password."""
    return _send(ctx, call, None)


def download_with_password(ctx: Context, call: Call) -> Response:
    """Send the current bytes of a shared file to who knows its password."""
    return _send(ctx, call, call.body.get("password"))


def _send(ctx: Context, call: Call, password: str | None) -> Response:
    _check_password(ctx, call, password)
    row = ctx.resources["share"]
    stored = StoredFile(
        source=ctx.kernel.blobs.source(row.digest), size=row.content_size, media=row.mimetype,
        name=call.path["filename"] or row.content_filename, digest=row.digest, modified=row.modified,
    )  # fmt: skip
    return user_bytes(call.http, stored, attachment=True)


def no_files(ctx: Context, call: Call) -> UploadLimit:
    """Take a form without files."""
    return UploadLimit(BLOCK, field="no file is taken")


FILE = (FILE_ONLY, DOWNLOAD_ENABLED, NOT_TRASHED)
MANAGE = (SPACE, CONTENT_MANAGER, *FILE)
PASSWORD_ERRORS = (WrongGuestPassword, TooManyRequests)
ROUTES = (
    Route(
        "POST", ALL, create, MANAGE,
        Answer(schemas.share, "list", doc="The new shares, one for each address."), body=schemas.NewShareSchema,
        after=load_group, summary="Share a file with people without an account", group=GROUP,
    ),
    Route(
        "GET", ALL, list_all, (SPACE, CONTRIBUTOR, *FILE), Answer(schemas.share, "list"),
        query=schemas.ShareListQuerySchema, summary="Shares of a file", group=GROUP,
    ),
    Route(
        "DELETE", f"{ALL}/{{share_id}}", disable, MANAGE, EMPTY,
        errors=(ShareNotFound,), summary="End a share", group=GROUP,
    ),
    Route(
        "GET", PUBLIC_ONE, show, (SHARED,), Answer(schemas.public_share), summary="What a guest is given",
        group=GROUP,
    ),
    Route(
        "POST", f"{PUBLIC_ONE}/check", check, (SHARED,), EMPTY, body=schemas.GuestPasswordSchema,
        errors=PASSWORD_ERRORS, writes=False, summary="Check a guest's password", group=GROUP,
    ),
    Route(
        "GET", PUBLIC_BYTES, download, (SHARED,), Answer(shape="bytes", doc="The bytes."),
        errors=PASSWORD_ERRORS, summary="Take a shared file", group=GROUP,
    ),
    Route(
        "POST", PUBLIC_BYTES, download_with_password, (SHARED,), Answer(shape="bytes", doc="The bytes."),
        kind="stream", form=schemas.GuestPasswordSchema, stream=no_files, errors=PASSWORD_ERRORS, writes=False,
        summary="Take a shared file that has a password", group=GROUP,
    ),
)  # fmt: skip
