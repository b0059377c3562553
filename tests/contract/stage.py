"""The world in which every route of the contract is asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from atrio.kernel.testing.client import Client

from .recipes import PASSWORD, Recipe, fresh

EVERYTHING = pytest.mark.atrio_config(
    accounts__self_registration=True, accounts__failures_allowed=1_000_000, plugins__enabled=["calls"]
)
"""Settings with which every route is there."""
ROLES = ("reader", "contributor", "content-manager", "workspace-manager")
SEGMENT = {"html-document": "html-documents", "thread": "threads", "folder": "folders", "file": "files"}


class Stage:
    """One space with a member of each role, people outside it, and one content of each kind.

    `values` stands for path parameters; the reader is the user of paths that name one. What the contributor
    may change as its author is made by the contributor.
    """

    def __init__(self, kernel: Any, root: Client, as_actor: Callable[..., Any], page: str) -> None:
        self.kernel = kernel
        self.root = root
        self.page = page
        self.people: dict[str, Any] = {role: as_actor(f"the-{role}") for role in ROLES}
        self.people["stranger"] = Client(kernel.app)
        self.people["user"] = as_actor("outsider")
        self.people["trusted"] = as_actor("trusted", profile="trusted-users")
        self.people["trusted manager"] = as_actor("trusted-manager", profile="trusted-users")
        self.people["administrator"] = as_actor("root", profile="administrators")
        self.people["deactivated"] = as_actor("deactivated")
        self.people["deleted"] = as_actor("deleted")
        self.space = self._space("Stage", access_type="confidential")
        roles = {role: role for role in ROLES} | {
            "deactivated": "workspace-manager", "deleted": "workspace-manager",
            "trusted manager": "workspace-manager",
        }  # fmt: skip
        for name, role in roles.items():
            self.ok("POST", f"{self.base}/members", {"user_id": self.people[name].user_id, "role": role})
        self.ok("PUT", f"/api/users/{self.people['deactivated'].user_id}/disabled", {})
        self.ok("PUT", f"/api/users/{self.people['deleted'].user_id}/trashed", {})
        self.values: dict[str, Any] = {
            "workspace_id": self.space, "user_id": self.people["reader"].user_id, "filename": "x.png",
            "width": 64, "height": 64,
        }  # fmt: skip
        self._contents()

    @property
    def base(self) -> str:
        """The path of the space."""
        return f"/api/workspaces/{self.space}"

    @property
    def reader(self) -> Any:
        """The member who may only read, and the user of paths that name one."""
        return self.people["reader"]

    @property
    def author(self) -> Any:
        """The contributor."""
        return self.people["contributor"]

    def ok(self, method: str, path: str, body: Any = None, who: Any = None, **options: Any) -> Any:
        """Ask for something that must work and return its JSON."""
        answer = (who or self.root).request(method, path, json_body=body, **options)
        assert answer.status in (200, 201, 204), (method, path, answer.status, answer.body)
        return answer.json if answer.body else None

    def _space(self, label: str, **values: Any) -> int:
        body = {"label": label, "description": "<p>d</p>", "access_type": "open", "default_user_role": "reader"}
        return int(self.ok("POST", "/api/workspaces", {**body, **values})["workspace_id"])

    def _contents(self) -> None:
        values = self.values
        for kind in ("html-document", "thread", "folder"):
            values[kind] = self.content(kind=kind, label=fresh(f"A note {kind} "))
        note = values["note"] = values["html-document"]
        made = self.upload(fresh("file") + ".txt")
        values["file"], values["revision"] = made["content_id"], made["current_revision_id"]
        shown = self.ok("GET", f"{self.base}/html-documents/{note}")
        values["note_revision"] = shown["current_revision_id"]
        values["comment"], values["todo"] = self.comment(), self.todo()
        values["tag"], values["reaction"] = self.tag("note"), self.reaction()
        values["edited"] = self.content()
        self.older = self.ok("GET", f"{self.base}/html-documents/{values['edited']}")["current_revision_id"]
        self.ok("POST", f"/api/users/{self.reader.user_id}/favorite-contents", {"content_id": note}, self.reader)

    # -- what recipes ask for ------------------------------------------------------------------------------

    def user(self) -> int:
        """Return a new account."""
        return int(self.ok("POST", "/api/users", {"email": f"{fresh('u')}@example.org"})["user_id"])

    def address(self) -> str:
        """Return the address of a new account with a password."""
        email = f"{fresh('u')}@example.org"
        self.ok("POST", "/api/users", {"email": email, "password": PASSWORD})
        return email

    def reset(self) -> dict[str, str]:
        """Return an address and the token with which its password may be set."""
        from atrio.plugins.accounts.api import by_login, make_reset_token

        email = self.address()
        token = self.kernel.run(lambda ctx: make_reset_token(ctx, by_login(ctx, email).user_id))
        return {"email": email, "reset_password_token": token}

    def leader(self) -> int:
        """Return whom the reader follows from now on."""
        leader = self.user()
        self.ok("POST", f"/api/users/{self.reader.user_id}/following", {"user_id": leader}, self.reader)
        return leader

    def token(self) -> int:
        """Return an application token of the reader."""
        body = {"label": "Laptop", "loggedin_user_password": PASSWORD}
        path = f"/api/users/{self.reader.user_id}/application_tokens"
        return int(self.ok("POST", path, body, self.reader)["token_id"])

    def follow(self) -> dict[str, Any]:
        """See to it that the reader follows somebody."""
        self.leader()
        return {}

    def followed(self) -> dict[str, Any]:
        """See to it that somebody follows the reader."""
        self.author.post(f"/api/users/{self.author.user_id}/following", {"user_id": self.reader.user_id})
        return {}

    def covered(self) -> dict[str, Any]:
        """See to it that the reader has a cover."""
        from .recipes import _picture

        path = f"/api/users/{self.reader.user_id}/cover/raw/c.png"
        assert self.reader.request("PUT", path, **_picture(self)).status == 204
        return {}

    def other_space(self, **values: Any) -> int:
        """Return a new space in which nobody but its owner is."""
        return self._space(fresh("space "), **values)

    def open_space(self) -> dict[str, Any]:
        """See to it that there is a space to be found."""
        self.other_space()
        return {}

    def subscribed(self) -> dict[str, Any]:
        """See to it that the reader asks for access somewhere."""
        space = self.other_space(access_type="on_request")
        path = f"/api/users/{self.reader.user_id}/workspace_subscriptions"
        self.ok("PUT", path, {"workspace_id": space}, self.reader)
        return {}

    def subscriber(self) -> int:
        """Return a new account that asks for access to the space."""
        from sqlalchemy import text

        user = self.user()
        with self.kernel.unit() as ctx:
            ctx.execute(
                text("UPDATE spaces_space SET access_type = 'on_request' WHERE space_id = :s"), {"s": self.space}
            )
        self.ok("PUT", f"/api/users/{user}/workspace_subscriptions", {"workspace_id": self.space})
        return user

    def request_pending(self) -> dict[str, Any]:
        """See to it that somebody asks for access to the space."""
        self.subscriber()
        return {}

    def member(self) -> int:
        """Return a new contributor of the space."""
        user = self.user()
        self.ok("POST", f"{self.base}/members", {"user_id": user, "role": "contributor"})
        return user

    def twin(self, *, trashed: bool = False) -> int:
        """Return a new space with the same people in it."""
        space = self.other_space(access_type="confidential")
        for role in ROLES:
            self.ok(
                "POST", f"/api/workspaces/{space}/members", {"user_id": self.people[role].user_id, "role": role}
            )
        manager = {"user_id": self.people["trusted manager"].user_id, "role": "workspace-manager"}
        self.ok("POST", f"/api/workspaces/{space}/members", manager)
        if trashed:
            self.ok("PUT", f"/api/workspaces/{space}/trashed", {})
        return space

    def content(self, state: str = "", *, kind: str = "html-document", label: str = "") -> int:
        """Return a new content, trashed or archived when asked for."""
        if kind == "file":
            return int(self.upload(fresh("f") + ".txt")["content_id"])
        body = {"label": label or fresh("c"), "content_type": kind}
        content = int(self.ok("POST", f"{self.base}/contents", body)["content_id"])
        if state:
            self.ok("PUT", f"{self.base}/contents/{content}/{state}", {})
        return content

    def upload(self, name: str) -> Any:
        """Upload a file."""
        return self.ok("POST", f"{self.base}/files", files={"files": (name, b"hello", "text/plain")})

    def comment(self) -> int:
        """Return a new comment of the contributor."""
        path = f"{self.base}/contents/{self.values['note']}/comments"
        return int(self.ok("POST", path, {"raw_content": "<p>said</p>"}, self.author)["content_id"])

    def written_note(self) -> int:
        """Return a note with a text."""
        note = self.content(label=fresh("Written "))
        self.ok("PUT", f"{self.base}/html-documents/{note}", {"raw_content": "<p>written</p>"})
        return note

    def said_thread(self) -> int:
        """Return the thread, with a comment."""
        thread = int(self.values["thread"])
        self.ok("POST", f"{self.base}/contents/{thread}/comments", {"raw_content": "<p>said</p>"}, self.author)
        return thread

    def todo(self) -> int:
        """Return a new to-do of the contributor for the reader."""
        body = {"raw_content": "do", "assignee_id": self.reader.user_id}
        path = f"{self.base}/contents/{self.values['note']}/todos"
        return int(self.ok("POST", path, body, self.author)["content_id"])

    def tag(self, on: str = "") -> int:
        """Return a new tag, of a content when one is named."""
        if not on:
            return int(self.ok("POST", f"{self.base}/tags", {"tag_name": fresh("t")})["tag_id"])
        path = f"{self.base}/contents/{self.values[on]}/tags"
        return int(self.ok("POST", path, {"tag_name": fresh("t")})["tag_id"])

    def reaction(self) -> int:
        """Return a new reaction of the contributor."""
        path = f"{self.base}/contents/{self.values['note']}/reactions"
        return int(self.ok("POST", path, {"value": fresh("r")}, self.author)["reaction_id"])

    def share(self) -> Any:
        """Return a new share of the file."""
        path = f"{self.base}/contents/{self.values['file']}/shares"
        return self.ok("POST", path, {"emails": [f"{fresh('guest')}@example.org"]})[0]

    def upload_link(self) -> Any:
        """Return a new upload link of the space."""
        path = f"{self.base}/upload_permissions"
        return self.ok("POST", path, {"emails": [f"{fresh('guest')}@example.org"], "password": None})[0]

    def shared(self) -> dict[str, Any]:
        """See to it that the file is shared and the space asks for files."""
        self.share()
        self.upload_link()
        return {}

    def favorite(self) -> int:
        """Return a content that the reader likes."""
        note = int(self.values["note"])
        self.ok("POST", f"/api/users/{self.reader.user_id}/favorite-contents", {"content_id": note}, self.reader)
        return note

    def call(self, *, incoming: bool = False) -> int:
        """Return a new call of the reader, or to him."""
        caller, callee = (self.author, self.reader) if incoming else (self.reader, self.author)
        path = f"/api/users/{caller.user_id}/outgoing_calls"
        return int(self.ok("POST", path, {"callee_id": callee.user_id}, caller)["call_id"])

    def message(self) -> int:
        """Return the event of a new message of the reader."""
        path = f"/api/users/{self.reader.user_id}"
        self.ok("PUT", f"{path}/config", {"parameters": {"param1": fresh()}}, self.reader)
        newest = self.ok("GET", f"{path}/messages", who=self.reader, query={"count": 1})
        return int(newest["items"][0]["event_id"])

    def older_revision(self) -> int:
        """Return an old revision of a content, which differs from its current one."""
        note = self.values["edited"]
        self.ok("PUT", f"{self.base}/html-documents/{note}", {"raw_content": f"<p>{fresh()}</p>"})
        return int(self.older)

    # -- asking ----------------------------------------------------------------------------------------------

    def path(self, template: str, recipe: Recipe) -> str:
        """Return the path of a request."""
        parts = []
        for segment in template.split("/"):
            filled = segment
            for name in _names(segment):
                chosen = recipe.names.get(name, name)
                value = chosen(self) if callable(chosen) else self.values.get(chosen, chosen)
                filled = filled.replace("{" + name + "}", str(value))
            parts.append(filled)
        return "/".join(parts)

    def request(self, recipe: Recipe) -> dict[str, Any]:
        """Return what goes along with a request."""
        made = recipe.make(self) if callable(recipe.make) else recipe.make
        return {k: dict(v) if isinstance(v, dict) else v for k, v in made.items()}

    def ask(self, who: str, method: str, template: str, recipe: Recipe, **options: Any) -> Any:
        """Ask as one of the people."""
        given = {**self.request(recipe), **options}
        return self.people[who].request(method, self.path(template, recipe), **given)


def _names(segment: str) -> list[str]:
    return re.findall(r"\{([a-z_0-9]+)\}", segment)
