"""Locks in the database: who may have one, how long, and who wins when two ask at the same moment."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from atrio.kernel.host import Kernel
from atrio.kernel.testing.plugin import make_kernel
from atrio.plugins.webdav.models import LOCK
from atrio.plugins.webdav.services import locks as service

pytest.importorskip("wsgidav")

from wsgidav.dav_error import HTTP_BAD_REQUEST, HTTP_LOCKED, HTTP_PRECONDITION_FAILED, DAVError
from wsgidav.lock_man import lock_manager as theirs

from atrio.plugins.webdav.adapters.locks import LockManager, LockStorage

SETTINGS = {"plugins__enabled": ["webdav"]}
pytestmark = pytest.mark.atrio_config(**SETTINGS)
OWNER = b"<?xml version='1.0' encoding='UTF-8'?>\n<owner xmlns=\"DAV:\">J\xc3\xb6rg</owner>"


@pytest.fixture
def storage(kernel: Kernel) -> LockStorage:
    return LockStorage(kernel)


@pytest.fixture
def manager(storage: LockStorage) -> LockManager:
    return LockManager(storage)


@pytest.fixture
def twins(kernel: Kernel, tmp_path: Path) -> Iterator[tuple[Kernel, Kernel]]:
    """Two instances on one database, as two workers are."""
    url = kernel.db.url.render_as_string(hide_password=False)
    other = make_kernel(tmp_path / "data", {**SETTINGS, "database__url": url})
    yield kernel, other
    other.stop()
    other.app.pool.close()
    other.app.io.close()


def ask(
    manager: LockManager, url: str, *, scope: str = "exclusive", depth: str = "0", who: str = "bob",
    timeout: float | None = None, owner: bytes = OWNER,
) -> Any:  # fmt: skip
    return manager.acquire(
        url=url, lock_type="write", lock_scope=scope, lock_depth=depth, lock_owner=owner, timeout=timeout,
        principal=who, token_list=[],
    )  # fmt: skip


def refused(call: Callable[[], Any]) -> list[str]:
    """Return the roots that a 423 names."""
    with pytest.raises(DAVError) as caught:
        call()
    assert caught.value.value == HTTP_LOCKED
    assert caught.value.err_condition.condition_code == "{DAV:}no-conflicting-lock"
    return sorted(caught.value.err_condition.hrefs)


def may_write(manager: LockManager, url: str, *tokens: str, who: str = "bob", depth: str = "0") -> None:
    manager.check_write_permission(url=url, depth=depth, token_list=tokens, principal=who)


def count(kernel: Kernel) -> int:
    return int(kernel.run(lambda ctx: ctx.execute(select(func.count()).select_from(LOCK)).scalar(), writes=False))


def test_a_lock_comes_back_as_it_was_made(manager: LockManager, storage: LockStorage, clock: Any) -> None:
    made = ask(manager, "/1/a.txt/", depth="infinity")
    theirs.validate_lock(made)
    assert made["token"].startswith("opaquelocktoken:")
    assert made["root"] == "/1/a.txt"
    assert made == {
        "root": "/1/a.txt", "type": "write", "scope": "exclusive", "depth": "infinity", "owner": OWNER,
        "principal": "bob", "timeout": 600.0, "expire": clock.now() / 1_000_000 + 600, "token": made["token"],
    }  # fmt: skip
    assert storage.get(made["token"]) == made
    assert manager.get_lock(made["token"], key="principal") == "bob"
    assert manager.is_token_locked_by_user(made["token"], "bob")
    assert not manager.is_token_locked_by_user(made["token"], "eve")
    assert manager.is_url_locked("/1/a.txt")
    assert manager.is_url_locked_by_token("/1/a.txt/b", made["token"])
    assert not manager.is_url_locked_by_token("/1/b.txt", made["token"])
    assert storage.get("opaquelocktoken:none") is None
    assert not manager.is_url_locked_by_token("/1/a.txt", "opaquelocktoken:none")


def test_a_lock_without_owner(manager: LockManager, storage: LockStorage) -> None:
    assert storage.get(ask(manager, "/1/a", owner=b"")["token"])["owner"] == b""  # type: ignore[index]


@pytest.mark.parametrize(("asked", "granted"), [(None, 600), (30, 30), (3600, 3600), (99_999, 3600), (-1, 3600)])
def test_timeouts(manager: LockManager, storage: LockStorage, clock: Any, asked: Any, granted: float) -> None:
    made = ask(manager, "/1/a", timeout=asked)
    assert made["timeout"] == granted
    clock.move(5)
    assert storage.get(made["token"])["timeout"] == granted - 5  # type: ignore[index]
    assert manager.refresh(made["token"], timeout=asked)["timeout"] == granted


def test_a_lock_ends(kernel: Kernel, manager: LockManager, storage: LockStorage, clock: Any) -> None:
    made = ask(manager, "/1/a", timeout=60)
    clock.move(59)
    assert manager.refresh(made["token"], timeout=60)["expire"] == clock.now() / 1_000_000 + 60
    clock.move(59)
    assert manager.is_url_locked("/1/a")
    refused(lambda: may_write(manager, "/1/a"))
    clock.move(1)
    assert storage.get(made["token"]) is None
    assert storage.get_lock_list("/", include_root=True, include_children=True, token_only=True) == []
    assert manager.get_indirect_url_lock_list("/1/a") == []
    may_write(manager, "/1/a", depth="infinity")
    assert not storage.delete(made["token"])
    with pytest.raises(DAVError) as gone:
        manager.refresh(made["token"], timeout=60)
    assert gone.value.value == HTTP_PRECONDITION_FAILED
    assert count(kernel) == 1
    ask(manager, "/2/b")  # deletes what ran out on its way
    assert count(kernel) == 1
    clock.move(700)
    storage.cleanup()
    assert count(kernel) == 0


def test_delete_and_clear(kernel: Kernel, manager: LockManager, storage: LockStorage) -> None:
    made = ask(manager, "/1/a")
    assert storage.delete(made["token"])
    assert not storage.delete(made["token"])
    ask(manager, "/1/a")
    manager.release(ask(manager, "/1/b")["token"])
    assert count(kernel) == 1
    storage.clear()
    assert count(kernel) == 0
    storage.close()
    storage.open()
    ask(manager, "/1/a")


def test_exclusive_and_shared(manager: LockManager) -> None:
    first = ask(manager, "/1/a", scope="shared")
    second = ask(manager, "/1/a", scope="shared", who="eve")
    ask(manager, "/1/a", scope="shared")  # litmus: the same user twice
    assert refused(lambda: ask(manager, "/1/a")) == ["/1/a"]
    may_write(manager, "/1/a", first["token"])
    may_write(manager, "/1/a", second["token"], who="eve")
    refused(lambda: may_write(manager, "/1/a"))
    refused(lambda: may_write(manager, "/1/a", second["token"]))  # hers
    refused(lambda: may_write(manager, "/1/a", first["token"], who="mallory"))
    ask(manager, "/1/b")
    assert refused(lambda: ask(manager, "/1/b", scope="shared")) == ["/1/b"]
    assert refused(lambda: ask(manager, "/1/b")) == ["/1/b"]


def test_deep_locks_hold_below(manager: LockManager) -> None:
    made = ask(manager, "/1/a", depth="infinity")
    assert refused(lambda: ask(manager, "/1/a/b/c")) == ["/1/a"]
    assert refused(lambda: ask(manager, "/1/a/b", scope="shared")) == ["/1/a"]
    assert refused(lambda: may_write(manager, "/1/a/b/c", who="eve")) == ["/1/a"]
    may_write(manager, "/1/a/b/c", made["token"])
    for beside in ("/1/ab", "/1/a-b", "/1/a.b", "/1/a0", "/1", "/1/A", "/2/a"):
        may_write(manager, beside)
        manager.release(ask(manager, beside)["token"])
    assert [k["token"] for k in manager.get_indirect_url_lock_list("/1/a/b/c")] == [made["token"]]
    assert manager.get_indirect_url_lock_list("/1/a/b/c", principal="eve") == []
    assert manager.get_url_lock_list("/1/a/b/c") == []


def test_a_lock_of_depth_0_leaves_what_is_below_alone(manager: LockManager) -> None:
    ask(manager, "/1/a")
    may_write(manager, "/1/a/b")
    ask(manager, "/1/a/b")
    assert [k["root"] for k in manager.get_indirect_url_lock_list("/1/a/b")] == ["/1/a/b"]


def test_a_deep_lock_needs_all_below_free(manager: LockManager) -> None:
    below = ask(manager, "/1/a/b/c")
    ask(manager, "/1/a-b/c", scope="shared")
    assert refused(lambda: ask(manager, "/1/a", depth="infinity")) == ["/1/a/b/c"]
    assert refused(lambda: ask(manager, "/", depth="infinity")) == ["/1/a-b/c", "/1/a/b/c"]
    assert refused(lambda: ask(manager, "/", depth="infinity", scope="shared")) == ["/1/a/b/c"]
    ask(manager, "/1/a", depth="0")
    manager.release(below["token"])
    ask(manager, "/1/a-b", depth="infinity", scope="shared")


def test_writing_a_tree_needs_the_tokens_of_all_locks_in_it(manager: LockManager) -> None:
    mine = ask(manager, "/1/a/b/c")
    other = ask(manager, "/1/a/d")
    refused(lambda: may_write(manager, "/1/a", depth="infinity"))
    assert refused(lambda: may_write(manager, "/1/a", mine["token"], depth="infinity")) == ["/1/a/d"]
    may_write(manager, "/1/a", mine["token"], other["token"], depth="infinity")
    may_write(manager, "/1/a")
    with manager.write_transaction(url="/1/a/d", token_list=[other["token"]], principal="bob"):
        pass
    with pytest.raises(DAVError), manager.write_transaction(url="/1/a/d", token_list=[], principal="bob"):
        raise AssertionError


def test_lists(manager: LockManager, storage: LockStorage) -> None:
    for url in ("/1", "/1/a", "/1/a/b", "/1/a b", "/1/ab", "/1/a/b/\N{GREEK SMALL LETTER ALPHA}\N{GRINNING FACE}"):
        ask(manager, url)
    roots = lambda **o: [k["root"] for k in storage.get_lock_list("/1/a", token_only=False, **o)]  # noqa: E731
    assert roots(include_root=True, include_children=False) == ["/1/a"]
    assert roots(include_root=False, include_children=True) == ["/1/a/b", "/1/a/b/α😀"]
    assert roots(include_root=True, include_children=True) == ["/1/a", "/1/a/b", "/1/a/b/α😀"]
    tokens = storage.get_lock_list("/1/a", include_root=True, include_children=False, token_only=True)
    assert [manager.get_lock(t, key="root") for t in tokens] == ["/1/a"]
    assert len(manager.get_url_lock_list("/", recursive=True)) == 6


def test_removing_locks_with_a_tree(kernel: Kernel, manager: LockManager) -> None:
    for url in ("/1/a", "/1/a/b", "/1/a/b/c", "/1/ab"):
        ask(manager, url)
    manager.remove_all_locks_from_url("/1/a")
    assert {k["root"] for k in manager.get_url_lock_list("/", recursive=True)} == {"/1/a/b", "/1/a/b/c", "/1/ab"}
    assert kernel.run(lambda ctx: service.drop_locks_below(ctx, "/1/a")) == 2
    assert {k["root"] for k in manager.get_url_lock_list("/", recursive=True)} == {"/1/ab"}


def test_names_that_the_client_knows(storage: LockStorage) -> None:
    manager = LockManager(storage, href_of=lambda root: "/webdav" + root)
    ask(manager, "/1/a")
    assert refused(lambda: ask(manager, "/1/a")) == ["/webdav/1/a"]
    assert refused(lambda: may_write(manager, "/1/a")) == ["/webdav/1/a"]


@pytest.mark.parametrize(
    ("url", "owner", "who"),
    [
        ("/" + "x" * 8192, OWNER, "bob"),
        ("/" + "é" * 4096, OWNER, "bob"),
        ("/1/a\0b", OWNER, "bob"),
        ("/1/a", b"<o>" + b"x" * 8200, "bob"),
        ("/1/a", b"\0", "bob"),
        ("/1/a", OWNER, "b" * 256),
    ],
)
def test_what_has_no_end_is_refused(
    kernel: Kernel, manager: LockManager, url: str, owner: bytes, who: str
) -> None:
    with pytest.raises(DAVError) as caught:
        ask(manager, url, owner=owner, who=who)
    assert caught.value.value == HTTP_BAD_REQUEST
    assert count(kernel) == 0


@pytest.mark.parametrize("top", ["/" + "x" * 254, "/" + "x" * 253, "/" + "y" * 300, "/1" + "/dir" * 2000])
def test_paths_longer_than_the_index(manager: LockManager, top: str) -> None:
    ask(manager, top + "/b/c")
    ask(manager, top + "z/b")
    assert [k["root"] for k in manager.get_url_lock_list(top, recursive=True)] == [top + "/b/c"]
    assert refused(lambda: ask(manager, top, depth="infinity")) == [top + "/b/c"]
    deep = ask(manager, top + "/d", depth="infinity")
    assert refused(lambda: ask(manager, top + "/d/" + "e" * 50)) == [top + "/d"]
    assert len(manager.get_url_lock_list("/", recursive=True)) == 3
    manager.release(deep["token"])


def race(twins: tuple[Kernel, Kernel], calls: list[Callable[[], Any]]) -> list[Any]:
    """Run calls together; gives what each returned, or the status of its refusal."""
    barrier = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = calls[number]()
        except DAVError as error:
            results[number] = error.value
        except Exception as error:
            results[number] = error
        for kernel in twins:  # a thread that ends gives its connections back
            kernel.db.close_thread()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_one_of_many_gets_an_exclusive_lock(twins: tuple[Kernel, Kernel]) -> None:
    managers = [LockManager(LockStorage(k)) for k in twins]
    for number in range(15):
        url = f"/1/file{number}"
        asked = [
            lambda m=managers[n % 2], n=n: ask(m, url, who=f"user{n}")["token"] for n in range(6)  # noqa: B023
        ]  # fmt: skip
        results = race(twins, asked)
        won = [r for r in results if isinstance(r, str)]
        assert len(won) == 1, results
        assert results.count(HTTP_LOCKED) == 5, results
        assert all(len(m.get_url_lock_list(url)) == 1 for m in managers)


def test_a_deep_lock_and_one_below_it_never_both(twins: tuple[Kernel, Kernel]) -> None:
    one, other = (LockManager(LockStorage(k)) for k in twins)
    for number in range(15):
        top = f"/1/dir{number}"
        results = race(
            twins,
            [
                lambda: ask(one, top, depth="infinity")["token"],  # noqa: B023
                lambda: ask(other, top + "/a/b")["token"],  # noqa: B023
                lambda: ask(one, top + "/c", who="eve")["token"],  # noqa: B023
            ],
        )
        held = {k["root"] for k in one.get_url_lock_list(top, recursive=True)}
        assert held in ({top}, {top + "/a/b", top + "/c"}), results
        assert all(isinstance(r, str) or r == HTTP_LOCKED for r in results), results


def test_a_lock_that_ran_out_is_refreshed_or_taken_never_both(twins: tuple[Kernel, Kernel], clock: Any) -> None:
    _, other_kernel = twins
    other_kernel.clock = clock
    one, other = (LockManager(LockStorage(k)) for k in twins)
    for number in range(10):
        url = f"/1/file{number}"
        token = ask(one, url, timeout=10)["token"]
        clock.move(10 - 0.000001)
        results = race(
            twins,
            [
                lambda: clock.move(0.000001),
                lambda: one.refresh(token, timeout=10)["token"],  # noqa: B023
                lambda: ask(other, url, who="eve")["token"],  # noqa: B023
            ],
        )
        assert len(one.get_url_lock_list(url)) <= 1, results
        assert sum(isinstance(r, str) for r in results) <= 1, results


def test_no_lock_is_granted_while_a_unit_holds_still(twins: tuple[Kernel, Kernel]) -> None:
    kernel, other_kernel = twins
    other = LockManager(LockStorage(other_kernel))
    granted = threading.Event()

    def take() -> None:
        ask(other, "/1/a", who="eve")
        granted.set()
        other_kernel.db.close_thread()

    thread = threading.Thread(target=take)
    with kernel.unit() as ctx:
        service.hold_still(ctx)
        ctx.execute(select(LOCK.c.token)).all()
        thread.start()
        assert service.locks_against(ctx, "/1/a", principal="bob", tokens=[]) == []
        assert not granted.wait(0.3)
        assert service.locks_against(ctx, "/1/a", principal="bob", tokens=[]) == []
    thread.join(30)
    assert granted.is_set()


def test_a_lock_made_and_dropped_in_the_unit_that_writes(kernel: Kernel, manager: LockManager) -> None:
    def work(ctx: Any) -> str:
        made = service.create_lock(ctx, "/1/a", principal="bob", seconds=60)
        with pytest.raises(service.LockConflict):
            service.create_lock(ctx, "/1/a", principal="bob", seconds=60)
        assert service.locks_against(ctx, "/1/a", principal="bob", tokens=[made.token]) == []
        return made.token

    token = kernel.run(work)
    assert manager.is_url_locked_by_token("/1/a", token)
    with pytest.raises(ZeroDivisionError):
        kernel.run(lambda ctx: service.drop_locks_below(ctx, "/") / 0)
    assert manager.is_url_locked("/1/a")


def test_a_lock_outlives_the_process_that_made_it(kernel: Kernel, tmp_path: Path) -> None:
    script = """if True:
        import os, signal, sys
        from pathlib import Path
        from atrio.kernel.testing.plugin import make_kernel
        from atrio.plugins.webdav.adapters.locks import LockStorage
        kernel = make_kernel(Path(sys.argv[1]), {"plugins__enabled": ["webdav"], "database__url": sys.argv[2]})
        made = LockStorage(kernel).create("/1/a", {
            "scope": "exclusive", "depth": "0", "owner": b"", "principal": "bob", "timeout": 300})
        print(made["token"], flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    url = kernel.db.url.render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "data"), url], capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    manager = LockManager(LockStorage(kernel))
    assert manager.get_lock(done.stdout.strip(), key="root") == "/1/a"
    refused(lambda: ask(manager, "/1/a"))
    assert manager.refresh(done.stdout.strip())["timeout"] == pytest.approx(600, abs=5)


def test_thousands_of_locks(kernel: Kernel, manager: LockManager, statements: Any, clock: Any) -> None:
    def fill(ctx: Any) -> None:
        rows = [
            {
                "token": f"opaquelocktoken:{n}", "path_key": service.path_key(f"/1/d{n % 10}/f{n}"),
                "head": f"/1/d{n % 10}/f{n}", "path": f"/1/d{n % 10}/f{n}", "deep": 0, "exclusive": 1,
                "principal": "bob", "owner": "", "created": 0, "expires": clock.now() + 60_000_000,
            }
            for n in range(5000)
        ]  # fmt: skip
        ctx.execute(service.INSERT, rows)

    kernel.run(fill)
    paths = [f"/1/d3/f{n}" for n in range(3, 5000, 10)]
    with statements() as seen:
        found = kernel.run(lambda ctx: service.locks_at(ctx, paths), writes=False)
    assert len(found) == 500
    assert len(seen) == 1
    with statements() as seen:
        ask(manager, "/1/d3/f3/deep/below", depth="infinity")
    assert len(seen) <= 5
    with statements() as seen:
        refused(lambda: may_write(manager, "/1/d3/f3"))
        assert len(manager.get_url_lock_list("/1/d3", recursive=True)) == 501
    assert len(seen) <= 3
    assert kernel.run(lambda ctx: service.drop_locks_below(ctx, "/1/d3")) == 501
    assert count(kernel) == 4500
    clock.move(61)
    manager.storage.cleanup()
    assert count(kernel) == 0


@pytest.mark.parametrize("analysed", [False, True])
def test_searches_walk_indexes(kernel: Kernel, analysed: bool) -> None:
    if kernel.db.dialect != "sqlite":
        pytest.skip("reads the plans of SQLite")
    from sqlalchemy import text

    def fill(ctx: Any) -> None:
        for n in range(100):
            service.create_lock(ctx, f"/{n}", principal="bob", seconds=60)
        if analysed:
            ctx.execute(text("ANALYZE"))

    kernel.run(fill)
    plans = (
        ("path_key IN ('a', 'b') AND expires > 1", "ix_webdav_lock_path_key"),
        ("head > '/1' AND head < '/10' AND expires > 1", "ix_webdav_lock_head"),
        ("head = '/1' AND expires > 1", "ix_webdav_lock_head"),
        ("expires <= 1 ORDER BY expires LIMIT 5", "ix_webdav_lock_expires"),
        ("token = 'a' AND expires > 1", "sqlite_autoindex_webdav_lock_1"),
    )
    with kernel.unit(writes=False) as ctx:
        for condition, index in plans:
            plan = ctx.execute(text(f"EXPLAIN QUERY PLAN SELECT path FROM webdav_lock WHERE {condition}")).all()
            assert index in plan[0][3], plan


def test_our_manager_has_all_that_theirs_has() -> None:
    """What wsgidav calls on its own classes it finds on ours, with the same names of arguments."""
    import inspect

    from wsgidav.lock_man.lock_storage import LockStorageDict

    for mine, original in ((LockManager, theirs.LockManager), (LockStorage, LockStorageDict)):
        for name, method in inspect.getmembers(original, inspect.isfunction):
            if name.startswith("_"):
                continue
            wanted = set(inspect.signature(method).parameters)
            assert wanted <= set(inspect.signature(getattr(mine, name)).parameters), name
