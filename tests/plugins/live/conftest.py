"""The log of events as tests read it, and people who stand in every relation to a space."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client

from . import shapes

ROLES = ("reader", "contributor", "content-manager", "workspace-manager")


@dataclass(frozen=True)
class Told:
    """One event of the log and who got it."""

    event_id: int
    event_type: str
    fields: dict[str, Any]
    receivers: frozenset[int]
    row: Any = None

    @property
    def author(self) -> int | None:
        """The id of the author; None for nobody."""
        author = self.fields["author"]
        return None if author is None else int(author["user_id"])


class Log:
    """Reads the log on from where it stopped; every event is held against the sheet."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.last = 0
        self.news()

    def news(self) -> list[Told]:
        """Return what was told since the last call; ids follow each other without a gap."""
        with self.kernel.unit(writes=False) as ctx:
            rows = ctx.execute(
                text("SELECT * FROM live_event WHERE event_id > :last ORDER BY event_id"), {"last": self.last}
            ).all()
            got = ctx.execute(
                text("SELECT event_id, user_id FROM live_message WHERE event_id > :last AND sent = 1"),
                {"last": self.last},
            ).all()
            counter = ctx.execute(text("SELECT value FROM live_counter")).scalar()
        first = self.last + 1
        assert [row.event_id for row in rows] == list(range(first, first + len(rows))), "ids are dense"
        assert counter == self.last + len(rows), "the counter stands at the last event"
        self.last += len(rows)
        found = []
        for row in rows:
            if row.ends_user_id is not None:
                continue
            fields = json.loads(row.fields)
            shapes.check(row.event_type, fields)
            receivers = frozenset(r.user_id for r in got if r.event_id == row.event_id)
            found.append(Told(row.event_id, row.event_type, fields, receivers, row))
        return found

    def types(self) -> list[str]:
        """Return the types of what was told since the last call, in order."""
        return [told.event_type for told in self.news()]

    def one(self) -> Told:
        """Return the only event that was told since the last call."""
        (told,) = self.news()
        return told

    def alone(self, event_type: str, receivers: frozenset[int] | set[int]) -> Told:
        """Return the only event that was told, which has this type and went to these people."""
        told = self.one()
        assert told.event_type == event_type
        assert told.receivers == receivers, event_type
        return told


@dataclass
class Cast:
    """People by what they are to the space, and their ids."""

    space: int
    root: Client
    people: dict[str, Any]
    send: Callable[..., Any]
    ids: dict[str, int] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The path of the space."""
        return f"/api/workspaces/{self.space}"

    @property
    def members(self) -> frozenset[int]:
        """Members who can sign in: those of each role, and the administrator who made the space."""
        return frozenset({1, *(self.ids[role] for role in ROLES)})

    @property
    def administrators(self) -> frozenset[int]:
        """Administrators, whatever their state: user 1, one outside the space, one who is disabled."""
        return frozenset({1, self.ids["administrator"], self.ids["disabled administrator"]})

    @property
    def everybody(self) -> frozenset[int]:
        """Every account, disabled and deleted ones too."""
        return frozenset({1, *self.ids.values()})

    def ok(self, method: str, path: str, body: Any = None, who: str | None = None, **options: Any) -> Any:
        """Ask for something that must work and return its JSON."""
        client = self.root if who is None else self.people[who]
        answer = client.request(method, path, json_body=body, **options)
        assert answer.status in (200, 201, 204), (method, path, answer.status, answer.body)
        return answer.json if answer.body else None

    def make(self, kind: str = "html-document", label: str = "Note", **more: Any) -> int:
        """Create a content as the manager and return its id."""
        body = {"label": label, "content_type": kind, **more}
        return int(self.ok("POST", f"{self.base}/contents", body)["content_id"])

    def file(self, name: str = "a.txt", **options: Any) -> int:
        """Upload a file and return its id."""
        answer = self.send(self.root, f"{self.base}/files", name, b"hello", **options)
        assert answer.status == 200, answer.body
        return int(answer.json["content_id"])

    def comment(self, content: int, words: str = "<p>hi</p>", who: str | None = None) -> int:
        """Comment and return the id of the comment."""
        path = f"{self.base}/contents/{content}/comments"
        return int(self.ok("POST", path, {"raw_content": words}, who)["content_id"])

    def todo(self, content: int, assignee: int | None = None) -> int:
        """Add a to-do and return its id."""
        body = {"raw_content": "do it", "assignee_id": assignee}
        return int(self.ok("POST", f"{self.base}/contents/{content}/todos", body)["content_id"])

    def other_space(self, access: str = "open", **values: Any) -> int:
        """Return a new space of the administrator."""
        body = {
            "label": "Other",
            "description": "<p>about</p>",
            "access_type": access,
            "default_user_role": "reader",
        }
        return int(self.ok("POST", "/api/workspaces", {**body, **values})["workspace_id"])


@pytest.fixture
def cast(
    kernel: Kernel, client: Client, as_actor: Callable[..., Any], make_space: Callable[..., int],
    send_file: Callable[..., Any],
) -> Iterator[Cast]:  # fmt: skip
    """A confidential space with everybody around it."""
    people: dict[str, Any] = {role: as_actor(f"the-{role}") for role in ROLES}
    people["disabled"], people["deleted"] = as_actor("disabled"), as_actor("deleted")
    people["outsider"] = as_actor("outsider")
    people["administrator"] = as_actor("second-root", profile="administrators")
    people["disabled administrator"] = as_actor("third-root", profile="administrators")
    roles = {people[role].user_id: role for role in ROLES}
    roles |= {people[name].user_id: "reader" for name in ("disabled", "deleted")}
    space = make_space("Alpha", roles)
    ids = {name: person.user_id for name, person in people.items()}
    made = Cast(space, client, people, send_file, ids)
    for name in ("disabled", "disabled administrator"):
        made.ok("PUT", f"/api/users/{ids[name]}/disabled", {})
    made.ok("PUT", f"/api/users/{ids['deleted']}/trashed", {})
    yield made


@pytest.fixture
def log(kernel: Kernel, cast: Cast) -> Log:
    """The log, from when the cast stands."""
    return Log(kernel)
