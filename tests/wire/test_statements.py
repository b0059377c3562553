"""How many statements reach the database: fixed for every route, the same for ten rows and a thousand.

What only frames a transaction or locks a row does not count. What a job does after the commit must not grow
either; the budget is that of the request. Every bundled plugin is on.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.kernel.testing.plugin import counted, of_the_request
from atrio.plugins.search.upkeep import populate
from tests.contract import facts
from tests.contract.recipes import RECIPES, asker_of, recipe_for
from tests.contract.stage import EVERYTHING, Stage

from . import filling

pytestmark = [EVERYTHING, pytest.mark.timeout(600)]
SMALL, LARGE = 10, 1000

READ, LIST, NOTE, UPLOAD, WRITE, TREE = 4, 6, 15, 19, 20, 25
# NOTE and UPLOAD hold one INSERT of a job for mail, whatever the number of receivers, and two statements of search
W = "/api/workspaces/{workspace_id}"
C = f"{W}/contents/{{content_id}}"
GUEST_UPLOAD = 40
"""A folder, a file and its comment in one request, who lets the guest in, and how much room there is."""
GUESTS = "POST /api/public/guest-upload/{upload_permission_token}"
BUDGETS = {
    ("POST", "/api/public/guest-upload/{upload_permission_token}"): GUEST_UPLOAD,
    ("GET", "/api/auth/whoami"): 1,
    ("POST", f"{W}/contents"): NOTE,
    ("POST", f"{C}/comments"): NOTE,
    ("PUT", f"{W}/html-documents/{{content_id}}"): NOTE,
    ("POST", f"{W}/files"): UPLOAD,
    ("PUT", f"{W}/files/{{content_id}}/raw/{{filename}}"): UPLOAD,
    ("GET", f"{W}/members"): 5,
    **dict.fromkeys(
        (
            ("PUT", f"{C}/trashed"), ("PUT", f"{C}/trashed/restore"), ("PUT", f"{C}/archived"),
            ("PUT", f"{C}/archived/restore"), ("PUT", f"{C}/move"), ("DELETE", f"{C}/permanently"),
            ("PUT", "/api/users/{user_id}/workspaces/{workspace_id}/read"), ("PUT", f"{W}/trashed"),
            ("PUT", f"{W}/trashed/restore"),
        ),
        TREE,
    ),
}  # fmt: skip
"""Routes with a budget of their own; the others have that of their kind."""
HIGHER: dict[tuple[str, str], tuple[int, str]] = {
    ("GET", f"{W}/disk_space"): (5, "the bytes of calendar entries are counted as well"),
    ("GET", "/api/advanced_search/content"): (8, "hits, facets, rows, their ways, and the names of facets"),
}
"""Reads that need more, and why."""
FIXED = {
    # lists whose length does not depend on what there is
    "GET /api/system/error_codes", "GET /api/system/applications", "GET /api/system/content_types",
    "GET /api/system/workspace_access_types", "GET /api/system/timezones", "GET /api/system/usage_conditions",
    "GET /api/system/reserved-usernames",
    "GET /api/contents/{content_id}/path",
    # what was just made
    f"POST {C}/shares", f"POST {W}/upload_permissions",
}  # fmt: skip


STREAM = "GET /api/users/{user_id}/live_messages"
READER_OF_THE_LOG = "FROM live_counter"
"""What the one reader for all streams of a process asks first; what follows is his, and pages of what was missed."""


def is_list(route: dict[str, Any]) -> bool:
    """Tell whether a route answers with a list: bare, in pages, or as the one thing of an object."""
    answer = route["answer"]
    if isinstance(answer, str) and answer != "bytes":
        return any(name in facts.shape(answer) for name in ("items", "contents"))
    return isinstance(answer, list)


def budget(route: dict[str, Any]) -> int:
    """Return how many statements a route may send."""
    for key, number in BUDGETS.items():
        if facts.key(*key) == facts.key(route["method"], route["path"]):
            return number
    for key, (number, _) in HIGHER.items():
        if facts.key(*key) == facts.key(route["method"], route["path"]):
            return number
    if route["method"] != "GET":
        return WRITE
    return LIST if is_list(route) else READ


def quiet(statements: Callable[[], Any]) -> None:
    """Wait until the reader of the log has ended what a stream before began: it would count with the next."""
    while True:
        with statements() as seen:
            time.sleep(0.2)
        if not seen:
            return


@pytest.fixture
def cost(stage: Stage, statements: Callable[[], Any]) -> Callable[..., tuple[list[str], Any]]:
    """`cost(route)` asks twice, what is built once is built then, and gives the second time's statements."""

    def ask(route: dict[str, Any], query: dict[str, Any] | None = None) -> tuple[list[str], Any]:
        recipe = recipe_for(route)
        person = stage.people[asker_of(route)]
        if facts.label(route) == GUESTS:  # what comes in another second makes a folder of its own
            time.sleep(1.02 - time.time() % 1)
        for _ in range(2):
            request = copy.copy(stage.request(recipe))
            if query:
                request["query"] = {**request.get("query", {}), **query}
            if facts.label(route) == STREAM:
                request["leave_after"] = 2  # the opening, and a page of what was missed
            path = stage.path(route["path"], recipe)
            person.get("/api/auth/whoami")
            if facts.label(route) == STREAM:
                quiet(statements)
            with statements() as seen:
                answer = person.request(route["method"], path, **request)
            assert answer.status < 400, (facts.label(route), answer.body[:300])
        if facts.label(route) == STREAM:
            assert answer.body.count(b"data: {") > 1
            seen = seen[: next(n for n, text in enumerate(seen) if READER_OF_THE_LOG in text)]
        return counted(seen), answer

    return ask


def test_what_is_said_of_a_route_is_said_of_one() -> None:
    there = {facts.key(*key) for key in RECIPES}
    assert {facts.key(*key) for key in (*BUDGETS, *HIGHER)} <= there


def long(route: dict[str, Any]) -> dict[str, Any]:
    """Return the query with which a list gives all it has."""
    query = facts.shape(route["query"]) if "query" in route else {}
    return {name: LARGE for name in ("count", "limit", "size") if name in query}


def rows_of(answer: Any) -> list[Any]:
    """Return the rows of a list."""
    if isinstance(answer, list):
        return answer
    found = answer.get("items", answer.get("contents"))
    assert isinstance(found, list)
    return found


def test_every_route_keeps_its_budget_whatever_there_is(
    kernel: Kernel, stage: Stage, cost: Callable[..., Any]
) -> None:
    """Each route is asked among ten rows of everything and among a thousand; lists give all of them."""
    found: dict[str, list[tuple[int, int]]] = {}
    over: dict[str, Any] = {}
    done = 0
    for number in (SMALL, LARGE):
        with kernel.unit() as ctx:
            filling.everything(ctx, stage, range(done, number))
            if number == LARGE:
                filling.users(ctx, range(10 * LARGE, 15 * LARGE))
        populate(kernel, lambda *_: None)
        done = number
        for route in facts.now():
            seen, answer = cost(route, long(route))
            length = len(rows_of(answer.json)) if is_list(route) else 0
            found.setdefault(facts.label(route), []).append((len(seen), length))
            asked = of_the_request(seen)
            if len(asked) > budget(route):
                over[facts.label(route)] = (len(asked), budget(route), asked)
    assert not over, "\n".join(f"{k}: {n} > {b}\n    " + "\n    ".join(s) for k, (n, b, s) in over.items())
    assert {name: two for name, two in found.items() if two[0][0] != two[1][0]} == {}
    grew = {name for name, ((_, few), (_, many)) in found.items() if many - few > 0.9 * LARGE}
    assert {facts.label(route) for route in facts.now() if is_list(route)} - grew == FIXED
    assert len(grew) > 25
    assert len(found) > 150
    assert min(cost for name, ((cost, _), _) in found.items() if "{workspace_id}" in name) >= 2


def test_whole_trees_cost_the_same_whatever_they_hold(
    kernel: Kernel, stage: Stage, statements: Callable[[], Any]
) -> None:
    """What is done to a folder or a space reaches a thousand contents in as many statements as ten."""
    manager, found = stage.people["trusted manager"], {}
    for number in (SMALL, LARGE):
        space, there = stage.twin(), stage.twin()
        base = f"/api/workspaces/{space}/contents"
        body = {"label": "whole", "content_type": "folder"}
        folder = stage.ok("POST", base, body, manager)["content_id"]
        with kernel.unit() as ctx:
            author = stage.author.user_id
            held = filling.contents(ctx, range(number), space, author, parent=folder)
            filling.contents(ctx, range(number), space, author, "comment", held[0])
            filling.tags(ctx, range(number), space, author, held)
            deep = folder
            for level in range(number // 10):  # and a hundred levels deep
                deep = filling.contents(ctx, range(level, level + 1), space, author, "folder", deep)[0]
        inside = f"{base}/{folder}"
        for what, method, path, sent in (
            ("read", "PUT", f"/api/users/{manager.user_id}/workspaces/{space}/read", None),
            ("trash", "PUT", f"{inside}/trashed", None), ("back", "PUT", f"{inside}/trashed/restore", None),
            ("archive", "PUT", f"{inside}/archived", None),
            ("back again", "PUT", f"{inside}/archived/restore", None),
            ("move", "PUT", f"{inside}/move", {"new_parent_id": None, "new_workspace_id": there}),
            ("purge", "DELETE", f"/api/workspaces/{there}/contents/{folder}/permanently", None),
            ("trash the space", "PUT", f"/api/workspaces/{space}/trashed", None),
            ("space back", "PUT", f"/api/workspaces/{space}/trashed/restore", None),
        ):  # fmt: skip
            manager.get("/api/auth/whoami")
            with statements() as seen:
                answer = manager.request(method, path, json_body=sent)
            assert answer.status in (200, 204), (what, answer.body)
            found.setdefault(what, []).append(len(counted(seen)))
    assert {what: costs for what, costs in found.items() if costs[0] != costs[1]} == {}
    assert {what: costs for what, costs in found.items() if costs[0] > TREE} == {}
    assert min(costs[0] for costs in found.values()) > 2
