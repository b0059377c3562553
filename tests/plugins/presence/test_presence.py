"""Presence: rows, limit, routes and frames, without a server: the keeper is turned by hand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.plugins.accounts.events import UserPurged
from atrio.plugins.live.hub import Stream, hub_of
from atrio.plugins.presence import keeper as keeping
from atrio.plugins.presence import queries, services
from atrio.plugins.presence.errors import TooManyOnlineUsers
from atrio.plugins.presence.keeper import Keeper
from atrio.plugins.presence.models import ONLINE
from atrio.plugins.presence.roll import Roll, roll_of
from atrio.plugins.presence.watch import Watch, blocks

SECOND = 1_000_000
visible = pytest.mark.atrio_config(presence__visible=True)
patient = pytest.mark.atrio_config(presence__offline_seconds=0)


def limited(number: int, **more: Any) -> Any:
    return pytest.mark.atrio_config(presence__maximum_online_users=number, **more)


@pytest.fixture
def keeper(kernel: Kernel) -> Keeper:
    return Keeper(kernel)


def rows(kernel: Kernel) -> list[Any]:
    query = select(ONLINE).order_by(ONLINE.c.process, ONLINE.c.user_id)
    return kernel.run(lambda ctx: list(ctx.execute(query).all()))


def elsewhere(kernel: Kernel, *user_ids: int, process: str = "other", seconds: int = 30, opened: int = 0) -> None:
    """Have users online in another process."""

    def write(ctx: Any) -> None:
        until = ctx.now + seconds * SECOND
        found = [{"process": process, "user_id": u, "opened": opened, "expires": until} for u in user_ids]
        ctx.execute(ONLINE.insert(), found)

    kernel.run(write)


def admit(kernel: Kernel, user_id: int) -> Any:
    return kernel.run(lambda ctx: kernel.hooks.hook.refuse_stream(ctx=ctx, user_id=user_id))


# -- the rows ----------------------------------------------------------------------------------------------


@patient
def test_rows_follow_the_streams(kernel: Kernel, keeper: Keeper, clock: Any) -> None:
    tell = kernel.hooks.hook
    for user_id in (5, 7, 5):
        tell.stream_opened(kernel=kernel, user_id=user_id)
    keeper.turn()
    mine = keeper.roll.process
    noted = [(mine, 5, clock.now(), clock.now() + 30 * SECOND), (mine, 7, clock.now(), clock.now() + 30 * SECOND)]
    assert [tuple(r) for r in rows(kernel)] == noted
    tell.stream_closed(kernel=kernel, user_id=5)
    keeper.turn()
    assert [r.user_id for r in rows(kernel)] == [5, 7]
    tell.stream_closed(kernel=kernel, user_id=5)
    tell.stream_closed(kernel=kernel, user_id=7)
    keeper.turn()
    assert rows(kernel) == []


def test_who_comes_back_in_time_was_never_away(
    kernel: Kernel, keeper: Keeper, clock: Any, statements: Any
) -> None:
    keeper.roll.opened(5)
    keeper.turn()
    opened = clock.now()
    keeper.roll.closed(5)
    with statements() as seen:
        keeper.turn()
    assert seen == []
    assert keeper.roll.next_leave() is not None
    clock.move(3)
    keeper.roll.opened(5)
    keeper.turn()
    assert keeper.roll.next_leave() is None
    assert [r.opened for r in rows(kernel)] == [opened]


def test_a_storm_costs_few_statements(kernel: Kernel, keeper: Keeper, statements: Any) -> None:
    for user_id in range(1, 1001):
        keeper.roll.opened(user_id)
    with statements() as seen:
        keeper.turn()
    assert len(seen) <= 3, seen[:5]
    assert len(rows(kernel)) == 1000
    with statements() as seen:
        keeper.turn()
    assert seen == []
    keeper._renew_at = 0
    with statements() as seen:
        keeper.turn()
    assert [s.split()[0] for s in seen] == ["UPDATE", "SELECT"]


def test_renewal_and_what_others_left(kernel: Kernel, keeper: Keeper, clock: Any) -> None:
    elsewhere(kernel, 1, 2, process="dead", seconds=5)
    elsewhere(kernel, 3, process="alive", seconds=500)
    keeper.roll.opened(5)
    keeper.turn()
    clock.move(12)
    keeper.turn()
    assert len(rows(kernel)) == 4  # it is not yet time: the keeper goes by a clock that nobody sets
    assert kernel.run(queries.count_online) == 2
    keeper._renew_at = 0
    keeper.turn()
    assert [(r.process, r.user_id) for r in rows(kernel)] == sorted([("alive", 3), (keeper.roll.process, 5)])
    assert {r.expires for r in rows(kernel) if r.user_id == 5} == {clock.now() + 30 * SECOND}


def test_rows_that_others_deleted_or_added_are_put_right(kernel: Kernel, keeper: Keeper) -> None:
    keeper.roll.opened(5)
    keeper.roll.opened(6)
    keeper.turn()
    for wrong in (
        lambda: kernel.run(lambda ctx: ctx.execute(ONLINE.delete().where(ONLINE.c.user_id == 6))),
        lambda: elsewhere(kernel, 98, 99, process=keeper.roll.process),
    ):
        wrong()
        keeper._renew_at = 0
        keeper.turn()
        assert keeper._pause() == 0
        keeper.turn()
        assert [r.user_id for r in rows(kernel)] == [5, 6]


@patient
def test_who_leaves_after_a_renewal_is_gone(kernel: Kernel, keeper: Keeper) -> None:
    keeper.roll.opened(5)
    keeper.turn()
    keeper._renew_at = 0
    keeper.turn()
    keeper.roll.closed(5)
    keeper.turn()
    assert rows(kernel) == []


def test_the_service_starts_and_stops(kernel: Kernel) -> None:
    keeper = keeping.start(kernel)
    try:
        keeper.roll.opened(5)
        assert wait_for(lambda: [r.user_id for r in rows(kernel)] == [5])
        elsewhere(kernel, 6)
    finally:
        keeping.stop(keeper)
    assert [r.user_id for r in rows(kernel)] == [6]
    assert not keeper._thread.is_alive()


def test_a_database_that_is_away_is_waited_for(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keeping, "RETRY_SECONDS", 0.01)
    failures = iter(range(3))
    right = services.keep_users

    def sometimes(*args: Any, **kwargs: Any) -> Any:
        if next(failures, None) is not None:
            raise RuntimeError("away")
        return right(*args, **kwargs)

    monkeypatch.setattr(services, "keep_users", sometimes)
    keeper = keeping.start(kernel)
    try:
        keeper.roll.opened(5)
        assert wait_for(lambda: [r.user_id for r in rows(kernel)] == [5])
    finally:
        keeping.stop(keeper)
    assert sum(r.exc_info is not None and r.exc_info is not False for r in caplog.records) == 1


def wait_for(condition: Any, seconds: float = 5) -> bool:
    import time

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_a_purged_account_leaves_nothing(kernel: Kernel, as_actor: Any) -> None:
    ann = as_actor("ann")
    assert ann.put(f"/api/users/{ann.user_id}/presence", {"hidden": True}).status == 204
    elsewhere(kernel, ann.user_id, 999)
    with kernel.unit() as ctx:
        ctx.emit(UserPurged(ann.user_id))
    assert [r.user_id for r in rows(kernel)] == [999]
    assert kernel.run(lambda ctx: ctx.execute(text("SELECT count(*) FROM presence_preference")).scalar()) == 0


# -- the limit ---------------------------------------------------------------------------------------------


def test_without_a_limit_nothing_is_asked(kernel: Kernel, statements: Any) -> None:
    elsewhere(kernel, *range(100, 200))
    with statements() as seen:
        assert admit(kernel, 5) is None
    assert seen == []


@limited(2)
def test_the_limit(kernel: Kernel, clock: Any) -> None:
    elsewhere(kernel, 11, seconds=5)
    elsewhere(kernel, 11, process="third")
    assert admit(kernel, 5) is None
    assert [(r.process, r.user_id) for r in rows(kernel) if r.user_id == 5] == [(roll_of(kernel).process, 5)]
    refused = admit(kernel, 6)
    assert isinstance(refused, TooManyOnlineUsers)
    assert (refused.code, refused.message) == (8001, "Too many users online (2/2)")
    assert admit(kernel, 5) is None  # he does not count himself
    assert admit(kernel, 11) is None
    clock.move(31)
    assert admit(kernel, 6) is None
    assert admit(kernel, 7) is None
    assert admit(kernel, 8) is not None


@limited(1)
def test_who_was_let_in_and_never_came_makes_room(kernel: Kernel, keeper: Keeper, monkeypatch: Any) -> None:
    monkeypatch.setattr("atrio.plugins.presence.roll.ADMITTED_SECONDS", 0.05)
    assert admit(kernel, 5) is None
    keeper.turn()
    assert admit(kernel, 6) is not None
    assert wait_for(lambda: not keeper.roll.here())
    keeper.turn()
    assert rows(kernel) == []
    assert admit(kernel, 6) is None


@limited(1, presence__offline_seconds=0)
def test_who_is_let_in_while_he_leaves_keeps_his_row(kernel: Kernel, keeper: Keeper, clock: Any) -> None:
    """The keeper has seen him leave; before it deletes his row he is let in again."""
    keeper.roll.opened(5)
    keeper.turn()
    keeper.roll.closed(5)
    left = keeper._written - keeper.roll.here()
    assert left == {5}
    clock.move(1)
    assert admit(kernel, 5) is None
    kernel.run(lambda ctx: services.keep_users(ctx, (), left))
    assert [r.user_id for r in rows(kernel)] == [5]
    assert admit(kernel, 6) is not None


@limited(1, presence__offline_seconds=0)
def test_who_comes_and_goes_between_two_turns_leaves_no_row(kernel: Kernel, keeper: Keeper) -> None:
    assert admit(kernel, 5) is None
    keeper.roll.opened(5)
    keeper.roll.closed(5)
    keeper.turn()
    assert rows(kernel) == []


@limited(5)
def test_the_limit_holds_when_all_come_at_once(kernel: Kernel) -> None:
    answers: list[Any] = []
    together = threading.Barrier(12)

    def come(user_id: int) -> None:
        together.wait()
        answers.append(admit(kernel, user_id))
        kernel.db.close_thread()

    threads = [threading.Thread(target=come, args=(n,)) for n in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(a is None for a in answers) == 5
    assert kernel.run(queries.count_online) == 5


@pytest.mark.atrio_config(presence__maximum_online_users_message="Come back later.")
def test_clients_read_the_message(stranger: Client, client: Client, kernel: Kernel) -> None:
    path = "/api/system/config"
    assert client.get(path).json["limitation__maximum_online_users_message"] == "Come back later."


# -- routes ------------------------------------------------------------------------------------------------


def path(person: Any) -> str:
    return f"/api/users/{person.user_id}/presence"


@pytest.fixture
def people(as_actor: Any, make_space: Any) -> Iterator[Any]:
    """Ann and Bob share a space; Eve does not."""
    ann, bob, eve = (as_actor(name) for name in ("ann", "bob", "eve"))
    make_space(members={ann.user_id: "reader", bob.user_id: "reader"})
    yield ann, bob, eve


def hidden(person: Any) -> dict[str, Any]:
    return {"user_id": person.user_id, "status": "hidden", "hidden": None, "since": None}


def test_what_is_told_when_the_config_does_not_allow(kernel: Kernel, client: Client, people: Any) -> None:
    ann, bob, eve = people
    elsewhere(kernel, ann.user_id, opened=1_700_000_000 * SECOND)
    truth = {
        "user_id": ann.user_id, "status": "online", "hidden": False, "since": "2023-11-14T22:13:20Z"
    }  # fmt: skip
    assert ann.get(path(ann)).json == client.get(path(ann)).json == truth
    assert bob.get(path(ann)).json == hidden(ann)
    assert (eve.get(path(ann)).status, eve.get(path(ann)).code) == (400, 1001)
    assert bob.get(path(bob)).json == {"user_id": bob.user_id, "status": "offline", "hidden": False, "since": None}


@visible
def test_what_is_told_when_it_does(kernel: Kernel, client: Client, people: Any, stranger: Client) -> None:
    ann, bob, eve = people
    elsewhere(kernel, ann.user_id, opened=1_700_000_000 * SECOND)
    shown = {"user_id": ann.user_id, "status": "online", "hidden": None, "since": "2023-11-14T22:13:20Z"}
    assert bob.get(path(ann)).json == shown
    assert ann.get(path(bob)).json == {"user_id": bob.user_id, "status": "offline", "hidden": None, "since": None}
    assert eve.get(path(ann)).code == 1001
    assert stranger.get(path(ann)).status == 401
    assert ann.put(path(ann), {"hidden": True}).status == 204
    assert bob.get(path(ann)).json == hidden(ann)
    for knows in (ann, client):
        assert knows.get(path(ann)).json == {**shown, "hidden": True}
    assert client.put(path(ann), {"hidden": False}).status == 204
    assert bob.get(path(ann)).json == shown
    for nobody in (99999, 0):
        assert client.get(f"/api/users/{nobody}/presence").code == 1001


def test_who_may_hide_whom(people: Any, client: Client, stranger: Client) -> None:
    ann, bob, _ = people
    assert (bob.put(path(ann), {"hidden": True}).status, stranger.put(path(ann), {"hidden": True}).status) == (
        403,
        401,
    )
    for wrong in ({}, {"hidden": None}, {"hidden": "perhaps"}, {"hidden": [True]}, []):
        answer = ann.put(path(ann), wrong)
        assert (answer.status, answer.code) == (400, 2001), wrong
    assert client.put("/api/users/99999/presence", {"hidden": True}).code == 1001
    for value in (True, True, False):
        assert ann.put(path(ann), {"hidden": value}).status == 204
        assert ann.get(path(ann)).json["hidden"] is value


def test_health(kernel: Kernel, stranger: Client) -> None:
    elsewhere(kernel, 5, 6)
    elsewhere(kernel, 5, process="third")
    elsewhere(kernel, 7, process="dead", seconds=-1)
    assert stranger.get("/health/ready").json["plugins"]["presence"]["facts"] == {"online": 2}


# -- frames ------------------------------------------------------------------------------------------------


def frame(user_id: int, status: str) -> bytes:
    return f'event: presence\ndata: {{"user_id":{user_id},"status":"{status}"}}\n\n'.encode()


@pytest.fixture
def listen(kernel: Kernel) -> Any:
    """`listen(person)` opens a stream of a person beside the hub's own loop, and gives it."""
    hub = hub_of(kernel)
    now: Any = lambda call: call()  # noqa: E731
    hub.call_soon = now  # type: ignore[method-assign]

    def open_stream(person: Any) -> Stream:
        stream = Stream(hub, person.user_id, person.user_id)
        hub._by_user.setdefault(person.user_id, set()).add(stream)
        roll_of(kernel).opened(person.user_id)
        return stream

    return open_stream


@visible
def test_who_hears_of_whom(
    kernel: Kernel, keeper: Keeper, people: Any, listen: Any, make_space: Any, client: Client, statements: Any
) -> None:
    ann, bob, eve = people
    streams = [listen(p) for p in (ann, bob, eve)]
    watch = Watch(kernel)
    listening = keeper.roll.listening()
    elsewhere(kernel, eve.user_id)
    watch.look(listening)
    assert [s.take() for s in streams] == [b"", b"", b""]
    elsewhere(kernel, ann.user_id)
    with statements() as seen:
        watch.look(listening)
    assert len(seen) == 2, seen
    assert [s.take() for s in streams] == [b"", frame(ann.user_id, "online"), b""]
    elsewhere(kernel, bob.user_id)
    watch.look(listening)
    watch.look(listening)
    assert [s.take() for s in streams] == [frame(bob.user_id, "online"), b"", b""]
    assert bob.put(path(bob), {"hidden": True}).status == 204
    watch.look(listening)
    assert [s.take() for s in streams] == [frame(bob.user_id, "offline"), b"", b""]
    kernel.run(lambda ctx: ctx.execute(ONLINE.delete()))
    watch.look(listening)
    assert [s.take() for s in streams] == [b"", frame(ann.user_id, "offline"), b""]


@visible
def test_trashed_spaces_do_not_count(
    kernel: Kernel, people: Any, listen: Any, make_space: Any, client: Client
) -> None:
    _, bob, eve = people
    stream = listen(eve)
    watch = Watch(kernel)
    watch.look({eve.user_id})
    space = make_space("Beta", members={bob.user_id: "reader", eve.user_id: "reader"})
    assert client.put(f"/api/workspaces/{space}/trashed").status == 204
    elsewhere(kernel, bob.user_id)
    watch.look({eve.user_id})
    assert stream.take() == b""


@visible
def test_own_changes_are_told_at_once(kernel: Kernel, people: Any, listen: Any, monkeypatch: Any) -> None:
    ann, bob, _ = people
    monkeypatch.setattr(keeping, "LOOK_SECONDS", 60.0)
    keeper = keeping.start(kernel)
    try:
        assert wait_for(lambda: keeper.watch._told == set())
        stream = listen(ann)
        listen(bob)
        assert wait_for(lambda: bool(stream._frames))
        assert stream.take() == frame(bob.user_id, "online")
        assert bob.put(path(bob), {"hidden": True}).status == 204
        assert wait_for(lambda: bool(stream._frames))
        assert stream.take() == frame(bob.user_id, "offline")
    finally:
        keeping.stop(keeper)


def test_nothing_is_looked_for_when_nobody_may_see(kernel: Kernel, keeper: Keeper, statements: Any) -> None:
    with statements() as seen:
        keeper.turn()
    assert seen == []
    assert keeper._pause() > 50


@visible
def test_many_changes_are_told_in_parts(kernel: Kernel, people: Any, listen: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("atrio.plugins.presence.watch.CHANGES", 1)
    ann, bob, eve = people
    stream = listen(ann)
    watch = Watch(kernel)
    watch.look({ann.user_id})
    elsewhere(kernel, bob.user_id, ann.user_id, eve.user_id)
    for _ in range(3):
        watch.look({ann.user_id})
    assert stream.take() == frame(bob.user_id, "online")
    assert watch._told == {ann.user_id, bob.user_id, eve.user_id}


def test_a_space_of_thousands_shares_one_block() -> None:
    everybody = set(range(1, 3001))
    changed = dict.fromkeys(range(2501, 3501), True)
    made = blocks(changed, [(1, n) for n in range(1, 3501)] + [(2, 1), (2, 3600)], everybody)
    assert set(made) == everybody
    assert len({id(made[n]) for n in range(2, 2501)}) == 1
    assert made[2].count(b"event: presence") == 1000
    assert made[1] == made[2]
    assert made[2600].count(b"event: presence") == 999
    assert frame(2600, "online") not in made[2600]


def test_counting_by_hand(kernel: Kernel) -> None:
    roll = Roll(kernel)
    roll.closed(4)  # never opened: no harm
    roll.opened(4)
    roll.opened(4)
    roll.closed(4)
    assert (roll.listening(), roll.here(), roll.next_leave()) == ({4}, {4}, None)
    roll.closed(4)
    assert (roll.listening(), roll.here()) == (set(), {4})
