"""An instance that is walked by one person for a long time: what the walk lives on is put back as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select, update

from atrio.kernel.db.base import Base
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD, acting, make_kernel
from tests.contract import facts
from tests.contract.page import allow_only, served
from tests.contract.recipes import RECIPES, Recipe, fresh
from tests.contract.stage import EVERYTHING, ROLES, Stage

WALKERS = ("administrator", *ROLES, "user")
"""The administrator, who is a member; a member of each role; `user` is in no space."""
WHOLE = ("accounts_user", "spaces_space", "spaces_member")
"""Tables whose rows are put back as they were."""
PLACE = (
    "space_id", "parent_id", "parent_key", "namespace", "name_key", "type", "status", "trashed_at", "archived_at",
    "hidden_by", "assignee_id", "author_id", "is_template", "sub_content_types",
)  # fmt: skip
"""Columns of a content that are put back; its history goes on."""
KEPT = ("note", "thread", "folder", "file", "comment", "todo", "edited")
GROWING = ("core_content_content", "spaces_space", "accounts_user", "tags_tag", "calls_call", "reactions_reaction")


class Walk(Stage):
    """A stage on which one person stands for the reader: the paths of users are the walker's own."""

    def __init__(self, kernel: Any, root: Client, as_actor: Callable[..., Any], page: str, who: str) -> None:
        self.who = ""
        super().__init__(kernel, root, as_actor, page)
        spare = {"leader_id": self.leader(), "call_id": self.call(), "content_id": self.values["note"]}
        self.spare = {**spare, "revision_id": self.values["revision"], "rest": "config", "name": "init.js"}
        self.who = who
        self.walker: Any = root if who == "administrator" else self.people[who]
        if who == "administrator":
            self.walker.user_id = 1
        self.values["user_id"] = self.walker.user_id
        self._saved: dict[str, list[dict[str, Any]]] = {}
        self._highest: dict[str, int] = {}
        self.save()

    @property
    def reader(self) -> Any:
        """The walker, once he walks."""
        return self.walker if self.who else super().reader

    @property
    def author(self) -> Any:
        """The contributor; the walker's partner where the walker is the contributor himself."""
        return self.people["workspace-manager"] if self.who == "contributor" else super().author

    def comment(self) -> int:
        """Return a new comment, the contributor's own where he walks."""
        return self._as_ever(super().comment)

    def todo(self) -> int:
        """Return a new to-do, the contributor's own where he walks."""
        return self._as_ever(super().todo)

    def reaction(self) -> int:
        """Return a new reaction, the contributor's own where he walks."""
        return self._as_ever(super().reaction)

    def _as_ever(self, make: Callable[[], int]) -> int:
        """Let the stage's own people make something."""
        who, self.who = self.who, ""
        try:
            return make()
        finally:
            self.who = who

    def other_space(self, **values: Any) -> int:
        """Return a new space of somebody who trusts nobody: the walker is not in it."""
        body = {"label": fresh("space "), "description": "", "access_type": "open", "default_user_role": "reader"}
        return int(self.ok("POST", "/api/workspaces", body | values, self.people["trusted"])["workspace_id"])

    # -- what a route is asked about -------------------------------------------------------------------------

    def names(self, operation: str, path: str, names: list[str]) -> dict[str, Any]:
        """Return path parameters of things that exist, fresh where the recipe of the route makes them anew."""
        recipe = recipe_of(operation, path)
        found = {}
        for name in names:
            chosen = recipe.names.get(name, name)
            if callable(chosen):
                try:
                    found[name] = chosen(self)
                except AssertionError:  # the walker may not have one of his own: somebody else's
                    found[name] = self.spare.get(name, 1)
            else:
                found[name] = self.values.get(chosen, self.spare.get(chosen, chosen))
        return found

    def example(self, operation: str, path: str) -> dict[str, Any]:
        """Return what goes along with a request that works, as far as the walker may prepare it."""
        try:
            return self.request(recipe_of(operation, path))
        except AssertionError:
            return {}

    # -- putting back ----------------------------------------------------------------------------------------

    def save(self) -> None:
        """Note the rows that the walk lives on."""
        tables = Base.metadata.tables
        with self.kernel.unit(writes=False) as ctx:
            for name in WHOLE:
                self._saved[name] = [dict(row) for row in ctx.execute(select(tables[name])).mappings()]
            content = tables["core_content_content"]
            rows = ctx.execute(select(content).where(content.c.content_id.in_([self.values[k] for k in KEPT])))
            self._saved["core_content_content"] = [dict(row) for row in rows.mappings()]
            for name in GROWING:
                (key,) = tables[name].primary_key
                self._highest[name] = ctx.execute(select(key).order_by(key.desc()).limit(1)).scalar() or 0

    def mend(self) -> None:
        """Put back what a generated request has changed, and make anew what it has purged."""
        with self.kernel.unit() as ctx:
            for name in WHOLE:
                self._put_back(ctx, name)
            lost = self._put_back_contents(ctx) or self._lost(ctx)
        if lost:
            self._contents()
            self.save()

    def _put_back(self, ctx: Any, name: str) -> None:
        table = Base.metadata.tables[name]
        keys = list(table.primary_key)
        first = keys[0]
        found = {
            tuple(row[k.name] for k in keys): dict(row)
            for row in ctx.execute(
                select(table).where(first.in_({r[first.name] for r in self._saved[name]}))
            ).mappings()
        }
        for row in self._saved[name]:
            now = found.get(tuple(row[k.name] for k in keys))
            if now is None:
                ctx.execute(insert(table).values(row))
            elif now != row:
                ctx.execute(update(table).where(*(k == row[k.name] for k in keys)).values(row))

    def _put_back_contents(self, ctx: Any) -> bool:
        table = Base.metadata.tables["core_content_content"]
        for row in self._saved["core_content_content"]:
            put = {name: row[name] for name in PLACE}
            changed = update(table).where(table.c.content_id == row["content_id"]).values(put)
            if ctx.execute(changed).rowcount == 0:
                return True
        return False

    def _lost(self, ctx: Any) -> bool:
        for name, key in (("tags_tag", "tag"), ("reactions_reaction", "reaction")):
            (column,) = Base.metadata.tables[name].primary_key
            if ctx.execute(select(column).where(column == self.values[key])).first() is None:
                return True
        return False

    def forget(self) -> None:
        """Delete what generated requests have made, so that lists stay short."""
        tables = Base.metadata.tables
        with self.kernel.unit() as ctx:
            for name in GROWING:
                (key,) = tables[name].primary_key
                ctx.execute(delete(tables[name]).where(key > self._highest[name]))


BEYOND = {
    facts.key("GET", "/api/workspaces/{workspace_id}/folders/{content_id}/zip/{filename}"): Recipe(
        names={"content_id": "folder"}
    ),
}
"""Recipes of routes that are not of the contract."""


def recipe_of(method: str, path: str) -> Recipe:
    """Return the recipe of a route; an empty one for routes beyond the recipes (pages, documents)."""
    found = {facts.key(*key): recipe for key, recipe in RECIPES.items()}
    return {**BEYOND, **found}.get(facts.key(method, path), Recipe())


@contextmanager
def staged(
    folder: Path, make: Callable[..., Any] = Stage, *, records: Any = None, databases: Any = None
) -> Iterator[Any]:
    """Boot an instance with every route and set the stage on it, on the engine that the tests run on."""
    folder.mkdir(exist_ok=True)
    settings = dict(EVERYTHING.kwargs)
    if databases is not None:
        settings["database__url"] = databases.give(settings)
    kernel = make_kernel(folder, settings, records=records)
    root = Client(kernel.app, ADMIN, PASSWORD)
    try:
        with served() as page, acting(kernel) as as_actor:
            allow_only(kernel, page)
            made = make(kernel, root, as_actor, page)
            yield made
            made.people["stranger"].close()
    finally:
        root.close()
        kernel.stop()
        kernel.app.pool.close()
        kernel.app.io.close()


def walked(folder: Path, who: str, databases: Any = None) -> Any:
    """Give the walk of one person on an instance of its own, for a block."""
    return staged(
        folder, lambda kernel, root, as_actor, page: Walk(kernel, root, as_actor, page, who), databases=databases
    )  # fmt: skip
