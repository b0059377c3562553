"""Files are found by what is in them: read by a job, once for equal bytes, and never twice for bad ones."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from atrio import hookimpl
from atrio.plugins.core_content.api import copy_content, get_content
from atrio.plugins.search import services as search_services
from atrio.plugins.search.files import queries, services, tasks
from atrio.plugins.spaces.api import find_space
from tests.plugins.search import corpus

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture
def found(client):
    """`found("words")` gives the labels of what the advanced search finds."""

    def search(words):
        answer = client.get(f"/api/advanced_search/content?search_string={words}")
        assert answer.status == 200, answer.body
        return sorted(item["label"] for item in answer.json["contents"])

    return search


@pytest.fixture
def put(client, make_space, send_file):
    """`put("a.docx", data)` uploads into one space and returns the id."""
    space = make_space()

    def send(name, data, media="application/octet-stream", **more):
        answer = send_file(
            client, more.pop("path", f"/api/workspaces/{space}/files"), name, data, media=media, **more
        )
        assert answer.status in (200, 204), answer.body
        return answer.json["content_id"] if answer.status == 200 else None

    send.space = space
    return send


def known(kernel):
    """Return what is known of bytes: outcome and detail."""
    with kernel.unit(writes=False) as ctx:
        return [
            tuple(row) for row in ctx.execute(text("SELECT outcome, detail FROM search_extract ORDER BY made"))
        ]


@pytest.fixture
def readings(monkeypatch):
    """What was given to a child, by name."""
    real, seen = services.text_of, []

    def counted(path, mimetype, filename, limits, offered):
        seen.append(filename)
        return real(path, mimetype, filename, limits, offered)

    monkeypatch.setattr(services, "text_of", counted)
    return seen


def test_a_file_is_found_by_its_text(put, found):
    put("report.docx", corpus.docx(), WORD)
    put("paper.pdf", corpus.pdf(("Kryptonit lies here",)), "application/pdf")
    assert found("grossen") == ["report"]
    assert found("kryptonit") == ["paper"]
    assert found("%22kryptonit lies%22") == ["paper"]


def test_bytes_that_are_known_are_not_read_again(kernel, put, found, readings):
    put("one.docx", corpus.docx(), WORD)
    put("two.docx", corpus.docx(), WORD)
    assert readings == ["one.docx"]
    assert found("quarterly") == ["one", "two"]
    assert [outcome for outcome, _ in known(kernel)] == ["read"]


def test_new_bytes_replace_the_text(put, client, found, readings):
    number = put("note.txt", b"the old words")
    put(
        "note.txt",
        b"quite different",
        method="PUT",
        path=f"/api/workspaces/{put.space}/files/{number}/raw/note.txt",
    )
    assert found("old") == []
    assert found("different") == ["note"]
    client.put(f"/api/workspaces/{put.space}/files/{number}", {"label": "renamed"})
    assert found("different") == ["renamed"]
    assert readings == ["note.txt", "note.txt"]


def test_failures_are_remembered(kernel, put, readings):
    number = put("cut.docx", corpus.docx()[:300], WORD)
    put("again.docx", corpus.docx()[:300], WORD)
    assert readings == ["cut.docx"]
    assert [outcome for outcome, _ in known(kernel)] == ["failed"]
    assert kernel.run(lambda ctx: services.read_file(ctx, number)) == "known"
    kernel.run(tasks.read_missing)
    assert readings == ["cut.docx"]
    with kernel.unit(writes=False) as ctx:
        assert [row.filename for row in queries.failures(ctx, 10)] == ["again.docx", "cut.docx"]


def test_the_server_stays_up(put, found):
    bad = {name: given for name, given in corpus.HOSTILE.items() if not name.startswith("bomb")}
    for name, (mimetype, make) in bad.items():
        put(name, make(), mimetype)
    put("good.txt", b"kryptonit after all")
    assert found("kryptonit") == ["good"]
    assert found("hostile") == []


@pytest.mark.atrio_config(search__file_size=1000)
def test_too_large_a_file_is_remembered(kernel, put, found):
    put("large.txt", b"word " * 400)
    assert [outcome for outcome, _ in known(kernel)] == ["too_large"]
    assert found("large") == ["large"]


@pytest.mark.atrio_config(search__file_types_excluded=["application/pdf"])
def test_types_that_are_left_out(kernel, put, found):
    put("paper.pdf", corpus.pdf(("Kryptonit",)), "application/pdf")
    put("note.txt", b"Kryptonit")
    assert found("kryptonit") == ["note"]


@pytest.mark.atrio_config(search__read_files=False)
def test_reading_switched_off(kernel, put, found):
    put("note.txt", b"Kryptonit")
    assert found("kryptonit") == []
    assert known(kernel) == []


def test_what_was_left_out_is_read_later(kernel, put, found, readings):
    put("note.txt", b"Kryptonit")
    put("cut.docx", corpus.docx()[:300], WORD)
    with kernel.unit() as ctx:
        ctx.execute(text("DELETE FROM search_file"))
        ctx.execute(text("UPDATE search_text SET file = ''"))
    assert found("kryptonit") == []
    kernel.run(tasks.read_missing)
    assert found("kryptonit") == ["note"]
    with kernel.unit() as ctx:
        ctx.execute(text("UPDATE search_extract SET version = 'of other limits'"))
    readings.clear()
    kernel.run(tasks.read_missing)
    assert readings == ["cut.docx"]  # what was read to its end is not read again


def test_copies_are_found_too(kernel, put, client, found, readings, make_content):
    number = put("note.txt", b"Kryptonit")
    with kernel.unit() as ctx:
        row = get_content(ctx, put.space, number)
        copy_content(ctx, row, find_space(ctx, put.space), None, "copy", ".txt")
    while kernel.run(search_services.catch_up):
        pass
    assert found("kryptonit") == ["copy", "note"]
    assert readings == ["note.txt"]


def test_bytes_that_are_gone_do_not_stop_the_others(kernel, put, found):
    first, _ = put("first.txt", b"Kryptonit one"), put("second.txt", b"Kryptonit two")
    with kernel.unit() as ctx:
        digest = queries.CURRENT.first(ctx, content_id=first).digest
        for statement in (
            "DELETE FROM search_file",
            "DELETE FROM search_extract",
            "UPDATE search_text SET file = ''",
        ):
            ctx.execute(text(statement))
    kernel.blobs.path(digest).unlink()
    kernel.run(tasks.read_missing)
    assert found("kryptonit") == ["second"]


def test_what_nobody_has_is_forgotten(kernel, put, client):
    number = put("note.txt", b"Kryptonit")
    assert kernel.run(services.forget_unused) == 0
    with kernel.unit() as ctx:
        ctx.execute(text("DELETE FROM search_file WHERE content_id = :id"), {"id": number})
    assert kernel.run(services.forget_unused) == 1


def test_the_same_statements_for_many_as_for_few(kernel, put, statements):
    number = put("note.txt", b"Kryptonit")
    with statements() as few:
        kernel.run(lambda ctx: queries.lacks_text(ctx, [number] * 3))
    with statements() as many:
        kernel.run(lambda ctx: queries.lacks_text(ctx, list(range(number, number + 1000))))
    assert len(few) == len(many) == 1


def test_other_plugins_read_their_own_kinds(kernel, put, found, monkeypatch, tmp_path):
    (tmp_path / "own_kind.py").write_text("def pieces(path, limit):\n    yield open(path).read()[::-1]\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    class Other:
        @hookimpl
        def register_extractors(self):
            return {"Application/X-Own": "own_kind:pieces"}

    kernel.hooks.register(Other())
    put("mirror.own", b"tinotpyrk", media="application/x-own")
    assert found("kryptonit") == ["mirror"]


def test_the_command_says_what_came_of_it(kernel, put, monkeypatch):
    from atrio.plugins.search.cli import search

    put("note.txt", b"Kryptonit")
    put("cut.docx", corpus.docx()[:300], WORD)
    monkeypatch.setattr(kernel.db, "close", lambda: None)

    def run(*words):
        given = SimpleNamespace(boot=lambda: kernel)
        return json.loads(CliRunner().invoke(search, ["files", "--json", *words], obj=given).stdout)

    assert {row["outcome"]: row["number"] for row in run()} == {"read": 1, "failed": 1}
    (row,) = run("--failed")
    assert row["filename"] == "cut.docx"
    assert "zip archive" in row["detail"]
