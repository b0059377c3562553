"""For every route a request that succeeds, in a world that holds one of everything.

A recipe makes what it needs anew each time it is asked, so that it works for one person after another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from . import facts

numbers = count(1)
W = "/api/workspaces/{workspace_id}"
U = "/api/users/{user_id}"
C = f"{W}/contents/{{content_id}}"
PASSWORD = "admin-password"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cfc0f01f0005000"
    "1ff5c3dfe7a0000000049454e44ae426082"
)


def fresh(prefix: str = "n") -> str:
    """Return a name that nobody has used."""
    return f"{prefix}{next(numbers)}"


@dataclass(frozen=True)
class Recipe:
    """How a route is asked: what stands for its path parameters, and what goes along.

    `names` and `make` may be functions of the stage; `who` is the rule in the matrix of rights where the
    route's own facts are not enough.
    """

    make: Callable[[Any], dict[str, Any]] | dict[str, Any] = field(default_factory=dict)
    names: dict[str, Any] = field(default_factory=dict)
    who: str | None = None
    actor: str | None = None
    status: int | None = None


def _body(**values: Any) -> dict[str, Any]:
    return {"json_body": values}


def _query(**values: Any) -> dict[str, Any]:
    return {"query": values}


def _file(name: str = "x.txt", data: bytes = b"x", media: str = "text/plain") -> Callable[[Any], dict[str, Any]]:
    return lambda s: {"files": {"files": (fresh() + name, data, media)}}


def _picture(s: Any) -> dict[str, Any]:
    from io import BytesIO

    from PIL import Image

    out = BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "PNG")
    return {"files": {"files": ("me.png", out.getvalue(), "image/png")}}


def _feed(s: Any) -> str:
    """Return the token of a fresh secret address of the reader's calendar."""
    name = f"user_{s.reader.user_id}_calendar"
    made = s.ok("POST", f"/api/users/{s.reader.user_id}/calendars/{name}/feed", None, s.reader)
    return str(made["url"]).partition("token=")[2]


NEW_SPACE = {"description": "", "access_type": "open", "default_user_role": "reader"}
OTHER = {"user_id": lambda s: s.user()}

SHARED = "/api/public/guest-download/{share_token}"
TO_SHARE = {"share_token": lambda s: s.share()["share_token"]}
UPLOAD = "/api/public/guest-upload/{upload_permission_token}"
TO_UPLOAD = {"upload_permission_token": lambda s: s.upload_link()["token"]}
CALENDAR = {"name": lambda s: f"user_{s.reader.user_id}_calendar"}
ICS = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\nUID:x\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"

RECIPES: dict[tuple[str, str], Recipe] = {
    # -- accounts ------------------------------------------------------------------------------------------
    ("POST", "/api/auth/login"): Recipe(_body(email="admin@admin.admin", password=PASSWORD)),
    ("POST", "/api/auth/logout"): Recipe(),
    ("GET", "/api/auth/logout"): Recipe(),
    ("GET", "/api/auth/whoami"): Recipe(),
    ("POST", "/api/auth/password/reset/request"): Recipe(lambda s: _body(email=s.address())),
    ("POST", "/api/auth/password/reset/token/check"): Recipe(lambda s: _body(**s.reset())),
    ("POST", "/api/auth/password/reset/modify"): Recipe(
        lambda s: _body(**s.reset(), new_password="new-password", new_password2="new-password")
    ),
    ("GET", "/api/system/username-availability"): Recipe(_query(username="somebody")),
    ("GET", "/api/system/reserved-usernames"): Recipe(),
    ("GET", "/api/system/user-custom-properties-schema"): Recipe(),
    ("GET", "/api/system/user-custom-properties-ui-schema"): Recipe(),
    ("POST", "/api/users/register"): Recipe(lambda s: _body(email=f"{fresh()}@example.org")),
    ("GET", "/api/users"): Recipe(),
    ("POST", "/api/users"): Recipe(lambda s: _body(email=f"{fresh()}@example.org")),
    ("GET", "/api/users/me/{rest}"): Recipe(names={"rest": "config"}),
    ("PUT", "/api/users/me/{rest}"): Recipe(_body(parameters={}), {"rest": "config"}),
    ("GET", U): Recipe(),
    ("PUT", U): Recipe(_body(timezone="Europe/Paris", lang="fr")),
    ("PUT", f"{U}/email"): Recipe(
        lambda s: _body(loggedin_user_password=PASSWORD, email=f"{fresh()}@example.org")
    ),
    ("PUT", f"{U}/username"): Recipe(_body(loggedin_user_password=PASSWORD, username="the-reader")),
    ("PUT", f"{U}/password"): Recipe(
        _body(loggedin_user_password=PASSWORD, new_password=PASSWORD, new_password2=PASSWORD)
    ),
    ("PUT", f"{U}/enabled"): Recipe(names=OTHER),
    ("PUT", f"{U}/disabled"): Recipe(names=OTHER),
    ("PUT", f"{U}/trashed"): Recipe(names=OTHER),
    ("PUT", f"{U}/trashed/restore"): Recipe(names=OTHER),
    ("PUT", f"{U}/profile"): Recipe(_body(profile="trusted-users"), OTHER),
    ("PUT", f"{U}/allowed_space"): Recipe(_body(allowed_space=1000), OTHER),
    ("GET", f"{U}/about"): Recipe(),
    ("GET", f"{U}/config"): Recipe(),
    ("PUT", f"{U}/config"): Recipe(_body(parameters={"a.b": "c", "n": 1, "x": None})),
    ("GET", f"{U}/custom-properties"): Recipe(),
    ("PUT", f"{U}/custom-properties"): Recipe(_body(parameters={})),
    ("GET", f"{U}/application_tokens"): Recipe(),
    ("POST", f"{U}/application_tokens"): Recipe(_body(label="Laptop", loggedin_user_password=PASSWORD)),
    ("DELETE", f"{U}/application_tokens/{{token_id}}"): Recipe(names={"token_id": lambda s: s.token()}),
    ("GET", f"{U}/following"): Recipe(lambda s: s.follow()),
    ("GET", f"{U}/followers"): Recipe(lambda s: s.followed()),
    ("POST", f"{U}/following"): Recipe(lambda s: _body(user_id=s.user())),
    ("DELETE", f"{U}/following/{{leader_id}}"): Recipe(names={"leader_id": lambda s: s.leader()}),
    ("GET", f"{U}/avatar/raw/{{filename}}"): Recipe(),
    ("GET", f"{U}/avatar/preview/jpg/{{filename}}"): Recipe(),
    ("GET", f"{U}/avatar/preview/jpg/{{width}}x{{height}}/{{filename}}"): Recipe(),
    ("PUT", f"{U}/avatar/raw/{{filename}}"): Recipe(_picture),
    ("GET", f"{U}/cover/raw/{{filename}}"): Recipe(lambda s: s.covered()),
    ("GET", f"{U}/cover/preview/jpg/{{filename}}"): Recipe(lambda s: s.covered()),
    ("GET", f"{U}/cover/preview/jpg/{{width}}x{{height}}/{{filename}}"): Recipe(lambda s: s.covered()),
    ("PUT", f"{U}/cover/raw/{{filename}}"): Recipe(_picture),
    # -- system --------------------------------------------------------------------------------------------
    ("GET", "/api/system/about"): Recipe(),
    ("GET", "/api/system/config"): Recipe(),
    ("GET", "/api/system/error_codes"): Recipe(),
    ("GET", "/api/system/applications"): Recipe(),
    ("GET", "/api/system/content_types"): Recipe(),
    ("GET", "/api/system/timezones"): Recipe(),
    ("GET", "/api/system/usage_conditions"): Recipe(),
    # -- spaces --------------------------------------------------------------------------------------------
    ("GET", "/api/system/workspace_access_types"): Recipe(),
    ("GET", f"{U}/workspaces"): Recipe(),
    ("POST", f"{U}/workspaces"): Recipe(lambda s: _body(workspace_id=s.other_space(access_type="open"))),
    ("GET", f"{U}/workspaces/all/settings"): Recipe(),
    ("GET", f"{U}/accessible_workspaces"): Recipe(lambda s: s.open_space()),
    ("GET", f"{U}/workspace_subscriptions"): Recipe(lambda s: s.subscribed()),
    ("PUT", f"{U}/workspace_subscriptions"): Recipe(
        lambda s: _body(workspace_id=s.other_space(access_type="on_request"))
    ),
    ("GET", f"{U}/disk_space"): Recipe(),
    ("GET", f"{U}/known_members"): Recipe(),
    ("PUT", f"{U}/workspaces/{{workspace_id}}/email_notification_type"): Recipe(
        _body(email_notification_type="weekly")
    ),
    ("GET", "/api/workspaces"): Recipe(),
    ("POST", "/api/workspaces"): Recipe(lambda s: _body(label=fresh(), **NEW_SPACE)),
    ("GET", W): Recipe(),
    ("PUT", W): Recipe(lambda s: _body(label=fresh("space "))),
    ("GET", f"{W}/disk_space"): Recipe(),
    ("PUT", f"{W}/trashed"): Recipe(names={"workspace_id": lambda s: s.twin()}),
    ("PUT", f"{W}/trashed/restore"): Recipe(names={"workspace_id": lambda s: s.twin(trashed=True)}),
    ("GET", f"{W}/members"): Recipe(),
    ("GET", f"{W}/role"): Recipe(),
    ("GET", f"{W}/members/{{user_id}}"): Recipe(),
    ("POST", f"{W}/members"): Recipe(lambda s: _body(user_id=s.user(), role="reader")),
    ("PUT", f"{W}/members/{{user_id}}"): Recipe(_body(role="reader"), {"user_id": lambda s: s.member()}),
    ("DELETE", f"{W}/members/{{user_id}}"): Recipe(names={"user_id": lambda s: s.member()}, who="leave"),
    ("GET", f"{W}/subscriptions"): Recipe(lambda s: s.request_pending()),
    ("PUT", f"{W}/subscriptions/{{user_id}}/accept"): Recipe(
        _body(role="reader"), {"user_id": lambda s: s.subscriber()}
    ),
    ("PUT", f"{W}/subscriptions/{{user_id}}/reject"): Recipe(names={"user_id": lambda s: s.subscriber()}),
    # -- contents ------------------------------------------------------------------------------------------
    ("GET", f"{W}/contents"): Recipe(),
    ("POST", f"{W}/contents"): Recipe(lambda s: _body(label=fresh(), content_type="html-document")),
    ("GET", C): Recipe(names={"content_id": "note"}),
    ("GET", f"{C}/path"): Recipe(names={"content_id": "note"}),
    ("GET", "/api/contents/{content_id}"): Recipe(names={"content_id": "note"}),
    ("GET", "/api/contents/{content_id}/path"): Recipe(names={"content_id": "note"}),
    ("PUT", f"{C}/move"): Recipe(
        lambda s: _body(new_parent_id=None, new_workspace_id=s.values["workspace_id"]),
        {"content_id": lambda s: s.content()},
    ),
    ("PUT", f"{C}/trashed"): Recipe(names={"content_id": lambda s: s.content()}),
    ("PUT", f"{C}/trashed/restore"): Recipe(names={"content_id": lambda s: s.content("trashed")}),
    ("PUT", f"{C}/archived"): Recipe(names={"content_id": lambda s: s.content()}),
    ("PUT", f"{C}/archived/restore"): Recipe(names={"content_id": lambda s: s.content("archived")}),
    ("DELETE", f"{C}/permanently"): Recipe(names={"content_id": lambda s: s.content()}),
    ("PUT", f"{C}/template"): Recipe(_body(is_template=True), {"content_id": lambda s: s.content()}),
    ("GET", f"{U}/template_contents"): Recipe(_query(type="html-document")),
    ("GET", f"{U}/known_contents"): Recipe(_query(acp="note")),
    ("GET", f"{U}/workspaces/{{workspace_id}}/contents/read_status"): Recipe(),
    ("PUT", f"{U}/workspaces/{{workspace_id}}/contents/{{content_id}}/read"): Recipe(names={"content_id": "note"}),
    ("PUT", f"{U}/workspaces/{{workspace_id}}/contents/{{content_id}}/unread"): Recipe(
        names={"content_id": "note"}
    ),
    ("PUT", f"{U}/workspaces/{{workspace_id}}/read"): Recipe(),
    **{
        (method, f"{W}/{segment}/{{content_id}}{rest}"): Recipe(make, {"content_id": chosen})
        for segment, kind in (
            ("html-documents", "html-document"), ("threads", "thread"), ("folders", "folder"), ("files", "file")
        )
        for method, rest, make, chosen in (
            ("GET", "", {}, kind),
            ("PUT", "", lambda s: _body(label=fresh()), lambda s, kind=kind: s.content(kind=kind)),
            ("PUT", "/status", _body(status="closed-validated"), lambda s, kind=kind: s.content(kind=kind)),
            ("GET", "/revisions", {}, kind),
        )
    },
    ("GET", f"{W}/html-documents/{{content_id}}/revisions/{{revision_id}}"): Recipe(
        names={"content_id": "note", "revision_id": "note_revision"}
    ),
    ("PUT", f"{W}/threads/{{content_id}}/namespace"): Recipe(
        _body(content_namespace="publication"), {"content_id": lambda s: s.content(kind="thread")}
    ),
    ("POST", f"{W}/files"): Recipe(_file()),
    ("PUT", f"{W}/files/{{content_id}}/raw/{{filename}}"): Recipe(_file(), {"content_id": "file"}),
    ("GET", f"{W}/files/{{content_id}}/raw/{{filename}}"): Recipe(names={"content_id": "file"}),
    ("GET", f"{W}/files/{{content_id}}/revisions/{{revision_id}}/raw/{{filename}}"): Recipe(
        names={"content_id": "file", "revision_id": "revision"}
    ),
    # -- preview -------------------------------------------------------------------------------------------
    **{
        ("GET", f"{W}/files/{{content_id}}{rest}"): Recipe(
            names={"content_id": "file", "revision_id": "revision", "width": 64, "height": 64}
        )
        for rest in (
            "/preview/jpg/allowed_dims", "/preview/jpg/{filename}",
            *(
                f"{base}{rest}"
                for base in ("", "/revisions/{revision_id}")
                for rest in (
                    "/preview/jpg/{width}x{height}/{filename}", "/preview/pdf/{filename}",
                    "/preview/pdf/full/{filename}", "/preview_info",
                )
            ),
        )
    },
    ("GET", f"{W}/html-documents/{{content_id}}/preview/html/{{filename}}"): Recipe(
        names={"content_id": lambda s: s.written_note()}
    ),
    ("GET", f"{W}/html-documents/{{content_id}}/preview/pdf/full/{{filename}}"): Recipe(
        names={"content_id": "note"}
    ),
    ("GET", f"{W}/html-documents/{{content_id}}/revisions/{{revision_id}}/preview/pdf/full/{{filename}}"): Recipe(
        names={"content_id": "note", "revision_id": "note_revision"}
    ),
    ("GET", f"{W}/threads/{{content_id}}/preview/html/{{filename}}"): Recipe(
        names={"content_id": lambda s: s.said_thread()}
    ),
    # -- core_content, continued ---------------------------------------------------------------------------
    ("GET", f"{C}/comments"): Recipe(names={"content_id": "note"}),
    ("POST", f"{C}/comments"): Recipe(_body(raw_content="<p>hello</p>"), {"content_id": "note"}),
    ("GET", f"{C}/comments/{{comment_id}}"): Recipe(names={"content_id": "note", "comment_id": "comment"}),
    ("PUT", f"{C}/comments/{{comment_id}}"): Recipe(
        lambda s: _body(raw_content=fresh("text ")), {"content_id": "note", "comment_id": "comment"}
    ),
    ("DELETE", f"{C}/comments/{{comment_id}}"): Recipe(
        names={"content_id": "note", "comment_id": lambda s: s.comment()}
    ),
    ("GET", f"{U}/todos"): Recipe(),
    ("GET", f"{C}/todos"): Recipe(names={"content_id": "note"}),
    ("POST", f"{C}/todos"): Recipe(_body(raw_content="do it", assignee_id=None), {"content_id": "note"}),
    ("GET", f"{C}/todos/{{todo_id}}"): Recipe(names={"content_id": "note", "todo_id": "todo"}),
    ("PUT", f"{C}/todos/{{todo_id}}"): Recipe(_body(status="open"), {"content_id": "note", "todo_id": "todo"}),
    ("DELETE", f"{C}/todos/{{todo_id}}"): Recipe(names={"content_id": "note", "todo_id": lambda s: s.todo()}),
    # -- the small plugins ---------------------------------------------------------------------------------
    ("GET", f"{W}/tags"): Recipe(),
    ("POST", f"{W}/tags"): Recipe(lambda s: _body(tag_name=fresh("tag "))),
    ("GET", f"{W}/tags/{{tag_id}}"): Recipe(names={"tag_id": "tag"}),
    ("DELETE", f"{W}/tags/{{tag_id}}"): Recipe(names={"tag_id": lambda s: s.tag()}),
    ("GET", f"{C}/tags"): Recipe(names={"content_id": "note"}),
    ("POST", f"{C}/tags"): Recipe(lambda s: _body(tag_name=fresh("tag ")), {"content_id": "note"}),
    ("PUT", f"{C}/tags/{{tag_id}}"): Recipe(names={"content_id": "note", "tag_id": lambda s: s.tag()}),
    ("DELETE", f"{C}/tags/{{tag_id}}"): Recipe(names={"content_id": "note", "tag_id": lambda s: s.tag("note")}),
    ("GET", f"{C}/reactions"): Recipe(names={"content_id": "note"}),
    ("POST", f"{C}/reactions"): Recipe(lambda s: _body(value=fresh("👍")), {"content_id": "note"}),
    ("GET", f"{C}/reactions/{{reaction_id}}"): Recipe(names={"content_id": "note", "reaction_id": "reaction"}),
    ("DELETE", f"{C}/reactions/{{reaction_id}}"): Recipe(
        names={"content_id": "note", "reaction_id": lambda s: s.reaction()}
    ),
    ("POST", f"{C}/shares"): Recipe(_body(emails=["ann@example.org"], password=None), {"content_id": "file"}),
    ("GET", f"{C}/shares"): Recipe(lambda s: s.shared(), {"content_id": "file"}),
    ("DELETE", f"{C}/shares/{{share_id}}"): Recipe(
        names={"content_id": "file", "share_id": lambda s: s.share()["share_id"]}
    ),
    ("GET", SHARED): Recipe(names=TO_SHARE),
    ("POST", f"{SHARED}/check"): Recipe(_body(password=None), TO_SHARE),
    ("GET", f"{SHARED}/{{filename}}"): Recipe(names=TO_SHARE),
    ("POST", f"{SHARED}/{{filename}}"): Recipe({"fields": {}}, TO_SHARE),
    ("POST", f"{W}/upload_permissions"): Recipe(_body(emails=["ann@example.org"], password=None)),
    ("GET", f"{W}/upload_permissions"): Recipe(lambda s: s.shared()),
    ("DELETE", f"{W}/upload_permissions/{{upload_permission_id}}"): Recipe(
        names={"upload_permission_id": lambda s: s.upload_link()["upload_permission_id"]}
    ),
    ("GET", UPLOAD): Recipe(names=TO_UPLOAD),
    ("POST", f"{UPLOAD}/check"): Recipe(_body(password=None), TO_UPLOAD),
    ("POST", UPLOAD): Recipe(
        lambda s: {"files": {"file_0": ("a.txt", b"x", "text/plain")}, "fields": {"username": "Zoe"}}, TO_UPLOAD
    ),
    ("GET", f"{U}/favorite-contents"): Recipe(),
    ("POST", f"{U}/favorite-contents"): Recipe(lambda s: _body(content_id=s.values["note"])),
    ("GET", f"{U}/favorite-contents/{{content_id}}"): Recipe(names={"content_id": lambda s: s.favorite()}),
    ("DELETE", f"{U}/favorite-contents/{{content_id}}"): Recipe(names={"content_id": "note"}),
    ("GET", "/api/search/content"): Recipe(_query(search_string="note")),
    ("GET", "/api/advanced_search/content"): Recipe(_query(search_string="note")),
    ("GET", "/api/advanced_search/user"): Recipe(_query(search_string="contract")),
    ("GET", "/api/advanced_search/workspace"): Recipe(_query(search_string="contract")),
    ("GET", "/api/url-preview"): Recipe(lambda s: _query(url=s.page)),
    ("GET", f"{U}/calendars"): Recipe(),
    ("GET", f"{U}/calendar_entries"): Recipe(_query(search_string="word")),
    ("GET", f"{U}/calendars/{{name}}/export"): Recipe(names=CALENDAR),
    ("POST", f"{U}/calendars/{{name}}/import"): Recipe(_file("a.ics", ICS, "text/calendar"), CALENDAR),
    ("POST", f"{U}/calendars/{{name}}/feed"): Recipe(names=CALENDAR),
    ("DELETE", f"{U}/calendars/{{name}}/feed"): Recipe(names=CALENDAR),
    ("GET", "/api/calendar-feed.ics"): Recipe(lambda s: _query(token=_feed(s)), who="anybody"),
    ("GET", f"{U}/agenda"): Recipe(),
    ("GET", "/api/system/pre-filled-agenda-event"): Recipe(),
    ("POST", f"{U}/outgoing_calls"): Recipe(lambda s: _body(callee_id=s.author.user_id)),
    ("GET", f"{U}/outgoing_calls"): Recipe(),
    ("GET", f"{U}/incoming_calls"): Recipe(),
    ("GET", f"{U}/outgoing_calls/{{call_id}}"): Recipe(names={"call_id": lambda s: s.call()}),
    ("GET", f"{U}/incoming_calls/{{call_id}}"): Recipe(names={"call_id": lambda s: s.call(incoming=True)}),
    ("PUT", f"{U}/outgoing_calls/{{call_id}}/state"): Recipe(
        _body(state="cancelled"), {"call_id": lambda s: s.call()}
    ),
    ("PUT", f"{U}/incoming_calls/{{call_id}}/state"): Recipe(
        _body(state="rejected"), {"call_id": lambda s: s.call(incoming=True)}
    ),
    ("GET", f"{U}/live_messages"): Recipe(
        {"headers": {"accept": "text/event-stream"}, "query": {"after_event_id": 1}}
    ),
    ("GET", f"{U}/messages"): Recipe(),
    ("GET", f"{U}/messages/summary"): Recipe(),
    ("PUT", f"{U}/messages/read"): Recipe(lambda s: _query(event_ids=s.message())),
    ("PUT", f"{U}/messages/unread"): Recipe(lambda s: _query(event_ids=s.message())),
    ("PUT", f"{U}/messages/{{event_id}}/read"): Recipe(names={"event_id": lambda s: s.message()}),
    ("PUT", f"{U}/messages/{{event_id}}/unread"): Recipe(names={"event_id": lambda s: s.message()}),
    # -- beyond the contract -------------------------------------------------------------------------------
    ("PUT", f"{C}/revisions/{{revision_id}}/restored"): Recipe(
        names={"content_id": "edited", "revision_id": lambda s: s.older_revision()}
    ),
    ("GET", "/api/users/me"): Recipe(),
    ("PUT", "/api/users/me"): Recipe(_body(timezone="", lang="en")),
    ("GET", f"{U}/presence"): Recipe(),
    ("PUT", f"{U}/presence"): Recipe(_body(hidden=True)),
}  # fmt: skip


def recipe_for(route: dict[str, Any]) -> Recipe:
    """Return the recipe of a route of the facts."""
    for (method, path), recipe in RECIPES.items():
        if facts.key(method, path) == facts.key(route["method"], route["path"]):
            return recipe
    raise AssertionError(f"no recipe for {facts.label(route)}")


def asker_of(route: dict[str, Any]) -> str:
    """Return who of the stage's people may ask for a route, and no more than may."""
    who = str(route["who"][0])
    if who in ("self or administrator", "signed in", "user", "knows user"):
        return "reader"
    return {
        "administrator": "administrator", "trusted": "trusted", "modify space": "workspace-manager",
        "delete space": "trusted manager", "leave": "workspace-manager", "edit comment": "contributor",
        "delete reaction": "contributor", "anybody": "stranger", "reader": "reader", "see space": "reader",
        "edit todo": "reader", "delete todo": "contributor", "create type": "contributor", "move": "content-manager",
        "member of the content": "reader",
    }.get(who, who)  # fmt: skip
