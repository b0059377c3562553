"""A space with people of each role, and short ways to ask for its contents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from atrio.kernel.testing.client import Answer, Client

ROUTES = {
    "html-document": "html-documents", "thread": "threads", "folder": "folders", "file": "files",
    "kanban": "files", "logbook": "files",
}  # fmt: skip


class Place:
    """A space and its people: `root` manages it, the others have the role of their name."""

    def __init__(self, space: int, root: Client, people: dict[str, Any], upload: Callable[..., Any]) -> None:
        self.space = space
        self.root = root
        self.people = people
        self.upload = upload

    @property
    def base(self) -> str:
        """The path of the space."""
        return f"/api/workspaces/{self.space}"

    def make(
        self, label: str = "Note", kind: str = "html-document", parent: int | None = None, **more: Any
    ) -> int:
        """Create a content as the manager and return its id."""
        body = {"label": label, "content_type": kind, "parent_id": parent, **more}
        answer = self.root.post(f"{self.base}/contents", body)
        assert answer.status == 200, answer.body
        return int(answer.json["content_id"])

    def file(self, name: str = "a.txt", data: bytes = b"hello", **fields: str) -> int:
        """Upload a file as the manager and return its id."""
        answer = self.upload(self.root, f"{self.base}/files", name, data, fields=fields)
        assert answer.status == 200, answer.body
        return int(answer.json["content_id"])

    def get(self, content: int, kind: str = "html-document", who: Client | None = None) -> Any:
        """Return the JSON of a content."""
        answer = (who or self.root).get(f"{self.base}/{ROUTES[kind]}/{content}")
        assert answer.status == 200, answer.body
        return answer.json

    def act(self, content: int, verb: str, who: Client | None = None, **options: Any) -> Answer:
        """Do one of trashed, trashed/restore, archived, archived/restore."""
        return (who or self.root).request("PUT", f"{self.base}/contents/{content}/{verb}", **options)

    def move(
        self, content: int, parent: int | None, space: int | None = None, who: Client | None = None
    ) -> Answer:
        """Move a content."""
        body = {"new_parent_id": parent, "new_workspace_id": self.space if space is None else space}
        return (who or self.root).put(f"{self.base}/contents/{content}/move", body)

    def labels(self, query: str = "", who: Client | None = None) -> list[str]:
        """Return the labels of the list of the space."""
        answer = (who or self.root).get(f"{self.base}/contents?{query}")
        assert answer.status == 200, answer.body
        return [row["label"] for row in answer.json["items"]]

    def comment(self, content: int, text: str = "<p>hi</p>", who: Client | None = None) -> Any:
        """Comment and return the JSON."""
        answer = (who or self.root).post(f"{self.base}/contents/{content}/comments", {"raw_content": text})
        assert answer.status == 200, answer.body
        return answer.json

    def todo(
        self, content: int, text: str = "do it", assignee: int | None = None, who: Client | None = None
    ) -> Any:
        """Add a to-do and return the JSON."""
        body = {"raw_content": text, "assignee_id": assignee}
        answer = (who or self.root).post(f"{self.base}/contents/{content}/todos", body)
        assert answer.status == 200, answer.body
        return answer.json


@pytest.fixture
def place(
    client: Client, as_actor: Callable[..., Any], make_space: Callable[..., int], send_file: Callable[..., Any]
) -> Place:
    """A space with a member of each role."""
    roles = ("reader", "contributor", "content-manager", "workspace-manager")
    people = {role: as_actor(f"the-{role}") for role in roles}
    space = make_space("Alpha", {person.user_id: role for role, person in people.items()})
    return Place(space, client, {**people, "outsider": as_actor("outsider")}, send_file)
