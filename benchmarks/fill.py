"""Many rows quickly: straight into the tables, as the services would have written them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from atrio.kernel.text import slugify
from atrio.plugins.core_content.services.revision import named
from atrio.plugins.core_content.types import SLUGS
from atrio.plugins.spaces.permissions import LEVELS

TEXT = "<p>Some text of a note, with <strong>words</strong> in it.</p>" * 10
SECOND = 1_000_000


class Item(NamedTuple):
    """One content to write. `parent` is an id; `state` is trashed_at, archived_at or empty."""

    label: str
    kind: str = "html-document"
    parent: int | None = None
    text: str = TEXT
    state: str = ""


class Filler:
    """Writes rows beside a running server: one transaction for each call."""

    def __init__(self, database: Path) -> None:
        self.database = sqlite3.connect(database, isolation_level=None)
        for pragma in ("synchronous=OFF", "cache_size=-262144", "temp_store=MEMORY"):  # 11 indexes grow at once
            self.database.execute(f"PRAGMA {pragma}")
        self.now = time.time_ns() // 1000

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def analyse(self) -> None:
        """Give the planner its statistics, but none of tables that are filled later."""
        tables = self.database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in tables:
            if not name.startswith(("search_", "sqlite_")):
                self.database.execute(f'ANALYZE "{name}"')

    def _write(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        rows = iter(rows)
        first = next(rows)
        columns = ", ".join(first)
        values = ", ".join(f":{name}" for name in first)

        def every() -> Iterator[dict[str, Any]]:
            yield first
            yield from rows

        self.database.execute("BEGIN IMMEDIATE")
        self.database.executemany(f"INSERT INTO {table} ({columns}) VALUES ({values})", every())
        self.database.execute("COMMIT")

    def _next(self, table: str, key: str) -> int:
        return int(self.database.execute(f"SELECT coalesce(max({key}), 0) + 1 FROM {table}").fetchone()[0])

    def users(self, number: int) -> list[int]:
        """Add accounts `bench0`… with the administrator's password."""
        first = self._next("accounts_user", "user_id")
        hashed = self.database.execute("SELECT password_hash FROM accounts_user WHERE user_id = 1").fetchone()[0]
        self._write(
            "accounts_user",
            (
                {
                    "user_id": first + i, "email": f"bench{i}@example.org", "username": f"bench{i}",
                    "public_name": f"Bench User {i:05d}", "password_hash": hashed, "profile": 1,
                    "auth_type": "internal", "lang": "en", "timezone": "Europe/Paris", "allowed_space": 0,
                    "is_active": 1, "is_deleted": 0, "has_cover": 0, "created": self.now,
                    "creation_type": "admin", "version": 1,
                }
                for i in range(number)
            ),
        )  # fmt: skip
        return list(range(first, first + number))

    def spaces(self, number: int, owner: int, prefix: str) -> list[int]:
        """Add spaces of an owner, without members."""
        first = self._next("spaces_space", "space_id")
        self._write(
            "spaces_space",
            (
                {
                    "space_id": first + i, "label": f"{prefix} {i:05d}", "slug": slugify(f"{prefix} {i:05d}"),
                    "description": "<p>A space.</p>", "access_type": "confidential", "default_role": 1,
                    "created": self.now, "owner_id": owner, "parent_id": None, "is_deleted": 0,
                    "deleted_at": None, "agenda_enabled": 1, "public_upload_enabled": 1,
                    "public_download_enabled": 1, "publication_enabled": 1,
                }
                for i in range(number)
            ),
        )  # fmt: skip
        return list(range(first, first + number))

    def members(self, pairs: Iterable[tuple[int, int]], role: str = "workspace-manager") -> None:
        """Make users members: pairs of space and user."""
        self._write(
            "spaces_member",
            (
                {
                    "space_id": space, "user_id": user, "role": LEVELS[role], "email_notification_type": "none",
                    "created": self.now,
                }
                for space, user in pairs
            ),
        )  # fmt: skip

    def contents(self, space: int, items: Iterable[Item], authors: list[int]) -> list[int]:
        """Add contents with their revision, read by the administrator; `modified` runs against `label`."""
        items = list(items)
        first = self._next("core_content_content", "content_id")
        revision = self._next("core_content_revision", "revision_id")
        self._write(
            "core_content_content",
            (
                self._content(first + i, revision + i, space, item, authors[i % len(authors)], i)
                for i, item in enumerate(items)
            ),
        )
        self._write(
            "core_content_revision",
            (
                self._revision(first + i, revision + i, space, item, authors[i % len(authors)], i)
                for i, item in enumerate(items)
            ),
        )
        self._write(
            "core_content_read",
            ({"user_id": 1, "content_id": first + i, "revision_id": revision + i} for i in range(len(items))),
        )
        return list(range(first, first + len(items)))

    def _content(self, key: int, revision: int, space: int, item: Item, author: int, place: int) -> dict[str, Any]:
        part = item.kind in ("comment", "todo")
        names = named(item.label, ".document.html" if item.kind == "html-document" else "")
        if part:
            names = dict.fromkeys(names, "")
        if part or item.state:
            names["name_key"] = None
        return {
            "content_id": key, "space_id": space, "parent_id": item.parent, "parent_key": item.parent or 0,
            "namespace": "content", "type": item.kind, **names, "status": "open",
            "sub_content_types": "" if part else ",".join(SLUGS), "is_template": 0,
            "trashed_at": self.now if item.state == "trashed_at" else None,
            "archived_at": self.now if item.state == "archived_at" else None, "hidden_by": None,
            "author_id": author, "last_modifier_id": author, "assignee_id": None,
            "current_revision_id": revision, "current_revision_type": "creation", "version_number": 1,
            "created": self.now + place, "modified": self.now - place * SECOND,
        }  # fmt: skip

    def _revision(
        self, key: int, revision: int, space: int, item: Item, author: int, place: int
    ) -> dict[str, Any]:
        return {
            "revision_id": revision, "content_id": key, "version_number": 1, "revision_type": "creation",
            "author_id": author, "created": self.now + place, "space_id": space, "parent_id": item.parent,
            "label": item.label, "file_extension": ".document.html" if item.kind == "html-document" else "",
            "status": "open", "sub_content_types": ",".join(SLUGS), "is_template": 0,
            "is_archived": int(item.state == "archived_at"), "is_deleted": int(item.state == "trashed_at"),
            "description": "", "raw_content": "" if item.kind == "folder" else item.text, "digest": None,
            "size": None, "mimetype": "" if item.kind == "folder" else "text/html",
        }  # fmt: skip

    def place(self, space: int, sort: str, offset: int) -> tuple[Any, int]:
        """Return where the row at this place of a list of the root stands: sort value and id."""
        found = self.database.execute(
            f"SELECT {sort}, content_id FROM core_content_content WHERE space_id = ? AND parent_key = 0 "
            f"AND namespace = 'content' AND trashed_at IS NULL AND archived_at IS NULL AND hidden_by IS NULL "
            f"ORDER BY {sort}, content_id LIMIT 1 OFFSET ?",
            (space, offset),
        ).fetchone()
        return found[0], int(found[1])
