"""Events, jobs and the nightly task. In tests jobs run at once, after the commit that queued them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from atrio_hello.events import GreetingSent
from atrio_hello.subscribers import greet_author

from atrio import Actor
from atrio.kernel.host import Kernel
from atrio.kernel.jobs import list_jobs
from atrio.kernel.testing.client import Client
from atrio.plugins.core_content.events import ContentCreated

PATH = "/api/hello/greetings"
pytestmark = pytest.mark.atrio_config(plugins__enabled=["hello"], hello__word="Ahoy", hello__keep_days=7)


def _texts(client: Client) -> list[str]:
    return [g["text"] for g in client.get(PATH).json]


def test_a_new_user_is_welcomed(as_actor: Callable[..., Any]) -> None:
    assert _texts(as_actor("bob")) == ["Ahoy! Welcome."]


def test_who_is_greeted_gets_a_live_message(client: Client, as_actor: Callable[..., Any]) -> None:
    bob = as_actor("bob")
    assert client.post(PATH, {"user_id": bob.user_id, "text": "Good morning"}).status == 200
    path = f"/api/users/{bob.user_id}/messages"
    (message,) = bob.get(path, query={"include_event_types": "hello_greeting.created"}).json["items"]
    assert message["event_type"] == "hello_greeting.created"
    assert message["fields"]["greeting"]["text"] == "Good morning"
    assert message["fields"]["author"]["user_id"] == 1
    assert client.get("/api/users/1/messages", query={"include_event_types": "hello_greeting"}).json["items"] == []


def test_authors_are_greeted_once(
    kernel: Kernel,
    client: Client,
    events: list[Any],
    make_space: Callable[..., int],
    make_content: Callable[..., Any],
) -> None:
    make_content(make_space(), "Logbook")
    assert _texts(client)[0] == "Ahoy! You created Logbook."
    with kernel.unit(writes=False) as ctx:
        assert [j.state for j in list_jobs(ctx) if j.job == "hello.greet_author"] == ["done"]
    created = next(e for e in events if isinstance(e, ContentCreated))
    for user_id in (1, None, 4711):  # the same job again; one that no user caused; one whose user is gone
        with kernel.unit(actor=Actor(user_id, "system")) as ctx:
            greet_author(ctx, created)
    assert _texts(client).count("Ahoy! You created Logbook.") == 1


def test_a_sent_greeting_is_told(
    client: Client, events: list[Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("atrio"), "propagate", True)
    caplog.set_level(logging.INFO, "atrio.hello")
    sent = client.post(PATH, {"user_id": 1, "text": "Hi"}).json
    assert events == [GreetingSent(sent["greeting_id"], 1, 1)]
    assert f"greeting {sent['greeting_id']} was sent to user 1" in caplog.messages


def test_old_greetings_go(kernel: Kernel, client: Client, clock: Any) -> None:
    client.post(PATH, {"user_id": 1, "text": "old"})
    clock.move(6 * 86400)
    client.post(PATH, {"user_id": 1, "text": "new"})
    clock.move(2 * 86400)
    for _ in range(2):
        kernel.run(lambda ctx: ctx.defer("hello.tidy"))
        assert _texts(client) == ["new"]
