"""How many statements the lists of spaces cost: the same for ten rows and for two thousand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD, of_the_request

SMALL, LARGE = 10, 2000


def grow(kernel: Kernel, space: int, first: int, last: int) -> None:
    """Write users who are members of one space and asked for it, and spaces, half of them with the administrator."""
    with kernel.unit() as ctx:
        numbers = [{"n": n, "name": f"u{n:05}", "s": space} for n in range(first, last)]
        for statement in (
            "INSERT INTO accounts_user (username, public_name, profile, auth_type, timezone, allowed_space, is_active,"
            " is_deleted, has_cover, created, creation_type, version)"
            " VALUES (:name, :name, 1, 'internal', '', 0, 1, 0, 0, 1, 'admin', 1)",
            "INSERT INTO spaces_member SELECT :s, user_id, 1, 'daily', 1 FROM accounts_user WHERE username = :name",
            "INSERT INTO spaces_subscription SELECT :s, user_id, 'pending', 1, NULL, NULL FROM accounts_user"
            " WHERE username = :name",
            "INSERT INTO spaces_space (label, slug, description, access_type, default_role, created, owner_id,"
            " is_deleted, agenda_enabled, public_upload_enabled, public_download_enabled, publication_enabled)"
            " VALUES (:name, :name, '', 'on_request', 1, 1, 1, 0, 1, 1, 1, 1)",
            "INSERT INTO spaces_member SELECT space_id, 1, 8, 'daily', 1 FROM spaces_space"
            " WHERE label = :name AND :n % 2 = 0",
            "INSERT INTO spaces_subscription SELECT space_id, 1, 'pending', 1, NULL, NULL FROM spaces_space"
            " WHERE label = :name",
        ):
            for number in numbers:
                ctx.execute(text(statement), {k: v for k, v in number.items() if f":{k}" in statement})


def test_lists_cost_the_same_whatever_their_length(
    kernel: Kernel, make_space: Any, statements: Callable[[], Any]
) -> None:
    space = make_space(access_type="on_request")
    browser = Client(kernel.app)
    assert browser.post("/api/auth/login", {"email": ADMIN, "password": PASSWORD}).status == 200
    base, mine = f"/api/workspaces/{space}", "/api/users/1"
    paths = {  # path: (rows at N, statements at most)
        f"{base}/members": (lambda n: n + 1, 5), f"{base}/role": (lambda n: n + 1, 5),
        f"{base}/subscriptions": (lambda n: n, 5), "/api/workspaces": (lambda n: n + 1, 4),
        "/api/workspaces?parent_ids=0": (lambda n: n + 1, 4), f"{mine}/workspaces": (lambda n: n + 1, 4),
        f"{mine}/workspaces?show_owned_workspace=0": (lambda n: n // 2 + 1, 4),
        f"{mine}/workspaces/all/settings": (lambda n: n // 2 + 1, 4),
        f"{mine}/accessible_workspaces": (lambda n: n // 2, 4), f"{mine}/workspace_subscriptions": (lambda n: n, 4),
        f"{mine}/known_members": (lambda n: n + 1, 5), f"{mine}/known_members?acp=u0": (lambda n: 5, 5),
        f"{mine}/known_members?include_workspace_ids={space}": (lambda n: n + 1, 6),
        f"{mine}/disk_space": (None, 5), f"{base}/disk_space": (None, 6),
    }  # fmt: skip
    found: dict[str, list[int]] = {}
    done = 0
    for count in (SMALL, LARGE):
        grow(kernel, space, done, count)
        done = count
        for path, (rows, _) in paths.items():
            browser.get(path)  # whatever is built once is built now
            with statements() as seen:
                answer = browser.get(path)
            assert answer.status == 200, (path, answer.body[:200])
            if rows is not None:
                assert len(answer.json) == rows(count), path
            found.setdefault(path, []).append(len(seen))
    browser.close()
    assert {path: counts for path, counts in found.items() if len(set(counts)) != 1} == {}
    assert {path: counts for path, counts in found.items() if counts[0] > paths[path][1]} == {}


def test_writes_cost_little(
    kernel: Kernel, client: Client, as_actor: Any, make_space: Any, statements: Callable[[], Any]
) -> None:
    bob = as_actor("bob")
    opened, asked = make_space(access_type="open"), make_space(access_type="on_request")
    user, base = f"/api/users/{bob.user_id}", f"/api/workspaces/{asked}"
    for method, path, body in (
        ("POST", f"{user}/workspaces", {"workspace_id": opened}),
        ("PUT", f"{user}/workspace_subscriptions", {"workspace_id": asked}),
        ("PUT", f"{base}/subscriptions/{bob.user_id}/accept", {"role": "reader"}),
        ("PUT", f"{user}/workspaces/{asked}/email_notification_type", {"email_notification_type": "none"}),
        ("PUT", base, {"label": "other"}), ("PUT", f"{base}/trashed", None),
        ("PUT", f"{base}/trashed/restore", None), ("DELETE", f"{base}/members/{bob.user_id}", None),
        ("POST", f"{base}/members", {"user_email": "n@x.y", "role": "reader"}),
    ):  # fmt: skip
        with statements() as seen:
            answer = client.request(method, path, json_body=body)
        assert answer.status in (200, 204), (path, answer.body)
        # an invitation makes an account, which the search knows at once
        assert len(of_the_request(seen)) <= 22, (path, seen)
