"""Calls: made, answered once by the right side, and absent while the plugin is off."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import PASSWORD
from atrio.plugins.calls.events import CallCreated, CallModified

on = pytest.mark.atrio_config(
    plugins__enabled=["calls"], calls__jitsi_url="https://meet.example/", calls__unanswered_timeout=12
)
KEYS = {"call_id", "caller", "callee", "state", "created", "modified", "url"}
STATES = ("in_progress", "accepted", "rejected", "declined", "postponed", "cancelled", "unanswered")
BY_CALLEE, BY_CALLER = STATES[1:5], STATES[5:]


def made(person: Any) -> str:
    return f"/api/users/{person.user_id}/outgoing_calls"


def received(person: Any) -> str:
    return f"/api/users/{person.user_id}/incoming_calls"


@pytest.fixture
def ann(as_actor: Any) -> Any:
    return as_actor("ann")


@pytest.fixture
def bob(as_actor: Any, ann: Any, make_space: Any) -> Any:
    """Somebody who shares a space with Ann."""
    bob = as_actor("bob")
    make_space(members={ann.user_id: "reader", bob.user_id: "reader"})
    return bob


def ring(caller: Any, callee: Any) -> Any:
    answer = caller.post(made(caller), {"callee_id": callee.user_id})
    assert answer.status == 200, answer.body
    return answer.json


@on
def test_life_of_a_call(ann: Any, bob: Any, events: list[Any], clock: Any) -> None:
    assert ann.get(made(ann)).json == {"items": []}
    call = ring(ann, bob)
    assert set(call) == KEYS
    assert call["caller"]["user_id"] == ann.user_id
    assert call["callee"] == {
        "user_id": bob.user_id, "has_avatar": True, "has_cover": False, "username": "bob", "is_active": True,
        "public_name": call["callee"]["public_name"],
    }  # fmt: skip
    assert call["state"] == "in_progress"
    assert call["created"] == call["modified"]
    assert re.fullmatch(r"https://meet\.example/tracim-[0-9a-f]{64}", call["url"])
    one = f"{received(bob)}/{call['call_id']}"
    assert ann.get(f"{made(ann)}/{call['call_id']}").json == bob.get(one).json == call
    assert ann.get(made(ann)).json == bob.get(received(bob)).json == {"items": [call]}
    assert ann.get(received(ann)).json == bob.get(made(bob)).json == {"items": []}
    clock.move(7)
    answered = bob.put(f"{one}/state", {"state": "accepted"})
    assert answered.status == 200
    assert {**call, "state": "accepted", "modified": answered.json["modified"]} == answered.json
    assert answered.json["modified"] > call["modified"]
    told = [e for e in events if isinstance(e, CallCreated | CallModified)]
    ids = (call["call_id"], ann.user_id, bob.user_id)
    assert told == [CallCreated(*ids, "in_progress"), CallModified(*ids, "accepted")]


@on
def test_two_people_have_one_room_that_nobody_can_work_out(ann: Any, bob: Any, as_actor: Any) -> None:
    from hashlib import sha256

    first, again, back = ring(ann, bob), ring(ann, bob), ring(bob, ann)
    assert first["url"] == again["url"] == back["url"]
    assert ring(ann, ann)["url"] != first["url"]
    low, high = sorted((ann.user_id, bob.user_id))
    for between in ("", ",", "-", " ", "_", ", "):
        assert sha256(f"{low}{between}{high}".encode()).hexdigest() not in first["url"]


@on
def test_lists_of_one_state(ann: Any, bob: Any) -> None:
    calls = [ring(ann, bob)["call_id"] for _ in range(3)]
    bob.put(f"{received(bob)}/{calls[1]}/state", {"state": "postponed"})
    for path, person in ((made(ann), ann), (received(bob), bob)):
        assert [c["call_id"] for c in person.get(path).json["items"]] == calls
        found = {s: [c["call_id"] for c in person.get(path, query={"state": s}).json["items"]] for s in STATES}
        assert found == {
            **{s: [] for s in STATES}, "in_progress": [calls[0], calls[2]], "postponed": [calls[1]],
        }  # fmt: skip
        for wrong in ("x", "NaN", ""):
            answer = person.get(path, query={"state": wrong})
            assert (answer.status, answer.code) == (400, 2001)


@on
@pytest.mark.parametrize("state", STATES)
def test_who_may_set_what(ann: Any, bob: Any, state: str) -> None:
    for person, path, allowed in ((ann, made(ann), BY_CALLER), (bob, received(bob), BY_CALLEE)):
        call = ring(ann, bob)["call_id"]
        answer = person.put(f"{path}/{call}/state", {"state": state})
        if state in allowed:
            assert (answer.status, answer.json["state"]) == (200, state)
        else:
            assert (answer.status, answer.code) == (400, 2074)
            assert person.get(f"{path}/{call}").json["state"] == "in_progress"
        for later in STATES:
            if state in allowed:
                assert person.put(f"{path}/{call}/state", {"state": later}).code == 2074


@on
def test_both_sides_at_once(kernel: Kernel, ann: Any, bob: Any) -> None:
    call = ring(ann, bob)["call_id"]
    answers: list[Any] = []

    def act(name: str, path: str, state: str) -> None:
        mine = Client(kernel.app, name, PASSWORD)
        answers.append(mine.put(f"{path}/{call}/state", {"state": state}))
        mine.close()

    threads = [
        threading.Thread(target=act, args=("ann", made(ann), "cancelled")),
        threading.Thread(target=act, args=("bob", received(bob), "accepted")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(a.status for a in answers) == [200, 400]
    won = next(a for a in answers if a.status == 200)
    assert ann.get(f"{made(ann)}/{call}").json["state"] == won.json["state"]


@on
def test_whom_one_may_call(client: Client, ann: Any, bob: Any, as_actor: Any) -> None:
    foreign, gone = as_actor("eve"), as_actor("gone", active=False)
    for callee in (foreign.user_id, gone.user_id, 99999):
        answer = ann.post(made(ann), {"callee_id": callee})
        assert (answer.status, answer.code) == (400, 1001), callee
    assert ann.get(made(ann)).json == {"items": []}
    assert ring(ann, ann)["callee"]["user_id"] == ann.user_id
    assert client.post("/api/users/1/outgoing_calls", {"callee_id": foreign.user_id}).status == 200


@on
@pytest.mark.parametrize(
    "body", [{}, {"callee_id": None}, {"callee_id": 0}, {"callee_id": "x"}, {"callee_id": 1.5}]
)
def test_wrong_bodies(ann: Any, body: dict[str, Any]) -> None:
    answer = ann.post(made(ann), body)
    assert (answer.status, answer.code) == (400, 2001)


@on
def test_wrong_states_and_numbers(ann: Any, bob: Any) -> None:
    call = ring(ann, bob)["call_id"]
    for body in ({}, {"state": None}, {"state": "x"}, {"state": 1}):
        answer = ann.put(f"{made(ann)}/{call}/state", body)
        assert (answer.status, answer.code) == (400, 2001)
    for number, code in (("x", 2001), ("-1", 2001), ("9" * 30, 2001), ("0", 1025), (str(call + 9), 1025)):
        for path in (made(ann), received(ann)):
            assert ann.get(f"{path}/{number}").code == code
            assert ann.put(f"{path}/{number}/state", {"state": "cancelled"}).code == code
    assert ann.get(f"{received(ann)}/{call}").code == 1025
    assert bob.get(f"{made(bob)}/{call}").code == 1025


@on
def test_the_user_himself_and_administrators(
    client: Client, stranger: Client, ann: Any, bob: Any, as_actor: Any
) -> None:
    call = ring(ann, bob)["call_id"]
    trusted = as_actor("tom", profile="trusted-users")
    requests: list[tuple[str, str, Any]] = [
        ("POST", made(ann), {"callee_id": bob.user_id}), ("GET", made(ann), None), ("GET", received(bob), None),
        ("GET", f"{made(ann)}/{call}", None), ("GET", f"{received(bob)}/{call}", None),
        ("PUT", f"{made(ann)}/{call}/state", {"state": "cancelled"}),
        ("PUT", f"{received(bob)}/{call}/state", {"state": "accepted"}),
    ]  # fmt: skip
    for method, path, body in requests:
        other = bob if f"/{ann.user_id}/" in path else ann
        for person, expected in ((stranger, (401, None)), (trusted, (403, 4002)), (other, (403, 4002))):
            answer = person.request(method, path, json_body=body)
            assert (answer.status, answer.code) == expected, (method, path)
        allowed = client.request(method, path, json_body=body)
        assert allowed.status == 200 or allowed.code == 2074, (method, path)
    assert client.get("/api/users/99999/incoming_calls").code == 1001


@on
def test_clients_are_told(kernel: Kernel) -> None:
    assert kernel.capabilities["call__enabled"] is True
    assert kernel.capabilities["call__unanswered_timeout"] == 12_000


def test_off_by_default(kernel: Kernel, client: Client) -> None:
    assert "call__enabled" not in kernel.capabilities
    for method, path in (
        ("POST", "/api/users/1/outgoing_calls"), ("GET", "/api/users/1/outgoing_calls/"),
        ("GET", "/api/users/1/incoming_calls/"), ("PUT", "/api/users/1/incoming_calls/1/state"),
    ):  # fmt: skip
        answer = client.request(method, path)
        assert (answer.status, answer.code) == (404, 9999)


@pytest.mark.atrio_config(plugins__enabled=["calls"], calls__jitsi_url="")
def test_no_server_no_calls(kernel: Kernel) -> None:
    record = kernel.record("calls")
    assert record is not None
    assert (str(record.state), "calls.jitsi_url" in record.reason) == ("unavailable", True)


@on
def test_lists_cost_the_same_whatever_their_length(kernel: Kernel, ann: Any, bob: Any, statements: Any) -> None:
    costs, done = [], 0
    for count in (10, 1000):
        with kernel.unit() as ctx:
            ctx.execute(
                text(
                    "INSERT INTO calls_call (caller_id, callee_id, state, room, created, updated)"
                    " VALUES (:a, :b, 'in_progress', 'x', 1, 1)"
                ),
                [{"a": ann.user_id, "b": bob.user_id}] * (count - done),
            )
        done = count
        ann.get(made(ann))
        with statements() as seen:
            assert len(ann.get(made(ann), query={"state": "in_progress"}).json["items"]) == count
        costs.append(len(seen))
    assert costs[0] == costs[1] <= 4
