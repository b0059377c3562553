"""Routes of the list of a space, and of creation."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.errors import ValidationFailed
from atrio.kernel.http.paging import page, read_token
from atrio.kernel.http.route import Answer, Call, Route
from atrio.kernel.http.schema import Rows
from atrio.plugins.spaces.api import SPACE, SpaceNotFound

from .. import queries, schemas, services
from ..errors import ContentNotFound, ContentTypeNotAllowed
from ..events import ContentCopied, ContentCreated
from ..guards import CREATE_TYPE
from ..names import usable
from ..types import NAMESPACES, content_types
from .shared import EXCEPT_NAMED, READ, W, load_digest, template_of


def list_contents(ctx: Context, call: Call) -> Rows:
    """Return a page of a space's contents, two statements at most whatever their number."""
    query = call.query
    space = ctx.resources["space"]
    space_id = 0 if space.is_deleted else space.space_id  # no space has this id: the list is empty
    parents = _wanted_parents(ctx, space_id, query)
    wanted = dict.fromkeys(n for n in (query["namespaces_filter"] or "").split(",") if n)
    namespaces = list(wanted) or ["content"]
    if any(n not in NAMESPACES for n in namespaces):
        raise ValidationFailed({"namespaces_filter": ["Unknown namespace."]})
    sort, _, direction = query["sort"].partition(":")
    bookmark = read_token(query["page_token"], str if sort == "label" else int)
    shape = queries.ListShape(
        parents=len(parents), namespaces=len(namespaces), content_type=query["content_type"] is not None,
        label=bool(query["label"]), archived=bool(query["show_archived"]),
        deleted=bool(query["show_deleted"]), active=bool(query["show_active"]), sort=sort,
        descending=direction == "desc", limited=bool(query["count"]),
        bookmark=bookmark.side if bookmark else "",
    )  # fmt: skip
    values: dict[str, Any] = {f"parent_{i}": p for i, p in enumerate(parents)}
    values |= {f"namespace_{i}": n for i, n in enumerate(namespaces)}
    if bookmark:
        values |= {"place_value": bookmark.value, "place_id": bookmark.row_id}
    if query["label"]:
        values["label"] = queries.contains(query["label"])
    rows = queries.list_statement(ctx, shape).all(
        ctx, space_id=space_id, content_type=query["content_type"], limit=query["count"] + 1, **values
    )
    return page(
        rows,
        query["count"],
        bookmark,
        lambda r: (r.sort_key if sort == "label" else getattr(r, sort), r.content_id),
    )


def _wanted_parents(ctx: Context, space_id: int, query: dict[str, Any]) -> tuple[int, ...]:
    parents = query["parent_ids"] or ()
    target = query["complete_path_to_id"]
    if target is not None:
        parents = tuple(dict.fromkeys((*parents, 0, *queries.ancestors(ctx, space_id, target))))
    if len(parents) > 512:
        raise ValidationFailed({"parent_ids": ["At most 512 parents."]})
    # A power of two of them, the last one repeated: a handful of statements is kept, not one per number.
    return parents + parents[-1:] * ((1 << (len(parents) - 1).bit_length()) - len(parents)) if parents else ()


def create(ctx: Context, call: Call) -> int:
    """Create a content of any type that people create."""
    body = call.body
    kind = content_types(ctx.kernel).get(body["content_type"])
    if kind is None or not kind.creatable:
        raise ValidationFailed({"content_type": ["Not created by this route."]})
    if not usable(body["label"]):
        raise ValidationFailed({"label": ["Not a usable name."]})
    template = template_of(ctx, body["template_id"])
    return services.create_content(
        ctx, ctx.resources["space"], kind=kind, label=body["label"], parent_id=body["parent_id"],
        namespace=body["content_namespace"], template=template,
    )  # fmt: skip


ROUTES = (
    Route(
        "GET", f"{W}/contents", list_contents, READ, Answer(schemas.digest, "page"),
        query=schemas.ContentFilterSchema, summary="Contents of a space", group="Contents",
    ),
    Route(
        "POST", f"{W}/contents", create, (SPACE, CREATE_TYPE), Answer(schemas.digest),
        body=schemas.ContentCreationSchema, after=load_digest,
        errors=(*EXCEPT_NAMED, ContentNotFound, ContentTypeNotAllowed, SpaceNotFound),
        emits=(ContentCreated, ContentCopied),
        summary="Create a content", group="Contents",
    ),
)  # fmt: skip
