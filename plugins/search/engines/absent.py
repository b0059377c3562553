"""The engine where the chosen one is not there: it refuses, so that nobody takes another answer for its."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from atrio.kernel.context import Context
from atrio.kernel.host import Kernel

from ..errors import SearchEngineUnavailable
from . import ContentHits, ContentSearch, Kind, Progress, SpaceHits, SpaceSearch, Status, UserHits, UserSearch


class AbsentEngine:
    """Refuses every search; what changes is projected all the same, and populated when the engine is there."""

    def __init__(self, name: str) -> None:
        self.name = name

    def _refusal(self) -> SearchEngineUnavailable:
        return SearchEngineUnavailable(f"The search engine {self.name} is not there.")

    def contents(self, ctx: Context, search: ContentSearch) -> ContentHits:
        """Refuse."""
        raise self._refusal()

    def users(self, ctx: Context, search: UserSearch) -> UserHits:
        """Refuse."""
        raise self._refusal()

    def spaces(self, ctx: Context, search: SpaceSearch) -> SpaceHits:
        """Refuse."""
        raise self._refusal()

    def put(self, ctx: Context, kind: Kind, ids: Sequence[int]) -> None:
        """Do nothing."""

    def create(self, kernel: Kernel) -> None:
        """Refuse."""
        raise self._refusal()

    def drop(self, kernel: Kernel) -> None:
        """Refuse."""
        raise self._refusal()

    def rebuild(self, kernel: Kernel, progress: Progress) -> None:
        """Refuse."""
        raise self._refusal()

    def status(self, kernel: Kernel) -> Status:
        """Say that it is not there."""
        return Status(False, {"server": f"no running plugin brings the engine {self.name}"})

    def differences(self, ctx: Context, kind: Kind, ids: Sequence[int]) -> Iterable[int]:
        """Refuse."""
        raise self._refusal()
