"""Routes of upload_links."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.errors import NoFileGiven, TooManyRequests
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.kernel.http.uploads import Upload, UploadLimit
from atrio.plugins.accounts.api import WrongGuestPassword, check_guest_password
from atrio.plugins.core_content.api import FileTooLarge, OwnerFull, SpaceFull, room
from atrio.plugins.spaces.api import CONTENT_MANAGER, SPACE

from . import queries, schemas, services
from .errors import UploadLinkNotFound
from .guards import LINKED, UPLOAD_ENABLED
from .views import with_urls

GROUP = "Workspaces > Upload Permission"
ALL = "/api/workspaces/{workspace_id}/upload_permissions"
PUBLIC_ONE = "/api/public/guest-upload/{upload_permission_token}"
FILES = 100
"""How many files one form may hold."""
MANAGE = (SPACE, CONTENT_MANAGER, UPLOAD_ENABLED)


def create(ctx: Context, call: Call) -> str:
    """Let some addresses put files into a space."""
    return services.make_links(ctx, ctx.resources["space"], call.body["emails"], call.body["password"])


def load_group(ctx: Context, group: str) -> Any:
    """Return the links that were just made."""
    return with_urls(ctx, queries.OF_GROUP.all(ctx, space_id=ctx.resources["space"].space_id, group_uuid=group))


def list_all(ctx: Context, call: Call) -> Any:
    """Return the upload links of a space, oldest first."""
    space_id = ctx.resources["space"].space_id
    return with_urls(ctx, queries.OF_SPACE.all(ctx, space_id=space_id, show_disabled=call.query["show_disabled"]))


def disable(ctx: Context, call: Call) -> None:
    """End an upload link."""
    text = call.path["upload_permission_id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise UploadLinkNotFound
    services.disable_link(ctx, ctx.resources["space"], int(text))


def show(ctx: Context, call: Call) -> Any:
    """Tell whether the link has a password."""
    return ctx.resources["link"]


def check(ctx: Context, call: Call) -> None:
    """Tell whether a guest's password is right."""
    _check_password(ctx, call)


def _check_password(ctx: Context, call: Call) -> None:
    link = ctx.resources["link"]
    token = call.path["upload_permission_token"]
    check_guest_password(ctx, link.password_hash, call.body["password"], token, call.http.client)
    if link.password_hash is not None:
        LINKED.check(ctx, call)  # it may have been ended while the password was checked


def upload_limit(ctx: Context, call: Call) -> UploadLimit:
    """Refuse what the space has no room for before a byte is read, and bound the rest."""
    _, left = room(ctx, ctx.resources["link"])
    if left is None:
        return UploadLimit(field="file_", many=FILES)
    if left == 0 or (call.http.content_length or 0) > left + 65536:
        raise SpaceFull
    return UploadLimit(left, SpaceFull, field="file_", many=FILES)


def upload(ctx: Context, call: Call) -> None:
    """Take the files of a guest."""
    _check_password(ctx, call)
    received = call.upload if isinstance(call.upload, Upload) else Upload()
    if not received.files:
        raise NoFileGiven
    link, body = ctx.resources["link"], call.body
    services.store_files(ctx, link, body["username"], body["message"], received.files)


PASSWORD_ERRORS = (WrongGuestPassword, TooManyRequests)
ROUTES = (
    Route(
        "POST", ALL, create, MANAGE, Answer(schemas.link, "list", doc="The new links, one for each address."),
        body=schemas.NewLinksSchema, after=load_group, summary="Ask people without an account for files",
        group=GROUP,
    ),
    Route(
        "GET", ALL, list_all, MANAGE, Answer(schemas.link, "list"), query=schemas.LinkListQuerySchema,
        summary="Upload links of a space", group=GROUP,
    ),
    Route(
        "DELETE", f"{ALL}/{{upload_permission_id}}", disable, MANAGE, EMPTY, errors=(UploadLinkNotFound,),
        summary="End an upload link", group=GROUP,
    ),
    Route(
        "GET", PUBLIC_ONE, show, (LINKED,), Answer(schemas.public_link), summary="What a guest is asked for",
        group=GROUP,
    ),
    Route(
        "POST", f"{PUBLIC_ONE}/check", check, (LINKED,), EMPTY, body=schemas.GuestPasswordSchema,
        errors=PASSWORD_ERRORS, writes=False, summary="Check a guest's password", group=GROUP,
    ),
    Route(
        "POST", PUBLIC_ONE, upload, (LINKED,), EMPTY, kind="stream", form=schemas.GuestUploadSchema,
        stream=upload_limit, errors=(*PASSWORD_ERRORS, NoFileGiven, FileTooLarge, SpaceFull, OwnerFull),
        summary="Put files into a space as a guest", group=GROUP,
    ),
)  # fmt: skip
