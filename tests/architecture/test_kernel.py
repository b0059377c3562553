"""The kernel names no plugin, no content type, no role, no table of a plugin, no path of the API."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from atrio.kernel.context import Context
from atrio.kernel.db.base import Base
from atrio.kernel.db.statement import Statement
from atrio.kernel.host import Kernel
from atrio.kernel.plugins import discover
from atrio.plugins.accounts import queries as accounts
from atrio.plugins.accounts.services import create_user
from atrio.plugins.core_content import queries as contents
from atrio.plugins.core_content.models import CONTENT
from atrio.plugins.core_content.queries.lists import SORTS
from atrio.plugins.core_content.types import SLUGS
from atrio.plugins.spaces import queries as spaces
from atrio.plugins.spaces.permissions import LEVELS
from atrio.plugins.spaces.services import add_member, create_space

SPACE = {
    "label": "s", "description": "", "access_type": "open", "default_user_role": "reader", "parent_id": None,
    "agenda_enabled": True, "public_upload_enabled": True, "public_download_enabled": True,
    "publication_enabled": True,
}  # fmt: skip
ROOT = Path(__file__).parents[2]
FILES = [
    p for p in (*ROOT.glob("kernel/**/*.py"), ROOT / "hookspecs.py", *ROOT.glob("migrations/**/*.py"))
    if "testing" not in p.parts
]  # fmt: skip


def words(path: Path) -> list[str]:
    """Return every name and every string of a module, its docstrings too."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
        elif isinstance(node, ast.Name):
            found.append(node.id)
        elif isinstance(node, ast.Attribute):
            found.append(node.attr)
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
    return found


def test_there_is_a_kernel_to_look_at() -> None:
    assert len(FILES) > 30


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_kernel_knows_no_plugin(path: Path) -> None:
    plugins = {r.name for r in discover()}
    tables = {t for t in Base.metadata.tables if not t.startswith("kernel_")}
    marked = {name for name in (*plugins, *SLUGS, *LEVELS) if "_" in name or "-" in name}
    forbidden = re.compile("|".join(rf"(?<![\w-]){re.escape(n)}(?![\w-])" for n in sorted(tables | marked)))
    for word in words(path):
        assert not word.startswith("atrio.plugins.") or path.name == "docs.py", word
        assert not forbidden.search(word), f"{path.name}: {forbidden.search(word)}"
        for found in re.findall(r"/api/[\w{]*", word):
            assert found == "/api/doc", f"{path.name}: {found}"


def plan_of(ctx: Context, statement: Statement) -> list[str]:
    """Return the lines of SQLite's plan."""
    compiled = statement._for(ctx.kept.connection.dialect)
    values = [compiled.constants.get(n, 1) for n in compiled.positions or ()]
    plan = ctx.kept.raw.execute(f"EXPLAIN QUERY PLAN {compiled.text}", values).fetchall()
    return [row[3] for row in plan]


@pytest.mark.parametrize("analysed", [False, True])
def test_hot_statements_walk_indexes(kernel: Kernel, analysed: bool, make_space: Any, make_content: Any) -> None:
    """No hot statement scans a table of a plugin, with and without statistics."""
    space = make_space()
    for number in range(60):
        make_content(space, f"n{number}", "folder" if number % 9 == 0 else "html-document")
    with kernel.unit() as ctx:
        for number in range(60):  # of a table with one row a scan would be right
            user = create_user(ctx, email=f"user{number}@example.org")
            space_id = create_space(ctx, SPACE)
            member = {"user_id": user, "user_email": None, "user_username": None, "role": "reader"}
            add_member(ctx, space_id, member)
        if analysed:
            ctx.execute(text("ANALYZE"))
    shape = contents.ListShape(parents=1)
    limited = contents.ListShape(parents=1, limited=True, bookmark=">")
    with kernel.unit(writes=False) as ctx:
        hot = {
            "session": accounts.BY_SESSION,
            "user": accounts.BY_ID,
            "login": accounts.BY_EMAIL,
            "space": spaces.GUARD,
            "role": spaces.ROLE,
            "one content": contents.content.one_statement(ctx),
            "child by name": contents.CHILD,
            "list of a folder": contents.list_statement(ctx, shape),
            "page of a folder": contents.list_statement(ctx, limited),
            "revisions": contents.revisions_statement(ctx, "modified", False, "", False),
            "one revision": contents.ONE_REVISION,
            "comments": contents.comments_statement(ctx, "created", False, "", False),
            "to-dos": contents.TODOS_OF_CONTENT,
            "way": contents.WAY,
            "located": contents.LOCATE,
        }
        for name, statement in hot.items():
            lines = plan_of(ctx, statement)
            assert lines, name
            assert not [line for line in lines if line.startswith("SCAN") and line != "SCAN up"], (name, lines)


@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.parametrize("parents", [0, 1])
def test_pages_of_a_list_walk_an_index(
    kernel: Kernel, analysed: bool, parents: int, make_space: Any, make_content: Any
) -> None:
    """Every page, first or last, in each order and direction, is read where it stands: nothing is sorted."""
    space = make_space()
    for number in range(3):
        make_content(space, f"Folder {number}", "folder")
    note = make_content(space, "Note")
    with kernel.unit() as ctx:
        seed = dict(
            ctx.execute(select(CONTENT).where(CONTENT.c.content_id == note["content_id"])).mappings().one()
        )
        del seed["content_id"]
        rows = [
            {**seed, "name_key": f"{n}", "sort_key": f"n{n}", "created": n, "modified": n} for n in range(2000)
        ]
        ctx.execute(insert(CONTENT), rows)
        if analysed:
            ctx.execute(text("ANALYZE"))
    with kernel.unit(writes=False) as ctx:
        for sort, descending, bookmark in itertools.product(SORTS, (False, True), ("", ">", "<")):
            shape = contents.ListShape(
                parents=parents, sort=sort, descending=descending, limited=True, bookmark=bookmark
            )
            lines = plan_of(ctx, contents.list_statement(ctx, shape))
            index = f"ix_core_content_content_{'folder_' * parents}{'sorted' if sort == 'label' else sort}"
            assert f"USING INDEX {index} " in lines[0], (shape, lines)
            assert bool(bookmark) == bool(re.search(r"[<>]\?", lines[0])), (shape, lines)
            assert not [line for line in lines if "TEMP B-TREE" in line], (shape, lines)
