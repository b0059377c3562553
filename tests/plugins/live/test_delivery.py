"""Delivery to many: one statement, whoever and however many get it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.plugin import of_the_request
from tests.wire import filling

MANY = 10_000


def test_ten_thousand_members_cost_one_insert(
    cast: Any, kernel: Kernel, log: Any, statements: Callable[[], Any]
) -> None:
    note, author = cast.make(), cast.people["contributor"]
    path = f"{cast.base}/contents/{note}/comments"
    costs, writes = [], []
    for number in (0, MANY):
        with kernel.unit() as ctx:
            people = filling.users(ctx, range(number))
            filling.members(ctx, ((cast.space, user) for user in people))
        log.news()
        for words in ("warm", "counted"):
            author.get("/api/auth/whoami")
            with statements() as seen:
                assert author.post(path, {"raw_content": f"<p>{words}</p>"}).status == 200
        costs.append(len(of_the_request(seen)))
        writes.append([s for s in seen if s.startswith("INSERT INTO live_message")])
        told = log.news()
        assert [len(t.receivers) for t in told] == [len(cast.members) + number] * 2
    assert costs[0] == costs[1] <= 15  # with the row that mail leaves, and the two statements of the search
    assert [len(w) for w in writes] == [1, 1]
    assert writes[0] == writes[1]
    assert "SELECT" in writes[0][0]
    with kernel.unit(writes=False) as ctx:
        got = ctx.execute(text("SELECT count(*) FROM live_message WHERE user_id = :u"), {"u": people[-1]}).scalar()
    assert got == 2


def test_many_mentions_cost_one_insert_more(cast: Any, kernel: Kernel, log: Any, statements: Any) -> None:
    note = cast.make()
    with kernel.unit() as ctx:
        people = filling.users(ctx, range(200))
        filling.members(ctx, ((cast.space, user) for user in people))
    log.news()
    found = []
    for chosen in (people[:1], people[1:]):
        words = "".join(f'<html-mention userid="{user}"></html-mention>' for user in chosen)
        cast.root.get("/api/auth/whoami")
        with statements() as seen:
            cast.comment(note, words)
        found.append(len(of_the_request(seen)))
        told = log.news()
        mentions = [t for t in told if t.event_type == "mention.created"]
        assert {t.receivers for t in mentions} == {frozenset({user}) for user in chosen}
        assert len(told) == len(chosen) + 1
    assert found[0] == found[1]
