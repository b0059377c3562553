"""The search: 100,000 contents of 2 KB, beside a look-up by primary key; what a save costs more."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from core import Bench
from fill import Filler, Item
from load import Measured
from server import Server

Row = Callable[..., None]
CONTENTS = 100_000
SPACES = 100
MINE = 50
"""Spaces of the searcher: half of the contents are not his."""
PLAIN = 11_000
"""Contents of the instance whose user searches in the simple way; he sees them all."""
SIZE = 2000
VOCABULARY = 50_000
_SYLLABLES = (
    "ka", "to", "mi", "ren", "sol", "ba", "di", "fu", "gra", "hel", "ion", "ju", "lor", "nem", "pos", "qui",
    "ster", "tu", "vex", "win", "yo", "zan",
)  # fmt: skip


class Writer:
    """Makes texts whose words are as unevenly frequent as those of a language."""

    def __init__(self) -> None:
        self.random = random.Random(1)
        words: dict[str, None] = {}
        while len(words) < VOCABULARY:
            words["".join(self.random.choice(_SYLLABLES) for _ in range(self.random.randint(1, 5)))] = None
        self.words = list(words)
        self.frequencies = list(itertools.accumulate(1 / (n + 3) for n in range(VOCABULARY)))

    def text(self) -> str:
        """Return a note of two kilobytes."""
        return f"<p>{' '.join(self.random.choices(self.words, cum_weights=self.frequencies, k=340))[:SIZE]}</p>"


def fill(filler: Filler, writer: Writer, number: int = CONTENTS) -> str:
    """Write the contents, evenly over the spaces, and return the path of one; two users see their part."""
    users = filler.users(20)
    spaces = filler.spaces(SPACES, users[1], "Library")
    filler.members((s, 1) for s in spaces[:MINE])
    filler.members((s, users[0]) for s in spaces)

    def items(count: int) -> Iterator[Item]:
        return (Item(f"{writer.random.choice(writer.words)} {n:06d}", text=writer.text()) for n in range(count))

    made = [filler.contents(space, items(number // SPACES), users)[0] for space in spaces]
    filler.analyse()
    return f"/api/workspaces/{spaces[0]}/html-documents/{made[0]}"


def _atrio(folder: Path, *words: str) -> float:
    """Run a command and return its CPU seconds."""
    before = os.times()
    subprocess.run(
        [sys.executable, "-m", "atrio.kernel.cli", *words], check=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "ATRIO_DATA_DIR": str(folder), "ATRIO_LOG__LEVEL": "error"},
    )  # fmt: skip
    after = os.times()
    return (after.children_user + after.children_system) - (before.children_user + before.children_system)


def _mib(folder: Path) -> float:
    return sum(p.stat().st_size for p in folder.glob("atrio.db*")) / 2**20


def bench_search(folder: Path, row: Row, rounds: int, number: int = CONTENTS) -> None:
    """Indexing, searches, saves."""
    folder.mkdir(exist_ok=True)
    Server(folder).stop()
    writer = Writer()
    filler = Filler(folder / "atrio.db")
    one = fill(filler, writer, number)
    filler.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    filler.close()
    before = _mib(folder)
    spent = _atrio(folder, "search", "index", "populate")
    text = number * SIZE / 2**20
    row("search: indexing, CPU", f"{number / spent:.0f} contents/s", "", f"{number} contents of 2 KB")
    server = Server(folder)
    server.sign_in()
    row(
        "search: texts and index",
        f"{(_mib(folder) - before) / text:.1f}×",
        "",
        "the size of the texts; one part is the folded text itself",
    )
    searches(Bench(server, row, rounds), writer, one)
    server.stop()
    saves(folder, row, rounds)
    small = folder / "small"
    small.mkdir()
    Server(small).stop()
    writer = Writer()
    filler = Filler(small / "atrio.db")
    fill(filler, writer, PLAIN)
    filler.close()
    _atrio(small, "search", "index", "populate")
    server = Server(small)
    server.sign_in()
    plain_searches(Bench(server, row, rounds), writer)
    server.stop()


def searches(bench: Bench, writer: Writer, one: str) -> None:
    """Two words with facets, from rare to frequent, and the simple search."""
    lookup = bench.get(one, 300)
    for name, places in (("rare", (3000, 2000)), ("middling", (300, 200)), ("frequent", (20, 10))):
        words = "%20".join(f"%22{writer.words[p]}%22" for p in places)
        path = f"/api/advanced_search/content?search_string={words}"
        total = bench.server.call("GET", path)["total_hits"]
        found = bench.get(path, 20)
        bench.row(
            f"search: two {name} words, facets", f"{found.cpu_ms:.1f} ms", f"{50 * lookup.cpu_ms:.0f} ms",
            f"{found.cpu_ms / lookup.cpu_ms:.1f} × a look-up by id of {lookup.cpu_ms:.2f} ms; {total} hits",
        )  # fmt: skip


def plain_searches(bench: Bench, writer: Writer) -> None:
    """Search for one word without facets, from one in a hundred contents to one in all of them."""
    headers = bench.server.session("bench0")
    long = [w for w in writer.words[:1000] if len(w) > 5]
    for name, word in (
        ("a rare word", writer.words[3000]),
        ("three letters of 1,000 words", writer.words[2500][1:6]),
        ("a part of a word, six letters", long[40][1:7]),
        ("a frequent word", long[40]),
        ("a very frequent word", long[3]),
        ("three letters of 9,000 words", writer.words[50][:3]),
    ):
        path = f"/api/search/content?search_string={word}"
        total = bench.server.call("GET", path, headers=headers)["total_hits"]
        found = bench.get(path, 20, headers=headers)
        bench.row(
            f"search: simple, {name}, in 11,000", f"{found.cpu_ms:.1f} ms", "10 ms",
            f"{total} hits, all counted",
        )  # fmt: skip


def saves(folder: Path, row: Row, rounds: int) -> None:
    """Create and edit a note of 2 KB, with and without the plugin."""
    spent: dict[str, dict[str, Measured]] = {}
    writer = Writer()
    for name, env in (("with", {}), ("without", {"ATRIO_PLUGINS__DISABLED": "search"})):
        server = Server(folder, **env)
        server.sign_in()
        bench = Bench(server, row, rounds)
        body = {"label": name, "description": "", "access_type": "open", "default_user_role": "reader"}
        space = f"/api/workspaces/{server.call('POST', '/api/workspaces', body)['workspace_id']}"
        label = {"content_type": "html-document"}
        made = server.call("POST", f"{space}/contents", {**label, "label": "edited"})["content_id"]

        def create(_client: int, _number: int, space: str = space) -> tuple[str, str, bytes]:
            body = {"label": f"n {time.time_ns()}", "content_type": "html-document"}
            return "POST", f"{space}/contents", json.dumps(body).encode()

        def edit(
            _client: int, _number: int, path: str = f"{space}/html-documents/{made}"
        ) -> tuple[str, str, bytes]:
            return "PUT", path, json.dumps({"raw_content": writer.text()}).encode()

        spent[name] = {"create": bench.send(create, 100), "edit": bench.send(edit, 200)}
        server.stop()
    for what in ("create", "edit"):
        more = spent["with"][what].cpu_ms - spent["without"][what].cpu_ms
        row(
            f"search: {what} a note, more CPU",
            f"{more:+.2f} ms",
            "1.5 ms",
            f"{spent['without'][what].cpu_ms:.2f} ms without",
        )
