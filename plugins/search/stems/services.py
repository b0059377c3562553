"""Writes of stems: the words of texts are learned by jobs, never in the transaction of who writes them.

Two writers of the same new words would wait for each other, and stemming takes time. So a save leaves a job where
it holds words that this process has not seen in the table.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete

from atrio.kernel.context import Context
from atrio.kernel.db.upsert import upsert
from atrio.kernel.host import Kernel

from ..config import SearchConfig
from ..engines import Kind
from ..models import STATE
from ..queries import next_ids
from . import queries
from .models import STEM
from .stemmer import Stemmers, version_of_rules

LEARN = "search.learn"
LEARN_ALL = "search.learn_all"
KINDS: tuple[Kind, ...] = ("space", "content")
"""What has words with forms: names of people have none."""
AT_ONCE = 50
"""Contents whose words are learned in one unit."""
PAIRS = 2000
"""Pairs of word and language after which a unit ends."""
REMEMBERED = 200_000
"""Words that a process keeps in mind as known."""
MINUTES = 10
"""How long it does so: words that another process deleted are then learned again."""
LANGUAGES_KEY, VERSION_KEY = "stem_languages", "stem_version"


class Known:
    """Words of which this process saw that they are in the table."""

    def __init__(self) -> None:
        self.words: set[str] = set()
        self._until = 0

    def without(self, found: set[str], now: int) -> set[str]:
        """Return the words that are not known to be there; `now` in microseconds."""
        if now > self._until:
            self.words, self._until = set(), now + MINUTES * 60_000_000
        return found - self.words

    def add(self, found: Iterable[str]) -> None:
        """Keep words in mind; when there are too many the old ones are forgotten."""
        if len(self.words) > REMEMBERED:
            self.forget()
        self.words.update(found)

    def forget(self) -> None:
        """Keep nothing in mind."""
        self.words = set()


def known_in(kernel: Kernel) -> Known:
    """Return what this process knows."""
    return kernel.part("search.known_words", Known)


def languages_of(ctx: Context) -> tuple[str, ...]:
    """Return the languages in which words have forms."""
    return ctx.config[SearchConfig].languages


# -- with a change -------------------------------------------------------------------------------------------


def note(ctx: Context, kind: Kind, rows: Iterable[tuple[int, Iterable[str]]]) -> None:
    """Leave one job for the ids among some ids and folded texts that hold new words; no statement of its own."""
    if not languages_of(ctx):
        return
    known = known_in(ctx.kernel)
    note_ids(ctx, kind, [i for i, texts in rows if known.without(queries.words_of(texts), ctx.now)])


def note_ids(ctx: Context, kind: Kind, ids: Sequence[int]) -> None:
    """Leave one job, for all of a unit, that learns the words of some contents or spaces."""
    if not ids or not languages_of(ctx):
        return
    for task, arguments, _ in ctx.deferred:
        if task == LEARN and arguments["kind"] == kind:
            arguments["ids"] = list(dict.fromkeys([*arguments["ids"], *ids]))
            return
    ctx.defer(LEARN, kind=kind, ids=list(ids))


# -- by jobs -------------------------------------------------------------------------------------------------


def learn(ctx: Context, kind: Kind, ids: Sequence[int]) -> list[int]:
    """Learn the words of some contents or spaces, and return the ids that are left for another unit.

    The transaction is given up while words are stemmed; rows go in by the order of their key, so that two jobs
    never wait for each other crosswise.
    """
    languages = languages_of(ctx)
    if not languages:
        return []
    part, rest = list(ids[:AT_ONCE]), list(ids[AT_ONCE:])
    known = known_in(ctx.kernel)
    held: set[str] = set().union(*queries.words_of_ids(ctx, kind, part).values())
    found = known.without(held, ctx.now)
    missing, looked_at = queries.unknown(ctx, found, languages, PAIRS)
    if missing:
        with ctx.released():
            stemmers = Stemmers(languages)
            rows = sorted({(s[:64], name, word) for word, name in missing for s in stemmers.stems(word, name)})
        insert = ctx.kernel.memo("search.learn", lambda: upsert(ctx.dialect, STEM, ("stem", "language", "word")))
        ctx.execute(insert, [{"stem": s, "language": name, "word": word} for s, name, word in rows])
    ctx.later(lambda _kernel: known.add(looked_at))  # a unit that fails ends without this
    return rest if len(looked_at) == len(found) else [*part, *rest]


def learn_next(ctx: Context, kind: Kind, after: int) -> tuple[list[int], int]:
    """Learn the words of the next things of a kind after an id; returns what is left of them, and the last id.

    0 as the last id: there are no more.
    """
    ids = next_ids(ctx, kind, after, AT_ONCE)
    return (learn(ctx, kind, ids), ids[-1]) if ids else ([], 0)


# -- other languages -----------------------------------------------------------------------------------------


def _number(text: str) -> int:
    return zlib.crc32(text.encode())


def prepare(ctx: Context) -> bool:
    """Leave a job where languages or rules are others than those of the stems; tells whether it did."""
    languages = languages_of(ctx)
    noted = queries.state(ctx, (LANGUAGES_KEY, VERSION_KEY))
    if not languages and not noted:
        return False
    wanted = _number(" ".join(sorted(languages)))
    version = _number(version_of_rules()) if languages else noted.get(VERSION_KEY, 0)
    if noted == {LANGUAGES_KEY: wanted, VERSION_KEY: version}:
        return False
    values = [{"name": LANGUAGES_KEY, "value": wanted}, {"name": VERSION_KEY, "value": version}]
    ctx.execute(upsert(ctx.dialect, STATE, ("name",), overwrite=("value",)), values)
    ctx.defer(LEARN_ALL, anew=noted.get(VERSION_KEY, version) != version)
    return True


def forget(ctx: Context, *, anew: bool) -> None:
    """Delete the stems of languages that are not wanted any more, or all of them."""
    gone = delete(STEM) if anew else delete(STEM).where(STEM.c.language.not_in(languages_of(ctx)))
    ctx.execute(gone)
    known_in(ctx.kernel).forget()


def forget_all(ctx: Context) -> None:
    """Delete all stems, and what is noted of them."""
    forget(ctx, anew=True)
    ctx.execute(delete(STATE).where(STATE.c.name.in_((LANGUAGES_KEY, VERSION_KEY))))


def unlearned(ctx: Context, kind: Kind, ids: Sequence[int]) -> list[int]:
    """Return which of some contents or spaces hold words that are not known."""
    languages = languages_of(ctx)
    if not languages:
        return []
    held = queries.words_of_ids(ctx, kind, ids)
    missing = {w for w, _ in queries.unknown(ctx, set().union(*held.values()), languages)[0]}
    return [i for i, found in held.items() if found & missing]


def facts(ctx: Context) -> dict[str, Any]:
    """Return what operators want to know; nothing where words have no forms."""
    found = queries.numbers(ctx)
    return {f"words known in {name}": found.get(name, 0) for name in sorted({*languages_of(ctx), *found})}
