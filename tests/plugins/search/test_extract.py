"""Texts in files of every kind; files that are made to do harm do none, and cost a bounded time."""

from __future__ import annotations

import pytest

from atrio.plugins.search.extract import Limits, text_of
from tests.plugins.search import corpus as files

pytestmark = pytest.mark.any_engine

LIMITS = Limits(file_bytes=50 << 20, characters=100_000, seconds=20, memory_mib=512)


@pytest.fixture
def read(tmp_path):
    def reader(data, mimetype="application/octet-stream", filename="x", limits=LIMITS, offered=None):
        path = tmp_path / "blob"
        path.write_bytes(data)
        return text_of(path, mimetype, filename, limits, offered)

    return reader


@pytest.mark.parametrize("name", files.GOOD)
def test_texts_are_read(read, name):
    mimetype, data, wanted, unwanted = files.GOOD[name]
    found = read(data, mimetype, name)
    assert (found.outcome, found.detail, found.truncated) == ("read", "", False)
    for text in wanted:
        assert text in found.text
    for text in unwanted:
        assert text not in found.text


@pytest.mark.parametrize("name", files.HOSTILE)
def test_files_that_do_harm_do_none(read, name):
    mimetype, make = files.HOSTILE[name]
    found = read(make(), mimetype, name)
    assert found.outcome in ("failed", "unsupported", "read")
    assert "root:" not in found.text
    assert "haha" not in found.text
    if name == "bomb.docx":
        assert "unpacks" in found.detail
    if found.outcome == "read":
        assert found.truncated or not found.text.strip("\n"), (found.detail, found.text[:100])
    if found.outcome == "failed":
        assert found.detail


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("laughs.docx", "document type"), ("outside.docx", "document type"), ("cut.docx", "zip archive"),
        ("secret.pdf", "encrypted"), ("cut.tar.gz", "damaged"),
    ],
)  # fmt: skip
def test_failures_say_why(read, name, outcome):
    mimetype, make = files.HOSTILE[name]
    assert outcome in read(make(), mimetype, name).detail


def test_archives_in_archives_stay_shut(read):
    found = read(files.nested(), "application/zip")
    assert found.outcome == "read"
    assert sorted(found.text.split()) == ["again.zip", found.text.split()[0]] or "again.zip" in found.text
    assert "core" not in found.text


def test_xml_as_deep_as_it_likes(read):
    assert "bottom" in read(files.deep_xml()).text


def test_a_long_text_is_cut(read):
    found = read(b"word " * (2 << 20), "text/plain")
    assert (found.outcome, found.truncated, len(found.text)) == ("read", True, LIMITS.characters)


def test_too_large_a_file_is_not_read(read):
    small = Limits(file_bytes=1000, characters=1000, seconds=5, memory_mib=256)
    assert read(b"x" * 1001, "text/plain", limits=small).outcome == "too_large"
    assert read(b"", "text/plain", limits=small).outcome == "unsupported"


def test_what_was_read_before_the_fault_is_kept(read):
    pages = tuple(f"page {n}" for n in range(5))
    whole = files.pdf(pages, compress=False)
    found = read(whole.replace(b"(page 3) Tj ET", b"(page 3 Tj Tx "), "application/pdf")
    assert "page 0" in found.text
    assert "page 4" in found.text


def test_time_that_runs_out_keeps_what_there_is(read, monkeypatch, tmp_path):
    (tmp_path / "slow_extractor.py").write_text(
        "import time\n"
        "def pieces(path, limit):\n"
        "    yield 'early'\n"
        "    while True:\n"
        "        end = time.process_time() + 0.05\n"
        "        while time.process_time() < end: pass\n"
        "        yield ' more'\n"
        "def stuck(path, limit):\n"
        "    yield 'early'\n"
        "    while True: pass\n"
        "def whole(path, limit):\n"
        "    return open(path).read().upper() + '\\ud800\\x00'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    limits = Limits(file_bytes=1000, characters=1000, seconds=3, memory_mib=256)

    def other(function):
        return read(b"abc", "x/own", limits=limits, offered={"x/own": f"slow_extractor:{function}"})

    slow = other("pieces")
    assert (slow.outcome, slow.truncated, slow.detail) == ("read", True, "time")
    assert slow.text.startswith("early more")
    assert other("stuck").outcome == "failed"
    assert other("whole").text == "ABC? "
    assert other("nothing_of_this_name").outcome == "failed"
    assert read(b"abc", "x/own", limits=limits, offered={"x/own": "no_such_module:f"}).outcome == "failed"
