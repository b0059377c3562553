"""What every search engine takes and gives.

An engine gives nobody anything that he could not open, and counts nothing of it either: rights are part of its
queries. Ids and scores come from the engine; what results show of them is read from the database by `queries`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from atrio.kernel.context import Context
from atrio.kernel.host import Kernel

from ..language import Query

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many are done, and how many there are."""
Kind = Literal["content", "user", "space"]
KINDS: tuple[Kind, ...] = ("content", "user", "space")
CONTENT_FIELDS = ("label", "raw_content", "comments", "description", "tags", "todos")
USER_FIELDS = ("public_name", "username", "custom_properties")
SPACE_FIELDS = ("label", "description")
FACETS = (
    "workspace_names", "author__public_names", "last_modifier__public_names", "file_extensions", "statuses",
    "content_types", "tags",
)  # fmt: skip
BUCKETS = 10
"""Values of a facet: the most frequent ones."""


@dataclass(frozen=True)
class Range:
    """A span of time in microseconds, both ends included; None is open, or unknown."""

    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class ContentSearch:
    """Which contents are looked for, by whom, and which part of them is wanted.

    No `fields` means all of them, and no member of a list means any. `active`, `deleted` and `archived` say in
    which states a content may be. With `highlight` the hits say where they matched.
    """

    actor_id: int
    query: Query
    fields: frozenset[str] = frozenset()
    content_types: tuple[str, ...] = ()
    active: bool = True
    deleted: bool = False
    archived: bool = False
    workspace_names: tuple[str, ...] = ()
    author_names: tuple[str, ...] = ()
    modifier_names: tuple[str, ...] = ()
    file_extensions: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    created: Range = Range()
    modified: Range = Range()
    offset: int = 0
    limit: int = 10
    highlight: bool = False


@dataclass(frozen=True)
class UserSearch:
    """Which people are looked for. `everybody`: the searcher may find people with whom he shares no space."""

    actor_id: int
    everybody: bool
    query: Query
    fields: frozenset[str] = frozenset()
    space_ids: tuple[int, ...] = ()
    newest: Range = Range()
    active: bool = True
    deleted: bool = False
    offset: int = 0
    limit: int = 10


@dataclass(frozen=True)
class SpaceSearch:
    """Which spaces are looked for: those of the searcher, and those that he may join or ask to join."""

    actor_id: int
    query: Query
    fields: frozenset[str] = frozenset()
    member_ids: tuple[int, ...] = ()
    owner_ids: tuple[int, ...] = ()
    deleted: bool = False
    offset: int = 0
    limit: int = 10


@dataclass(frozen=True)
class Facet:
    """One value that hits have, and how many of them; an id where the value is a space or a user."""

    value: Any
    count: int


@dataclass(frozen=True)
class Hit:
    """One result. `highlights`: snippets by field, HTML-escaped, matches in <em>; {} when not asked for."""

    id: int
    score: float = 1.0
    highlights: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class ContentHits:
    """One page of contents, and what is true of all hits."""

    hits: Sequence[Hit] = ()
    total: int = 0
    exact: bool = True
    facets: Mapping[str, Sequence[Facet]] = field(default_factory=dict)
    created: Range = Range()
    modified: Range = Range()


@dataclass(frozen=True)
class UserHits:
    """One page of people; the facet counts their spaces, of those that the searcher is in, by id."""

    hits: Sequence[Hit] = ()
    total: int = 0
    exact: bool = True
    spaces: Sequence[Facet] = ()
    newest: Range = Range()


@dataclass(frozen=True)
class SpaceHits:
    """One page of spaces; facets count members, of spaces that the searcher is in, and owners, by id."""

    hits: Sequence[Hit] = ()
    total: int = 0
    exact: bool = True
    members: Sequence[Facet] = ()
    owners: Sequence[Facet] = ()


@dataclass(frozen=True)
class Status:
    """The state of an index: one line of `facts` each for operators, and whether it can answer."""

    ready: bool
    facts: Mapping[str, Any] = field(default_factory=dict)


class Engine(Protocol):
    """Finds, and keeps an index.

    The index side is called by jobs and by the command line, never by a request: what a request changes is
    projected into `search_text` in its transaction, noted in `search_stale`, and given to `put` by a job until it
    succeeds. `put` brings the index in line with the database for these ids: what is gone there goes here.
    """

    name: str

    def contents(self, ctx: Context, search: ContentSearch) -> ContentHits:
        """Find contents."""
        ...

    def users(self, ctx: Context, search: UserSearch) -> UserHits:
        """Find people."""
        ...

    def spaces(self, ctx: Context, search: SpaceSearch) -> SpaceHits:
        """Find spaces."""
        ...

    def put(self, ctx: Context, kind: Kind, ids: Sequence[int]) -> None:
        """Write these into the index as the database has them now; raises when they are to be tried again."""
        ...

    def create(self, kernel: Kernel) -> None:
        """Make the index where there is none; does no harm where there is one."""
        ...

    def drop(self, kernel: Kernel) -> None:
        """Delete the index."""
        ...

    def rebuild(self, kernel: Kernel, progress: Progress) -> None:
        """Make the index anew beside the old one, which answers until the new one takes its place."""
        ...

    def status(self, kernel: Kernel) -> Status:
        """Say how the index stands."""
        ...

    def differences(self, ctx: Context, kind: Kind, ids: Sequence[int]) -> Iterable[int]:
        """Return which of these ids the index has otherwise than the database; also those it has too much."""
        ...
