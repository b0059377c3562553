"""The routes, through the whole server but the socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from atrio_hello.errors import HelloGreetingNotFound, HelloTextTooLong

from atrio.kernel.testing.client import Client
from atrio.plugins.accounts.api import InsufficientUserProfile, UserNotFound

PATH = "/api/hello/greetings"
pytestmark = pytest.mark.atrio_config(plugins__enabled=["hello"], hello__max_length=20)


def test_a_greeting_arrives_and_can_be_deleted(client: Client, as_actor: Callable[..., Any]) -> None:
    bob = as_actor("bob")
    sent = client.post(PATH, {"user_id": bob.user_id, "text": " Good morning "})
    assert (sent.status, sent.json["text"], sent.json["sender_id"]) == (200, "Good morning", 1)
    assert [g["text"] for g in bob.get(PATH).json] == ["Good morning", "Hello! Welcome."]
    assert bob.get(PATH, query={"count": 1}).json == [sent.json]
    assert bob.delete(f"{PATH}/{sent.json['greeting_id']}").status == 204
    assert [g["text"] for g in bob.get(PATH).json] == ["Hello! Welcome."]


def test_greetings_of_others_are_hidden(client: Client, as_actor: Callable[..., Any]) -> None:
    bob, carol = as_actor("bob"), as_actor("carol")
    sent = client.post(PATH, {"user_id": bob.user_id, "text": "secret"}).json
    assert "secret" not in [g["text"] for g in carol.get(PATH).json]
    hidden = carol.delete(f"{PATH}/{sent['greeting_id']}")
    absent = carol.delete(f"{PATH}/999999")
    assert hidden.code == absent.code == HelloGreetingNotFound.code
    assert (hidden.status, hidden.json["details"]) == (absent.status, absent.json["details"])
    assert sent in bob.get(PATH).json


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 2001),
        ({"user_id": 1, "text": "   "}, 2001),
        ({"user_id": 1, "text": "x" * 21}, HelloTextTooLong.code),
        ({"user_id": 4711, "text": "x"}, UserNotFound.code),
    ],
)
def test_what_does_not_fit_is_refused(client: Client, body: dict[str, Any], code: int) -> None:
    answer = client.post(PATH, body)
    assert (answer.status, answer.code) == (400, code)


def test_who_may_send(stranger: Client, as_actor: Callable[..., Any]) -> None:
    assert stranger.get(PATH).status == stranger.post(PATH, {}).status == 401
    refused = as_actor("bob").post(PATH, {"user_id": 1, "text": "x"})
    assert (refused.status, refused.code) == (403, InsufficientUserProfile.code)
    assert as_actor("tina", profile="trusted-users").post(PATH, {"user_id": 1, "text": "x"}).status == 200


def test_the_number_of_statements_does_not_grow(client: Client, statements: Callable[[], Any]) -> None:
    with statements() as few:
        assert len(client.get(PATH).json) == 1  # the administrator was welcomed too
    for number in range(10):
        client.post(PATH, {"user_id": 1, "text": str(number)})
    with statements() as many:
        assert len(client.get(PATH).json) == 11
    assert len(many) == len(few)
