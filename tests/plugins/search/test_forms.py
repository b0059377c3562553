"""Other forms of words with the engine in the database: what is found, and how words are learned."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.config import Config, ConfigError, Sources
from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import of_the_request
from atrio.plugins.search import config as search_config
from atrio.plugins.search import services, upkeep
from atrio.plugins.search.config import SearchConfig
from atrio.plugins.search.folding import fold
from atrio.plugins.search.language import Term, parse
from atrio.plugins.search.stems import expansion, stemmer
from atrio.plugins.search.stems import services as stems
from atrio.plugins.search.stems import tasks as stem_tasks

from .forms import *  # noqa: F403

PATH = "/api/advanced_search/content"
pytestmark = pytest.mark.atrio_config(search__languages=["english", "french", "german", "russian"])


@pytest.fixture(autouse=True)
def _jobs_wait(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let jobs run when the test says so, instead of at once."""
    monkeypatch.setattr(kernel.jobs, "wake", lambda *_, **__: None)


def waiting(kernel: Kernel) -> list[str]:
    return [
        r[0] for r in rows(kernel, "SELECT id FROM kernel_outbox WHERE state = 'pending' AND job LIKE 'search.%'")
    ]


def run_jobs(kernel: Kernel) -> None:
    """Run what waits, as if the time for it had come."""
    while kernel.run(services.catch_up):
        pass
    while ids := waiting(kernel):
        rows(kernel, "UPDATE kernel_outbox SET available = 0 WHERE state = 'pending'")
        for job_id in ids:
            assert kernel.jobs.run(job_id) in ("done", "not due")


@pytest.fixture
def settle(kernel: Kernel) -> Callable[[], None]:
    """Index and learn what waits now."""
    return lambda: run_jobs(kernel)


def found(client: Client, words: str) -> list[str]:
    answer = client.get(PATH, query={"search_string": words, "size": 1000})
    assert answer.status == 200, answer.body
    return sorted(content["label"] for content in answer.json["contents"])


def rows(kernel: Kernel, sql: str, **values: Any) -> list[Any]:
    return kernel.run(
        lambda ctx: (
            ctx.execute(text(sql), values).all() if sql.startswith("SELECT") else [ctx.execute(text(sql), values)]
        )
    )


def pending(kernel: Kernel) -> list[str]:
    return [
        r[0]
        for r in rows(kernel, "SELECT job FROM kernel_outbox WHERE state = 'pending' AND job LIKE 'search.learn%'")
    ]


def silent(*_: Any) -> None:
    """Show no progress."""


# -- with a change, and after it -----------------------------------------------------------------------------


def test_words_are_found_at_once_and_their_forms_after_a_job(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, settle: Any
) -> None:
    make_content(make_space(), "castles")
    assert found(client, "castles x") == []
    assert found(client, '"castles"') == ["castles"]
    assert found(client, "castle | x") == []
    assert pending(kernel) == ["search.learn", "search.learn"]  # of the space, and of the content
    settle()
    assert found(client, "castle | x") == ["castles"]
    assert pending(kernel) == []


def test_a_save_costs_no_statement_more(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, statements: Any, settle: Any
) -> None:
    space = make_space()
    note = make_content(space, "first")["content_id"]
    path = f"/api/workspaces/{space}/html-documents/{note}"
    settle()
    seen_in: list[list[str]] = []
    for languages in ((), ("english", "french")):
        kernel.config.replace(SearchConfig, languages=languages)
        with statements() as seen:
            assert client.put(path, {"raw_content": f"<p>castles and rivers {len(languages)}</p>"}).status == 200
        seen_in.append(of_the_request(seen))
    without, with_languages = seen_in
    assert len(with_languages) - len(without) <= 1  # the row of the job, where the save leaves no other
    assert len([t for t in with_languages if "search_" in t]) == len([t for t in without if "search_" in t]) <= 2
    assert not [t for t in with_languages if "search_stem" in t]
    assert pending(kernel) == ["search.learn"]


def test_known_words_leave_no_job(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, settle: Any, clock: Any
) -> None:
    space = make_space()
    note = make_content(space, "castles")["content_id"]
    settle()
    path = f"/api/workspaces/{space}/html-documents/{note}"
    for n in range(3):
        assert client.put(path, {"raw_content": f"<p>{'castles ' * (n + 1)}</p>"}).status == 200
    assert pending(kernel) == []
    assert client.put(path, {"raw_content": "<p>rivers</p>"}).status == 200
    assert pending(kernel) == ["search.learn"]
    settle()
    clock.move(60 * stems.MINUTES + 1)  # somebody may have deleted words meanwhile
    assert client.put(path, {"raw_content": "<p>rivers castles</p>"}).status == 200
    assert pending(kernel) == ["search.learn"]


def test_one_unit_leaves_one_job(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, settle: Any
) -> None:
    space = make_space()
    ids = [make_content(space, f"castles{'abc'[n]}")["content_id"] for n in range(3)]
    settle()
    rows(kernel, "DELETE FROM search_stem")
    stems.known_in(kernel).forget()
    kernel.run(lambda ctx: [services.project(ctx, [i]) for i in ids])
    payload = rows(kernel, "SELECT payload FROM kernel_outbox WHERE state = 'pending' AND job = 'search.learn'")
    assert len(payload) == 1
    assert f'"ids":{ids}'.replace(" ", "") in payload[0][0]


def test_a_crash_between_save_and_job_loses_nothing(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, monkeypatch: Any, settle: Any
) -> None:
    make_content(make_space(), "castles")

    class Crash(Exception):
        """The process ends here."""

    def crash(*_: Any) -> Any:
        raise Crash

    with monkeypatch.context() as broken:
        broken.setattr(stemmer.Stemmers, "stems", crash)
        assert {kernel.jobs.run(job_id) for job_id in waiting(kernel)} == {"again"}
    assert rows(kernel, "SELECT word FROM search_stem") == []
    assert found(client, "castle | x") == []
    settle()
    assert found(client, "castle | x") == ["castles"]


def test_a_unit_that_fails_learns_nothing_and_keeps_nothing_in_mind(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any
) -> None:
    note = make_content(make_space(), "castles")["content_id"]
    with pytest.raises(RuntimeError), kernel.unit() as ctx:
        stems.learn(ctx, "content", [note])
        raise RuntimeError
    assert stems.known_in(kernel).words == set()
    assert rows(kernel, "SELECT word FROM search_stem") == []


def test_long_work_is_parted(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, monkeypatch: Any, settle: Any
) -> None:
    monkeypatch.setattr(stems, "PAIRS", 10)
    monkeypatch.setattr(stems, "AT_ONCE", 2)
    monkeypatch.setattr("atrio.plugins.search.stems.queries.AT_ONCE", 7)
    space = make_space()
    letters = "abcdefghijklmnopqrstuvwxyz"
    ids = [make_content(space, f"note {c}")["content_id"] for c in letters[:5]]
    for number, note in enumerate(ids):
        body = " ".join(f"zw{letters[number]}{c}ings" for c in letters)
        client.put(f"/api/workspaces/{space}/html-documents/{note}", {"raw_content": f"<p>{body}</p>"})
    settle()
    assert len(rows(kernel, "SELECT DISTINCT word FROM search_stem WHERE word LIKE 'zw%'")) == 5 * 26
    assert found(client, "zwazing | x") == ["note a"]
    rows(kernel, "DELETE FROM search_stem")
    upkeep.learn_all(kernel, silent)
    assert len(rows(kernel, "SELECT DISTINCT word FROM search_stem WHERE word LIKE 'zw%'")) == 5 * 26


def test_writers_of_the_same_new_words_do_not_hinder_each_other(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any
) -> None:
    space = make_space()
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [f"zw{a}{b}ings" for a in letters[:6] for b in letters]
    ids = []
    for number in range(4):
        ids.append(make_content(space, f"note {letters[number]}")["content_id"])
        body = " ".join(words[number:] + words[:number] if number % 2 else reversed(words))
        client.put(f"/api/workspaces/{space}/html-documents/{ids[-1]}", {"raw_content": body})
    faults: list[BaseException] = []

    def work(note: int) -> None:
        try:
            for _ in range(3):
                stems.known_in(kernel).forget()
                kernel.run(lambda ctx: stems.learn(ctx, "content", [note]))
        except BaseException as error:
            faults.append(error)
        finally:
            kernel.db.close_thread()

    threads = [threading.Thread(target=work, args=(note,)) for note in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    known = rows(kernel, "SELECT DISTINCT word FROM search_stem WHERE word LIKE 'zw%' AND language = 'english'")
    assert len(known) == len(words)


def test_texts_of_files_are_learned(
    kernel: Kernel, client: Client, make_space: Any, send_file: Any, settle: Any
) -> None:
    made = send_file(client, f"/api/workspaces/{make_space()}/files", "x.txt", b"Drawbridges of iron")
    assert made.status == 200, made.body
    settle()
    assert found(client, "drawbridge iron") == ["x"]


# -- other languages -----------------------------------------------------------------------------------------


def test_a_change_of_languages_is_followed_at_the_next_start(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, settle: Any
) -> None:
    space = make_space("Chevaux")
    for label in ("castles", "chevaux", "casas"):
        make_content(space, label)
    kernel.run(stems.prepare)
    settle()
    assert kernel.run(stems.prepare) is False
    assert (found(client, "castle | x"), found(client, "cheval | x"), found(client, "casa | x")) == (
        ["castles"], ["chevaux"], ["casas"],
    )  # fmt: skip
    kernel.config.replace(SearchConfig, languages=("english", "portuguese"))
    assert kernel.run(stems.prepare) is True
    settle()
    assert (found(client, "castle | x"), found(client, "cheval | x"), found(client, "casa | x")) == (
        ["castles"], [], ["casas"],
    )  # fmt: skip
    languages = {r[0] for r in rows(kernel, "SELECT DISTINCT language FROM search_stem")}
    assert languages == {"english", "portuguese"}
    kernel.config.replace(SearchConfig, languages=())
    assert kernel.run(stems.prepare) is True
    settle()
    assert rows(kernel, "SELECT word FROM search_stem") == []
    assert found(client, "castle | x") == []
    assert kernel.run(stems.prepare) is False


def test_other_rules_make_all_stems_anew(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, settle: Any, monkeypatch: Any
) -> None:
    make_content(make_space(), "castles")
    kernel.run(stems.prepare)
    settle()
    rows(kernel, "INSERT INTO search_stem (stem, language, word) VALUES ('old', 'english', 'older')")
    monkeypatch.setattr(stemmer, "VERSION", 0)
    assert kernel.run(stems.prepare) is True
    settle()
    assert rows(kernel, "SELECT word FROM search_stem WHERE stem = 'old'") == []
    assert found(client, "castle | x") == ["castles"]


@pytest.mark.atrio_config(search__languages=[])
def test_without_languages_nothing_is_learned_asked_or_loaded(
    kernel: Kernel,
    client: Client,
    make_space: Any,
    make_content: Any,
    statements: Any,
    settle: Any,
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr(stemmer, "Stemmers", None)
    with statements() as seen:
        make_content(make_space(), "castles")
        settle()
        assert found(client, "castle ") == ["castles"]
        assert found(client, "castle x") == []
    assert not [t for t in seen if "search_stem" in t]
    assert kernel.run(stems.prepare) is False
    assert stems.known_in(kernel).words == set()


# -- looking after it ----------------------------------------------------------------------------------------


def test_the_check_finds_words_that_are_missing(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, settle: Any
) -> None:
    space = make_space("Places")
    ids = [make_content(space, label)["content_id"] for label in ("castles", "rivers")]
    settle()
    nothing: dict[str, list[int]] = {"content": [], "user": [], "space": []}
    assert upkeep.check(kernel, silent, repair=False) == nothing
    rows(kernel, "DELETE FROM search_stem WHERE word = 'castles' OR word = 'places'")
    differing = {"content": ids[:1], "user": [], "space": [space]}
    assert upkeep.check(kernel, silent, repair=False) == differing
    stems.known_in(kernel).forget()  # as in the process of the command line
    assert upkeep.check(kernel, silent, repair=True) == differing
    assert upkeep.check(kernel, silent, repair=False) == nothing
    assert found(client, "castle | x") == ["castles"]


def test_missing_words_are_looked_for_by_a_job(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, settle: Any
) -> None:
    make_content(make_space("Places"), "castles")
    settle()
    rows(kernel, "DELETE FROM search_stem")
    kernel.run(lambda ctx: ctx.defer("search.learn_missing"))
    settle()
    assert found(client, "castle | x") == ["castles"]
    assert client.get("/api/advanced_search/workspace", query={"search_string": "place x"}).json["total_hits"] == 0
    assert (
        client.get("/api/advanced_search/workspace", query={"search_string": "place | x"}).json["total_hits"] == 1
    )


def test_dropped_and_populated_again(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, settle: Any
) -> None:
    make_content(make_space(), "castles")
    settle()
    kernel.run(services.forget_texts)
    assert rows(kernel, "SELECT word FROM search_stem") == []
    upkeep.populate(kernel, silent)
    assert found(client, "castle | x") == ["castles"]
    settle()
    assert found(client, "castle | x") == ["castles"]
    assert kernel.run(stems.facts, writes=False)["words known in english"] >= 1


def test_a_search_costs_one_statement_more(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, statements: Any, settle: Any
) -> None:
    space = make_space("Castles")
    for number in range(12):
        make_content(space, f"castles {'abcdefghijkl'[number] * 3}")
    settle()
    for path in (PATH, "/api/advanced_search/workspace"):
        costs = []
        for languages in ((), ("english", "french", "german", "russian")):
            kernel.config.replace(SearchConfig, languages=languages)
            for words in ("castles", "castles | rivers -walks " * 5):
                tries = []
                for _ in range(3):  # something of the background may come in between
                    with statements() as seen:
                        assert client.get(path, query={"search_string": words}).json["total_hits"]
                    tries.append(len(seen))
                costs.append(min(tries))
        assert costs == [costs[0], costs[0], costs[0] + 1, costs[0] + 1]


# -- rules ---------------------------------------------------------------------------------------------------


def terms(query: str, forms: dict[str, list[str]]) -> list[list[str]]:
    found = expansion.expanded(parse(query), forms)
    return [
        [("-" if t.negated else "") + t.text + ("*" if t.kind == "prefix" else "") for t in g]
        for g in found.groups
    ]


def test_what_a_query_becomes() -> None:
    forms = {"castle": ["castles", "castling"], "castles": ["castle", "castling"], "rock": ["rocks"]}
    assert terms("castle rock ", forms) == [["castle", "castles", "castling"], ["rock*"]]
    assert terms("rock castles", forms) == [["rock", "rocks"], ["castles*", "castle", "castling"]]
    assert terms("castle | rock x", forms) == [["castle", "rock", "castles", "castling", "rocks"], ["x"]]
    assert terms("castle | castles x", forms) == [["castle", "castles", "castling"], ["x"]]
    assert terms("x -castle", forms) == [["x"], ["-castle"], ["-castles"], ["-castling"]]
    assert terms('"castle" "castle rock" castle* x-castle x', forms) == [
        ["castle"], ["castle rock"], ["castle*"], ["x castle"], ["x"],
    ]  # fmt: skip
    assert parse('"castle"').groups == ((Term("phrase", ("castle",)),),)


def test_forms_are_bounded_and_the_most_similar_come_first(kernel: Kernel) -> None:
    many = [f"zwing{'abcdefghijklmnopqrst'[n]}" for n in range(20)]
    with kernel.unit() as ctx:
        for word in (*many, "zwi", "zwingling"):
            ctx.execute(
                text("INSERT INTO search_stem (stem, language, word) VALUES ('zwing', 'english', :w)"), {"w": word}
            )
    with kernel.unit(writes=False) as ctx:
        found = expansion.forms_of(ctx, ["zwing"], ("english",))["zwing"]
        assert found == many[: expansion.FORMS]
        few = expansion.forms_of(
            ctx, ["zwing", *(f"w{c}x" for c in "abcdefghijklmnopqrstuvwxyzäöüß")], ("english",)
        )["zwing"]
        assert len(few) == expansion.ALL_FORMS // 31
        most = expansion.forms_of(
            ctx,
            [f"qq{a}{b}s" for a in "abcdefghijklmnop" for b in "abcdefghijklmnopqrstuvwxyz"],
            stemmer.LANGUAGES,
        )
        assert most == {}


FAMILIES = {
    "french": ["manger mangé mangée mangés mangées mange mangèrent", "premier première premières", "idée idées"],
    "spanish": ["comer comía comían comió comido", "hablar habló hablaré", "canción canciones", "cantábamos cantar"],
    "portuguese": ["informação informações", "falar falou falávamos", "trabalharão trabalhar", "mão mãos"],
    "italian": ["parlerò parlare parlerà parlava", "qualità"],
    "german": ["haus häuser hauses", "straße straßen", "lösung lösungen", "bücher buch"],
    "russian": ["русский русская русского", "новый новая новой", "книга книги книгой", "большой большая"],
    "hungarian": ["könyv könyvek könyvet könyvből"],
    "romanian": ["oraș orașe orașul", "informație informații"],
    "finnish": ["talo talon talossa"],
    "greek": ["δρόμος δρόμοι δρόμου"],
    "swedish": ["möjlighet möjligheter"],
    "turkish": ["şehir şehirler"],
}  # fmt: skip
APART = [
    ("english", "castle", "cast"),
    ("english", "rock", "river"),
    ("french", "idée", "identité"),
    ("german", "haus", "hase"),
    ("russian", "книга", "книжный"),
]


def test_forms_have_a_stem_in_common_without_accents() -> None:
    for language, families in FAMILIES.items():
        stemmers = stemmer.Stemmers([language])
        for family in families:
            first, *others = (stemmers.stems(fold(word), language) for word in family.split())
            for other in others:
                assert first & other, (language, family)
    for language, one, other in APART:
        stemmers = stemmer.Stemmers([language])
        assert not stemmers.stems(fold(one), language) & stemmers.stems(fold(other), language), (language, one)


def test_words_in_letters_of_another_language_have_no_stem() -> None:
    stemmers = stemmer.Stemmers(["english", "russian", "serbian"])
    assert stemmers.stems("книга", "english") == stemmers.stems("castle", "russian") == set()
    assert stemmers.stems("castles", "english") == {"castl"}
    assert stemmers.stems("knjiga", "serbian")
    assert [w for w in ("ab", "a" * 61, "x2", "日本語", "castle") if stemmer.usable(w)] == ["日本語", "castle"]


def test_every_language_can_be_had() -> None:
    import Stemmer

    left_out = set(Stemmer.algorithms()) - set(stemmer.LANGUAGES)
    assert {"hindi", "nepali", "tamil", "porter", "dutch_porter"} == left_out
    stemmer.Stemmers(stemmer.LANGUAGES)


def test_an_unknown_language_is_told_with_those_that_there_are() -> None:
    config = Config(Sources(file={"search": {"languages": ["english", "klingon"]}}))
    with pytest.raises(ConfigError, match=r"search\.languages: expected one of arabic.*french.*, got 'klingon'"):
        config.add(search_config.SECTION)


def test_jobs_can_be_run_twice(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, settle: Any
) -> None:
    note = make_content(make_space(), "castles")["content_id"]
    for _ in range(2):
        stems.known_in(kernel).forget()
        kernel.run(lambda ctx: stem_tasks.learn(ctx, "content", [note, 999_999]))
    assert len(rows(kernel, "SELECT stem FROM search_stem WHERE word = 'castles' AND language = 'english'")) == 1
    assert kernel.run(lambda ctx: stems.learn(ctx, "user", [1])) == []
