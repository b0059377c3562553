"""The matrix of rights: every route asked by everybody. Default deny; who may not see, does not learn.

What each person is answered follows from the rule of the route in the facts. A refusal of somebody who may
not is looked at, and so is the success of everybody who may.
"""

from __future__ import annotations

from typing import Any

import pytest

from atrio.kernel.host import Kernel

from . import facts
from .recipes import RECIPES, Recipe
from .stage import EVERYTHING, Stage

pytestmark = [EVERYTHING, pytest.mark.timeout(600)]
NOBODY = (401, None)
OUTSIDE = (400, 1002)
PROFILE = (403, 4002)
ROLE = (403, 4003)
UNKNOWN_USER = (400, 1001)
UNKNOWN_CONTENT = (400, 1003)
MEMBERS = ("reader", "contributor", "content-manager", "workspace-manager", "trusted manager")
ACTORS = ("stranger", "deactivated", "deleted", "user", "trusted", "administrator", *MEMBERS)


def _role(least: str) -> dict[str, Any]:
    low = MEMBERS[: MEMBERS.index(least)]
    return {"user": OUTSIDE, "trusted": OUTSIDE, "administrator": ROLE, **dict.fromkeys(low, ROLE)}


SELF = dict.fromkeys(("user", "trusted", *MEMBERS[1:]), PROFILE)
REFUSED: dict[str, dict[str, Any]] = {
    "signed in": {},
    "user": {},
    "administrator": dict.fromkeys(("user", "trusted", *MEMBERS), PROFILE),
    "trusted": dict.fromkeys(("user", *MEMBERS[:-1]), PROFILE),
    "self or administrator": SELF,
    "self": {**SELF, "administrator": PROFILE},
    "knows user": {"user": UNKNOWN_USER},
    "see space": {"user": OUTSIDE, "trusted": OUTSIDE},
    "modify space": {"user": OUTSIDE, "trusted": OUTSIDE, **dict.fromkeys(MEMBERS[:3], ROLE)},
    "leave": {"user": OUTSIDE, "trusted": OUTSIDE, **dict.fromkeys(MEMBERS[:3], ROLE)},
    "delete space": {"user": OUTSIDE, "trusted": OUTSIDE, **dict.fromkeys(MEMBERS[:3], ROLE), MEMBERS[3]: PROFILE},
    "member of the content": dict.fromkeys(("user", "trusted", "administrator"), UNKNOWN_CONTENT),
    **{slug: _role(slug) for slug in MEMBERS[:4]},
    "create type": _role("contributor"),
    "move": _role("content-manager"),
    # the contributor is the author of what these are asked about, and the reader has to do it
    "edit comment": {**_role("contributor"), "content-manager": ROLE},
    "delete reaction": {**_role("contributor"), "content-manager": ROLE},
    "edit todo": _role("reader"),
    "delete todo": _role("contributor"),
}  # fmt: skip
# An administrator passes "self or administrator" for somebody else; where a space is named too, it is that
# user's space that counts, so he is answered like the reader.
ALLOWED = (200, 201, 204, 302, 307)


def _routes() -> list[tuple[str, str, Recipe, str]]:
    """Return (method, path, recipe, rule) of every route that is not public."""
    known = {facts.key(r["method"], r["path"]): r for r in facts.now()}
    found = []
    for (method, path), recipe in RECIPES.items():
        route = known.get(facts.key(method, path))
        rule = recipe.who or (route["who"][0] if route else BEYOND.get((method, path)))
        assert rule, (method, path)
        if rule != "anybody":
            found.append((method, path, recipe, rule))
    return found


BEYOND = {
    (
        "PUT",
        "/api/workspaces/{workspace_id}/contents/{content_id}/revisions/{revision_id}/restored",
    ): "contributor",
    ("GET", "/api/users/me"): "signed in",
    ("PUT", "/api/users/me"): "signed in",
    ("GET", "/api/users/{user_id}/presence"): "knows user",
    ("PUT", "/api/users/{user_id}/presence"): "self or administrator",
    ("GET", "/api/users/{user_id}/application_tokens"): "self or administrator",
    ("POST", "/api/users/{user_id}/application_tokens"): "self",
    ("DELETE", "/api/users/{user_id}/application_tokens/{token_id}"): "self or administrator",
    ("GET", "/api/users/{user_id}/calendars"): "self",
    ("GET", "/api/users/{user_id}/calendar_entries"): "self",
    ("GET", "/api/users/{user_id}/calendars/{name}/export"): "self",
    ("POST", "/api/users/{user_id}/calendars/{name}/import"): "self",
    ("POST", "/api/users/{user_id}/calendars/{name}/feed"): "self",
    ("DELETE", "/api/users/{user_id}/calendars/{name}/feed"): "self",
}
RULES = sorted({rule for *_, rule in _routes()})


@pytest.mark.parametrize("rule", RULES)
def test_who_may(stage: Stage, rule: str) -> None:
    wrong = []
    asked = 0
    for method, path, recipe, named in _routes():
        if named != rule:
            continue
        for actor in ACTORS:
            expected = REFUSED[rule].get(actor)
            if actor in ("stranger", "deactivated", "deleted"):
                expected = NOBODY
            answer = stage.ask(actor, method, path, recipe)
            asked += 1
            if expected is None:
                if answer.status not in ALLOWED:
                    wrong.append((actor, method, path, "is refused", answer.status, answer.body[:100]))
            elif answer.status in ALLOWED or (answer.status, answer.code) != expected:
                wrong.append((actor, method, path, "expected", expected, answer.status, answer.body[:100]))
    assert asked
    assert not wrong, "\n".join(map(str, wrong))


def test_public_routes_are_those_of_the_list(kernel: Kernel) -> None:
    listed = {facts.key(r["method"], r["path"]) for r in facts.now() if r["who"] == ["anybody"]}
    public = {
        facts.key(r.method, r.openapi_path()) for owner, r in kernel.router.routes
        if r.public and owner not in ("kernel", "api_docs", "web")
    }  # fmt: skip
    found_by_calendar_programs = {
        (method, path)
        for path in ("/.well-known/caldav", "/.well-known/carddav")
        for method in ("GET", "OPTIONS", "PROPFIND")
    } | {
        ("OPTIONS", "/"),
        ("PROPFIND", "/"),
        ("GET", "/api/calendar-feed.ics"),
    }  # the last asks for Basic credentials by itself
    asked_by_tus_clients = {
        ("OPTIONS", "/api/workspaces/{}/uploads"),
        ("OPTIONS", "/api/workspaces/{}/uploads/{}"),
    }
    assert public == listed | found_by_calendar_programs | asked_by_tus_clients


def test_a_profile_of_nobody_has_no_right(stage: Stage, kernel: Kernel) -> None:
    """Whoever has the profile `nobody` may sign in and sees nothing but himself."""
    from sqlalchemy import text

    with kernel.unit() as ctx:
        ctx.execute(
            text("UPDATE accounts_user SET profile = 0 WHERE user_id = :u"), {"u": stage.people["user"].user_id}
        )
    nobody = stage.people["user"]
    assert nobody.get("/api/auth/whoami").json["profile"] == "nobody"
    for method, path, recipe, rule in _routes():
        if rule in ("user", "trusted", "administrator"):
            answer = nobody.request(method, stage.path(path, recipe), **stage.request(recipe))
            assert (answer.status, answer.code) == PROFILE, (method, path, answer.body)


def test_ids_of_another_space_do_not_open_a_door(stage: Stage) -> None:
    """A manager of one space reaches nothing of another through his own space's paths."""
    manager = stage.people["workspace-manager"]
    own = stage.other_space(access_type="confidential")
    stage.ok("POST", f"/api/workspaces/{own}/members", {"user_id": manager.user_id, "role": "workspace-manager"})
    note = stage.ok("POST", f"/api/workspaces/{own}/contents", {"label": "own", "content_type": "html-document"})
    reached = []
    for method, path, recipe, _ in _routes():
        if "{workspace_id}" not in path or not path.startswith("/api/workspaces/") or path.count("{") < 2:
            continue
        if "{user_id}" in path or path.endswith(("/move",)):
            continue
        filled = stage.path(path, recipe).replace(f"/workspaces/{stage.space}/", f"/workspaces/{own}/")
        for target in {filled, _through(filled, path, note["content_id"])}:
            answer = manager.request(method, target, **stage.request(recipe))
            if answer.status in ALLOWED and not _about_own(target, note["content_id"]):
                reached.append((method, target, answer.status))
    assert reached == []


def _through(filled: str, path: str, own: int) -> str:
    """Put the manager's own content into a path that names a content and something of it."""
    parts, names = filled.split("/"), path.split("/")
    if "{content_id}" in names and names.index("{content_id}") < len(names) - 2:
        parts[names.index("{content_id}")] = str(own)
    return "/".join(parts)


def _about_own(target: str, own: int) -> bool:
    """Tell whether a path names nothing but the manager's own content."""
    rest = target.split("/")[4:]
    return not any(part.isdigit() and int(part) != own for part in rest)
