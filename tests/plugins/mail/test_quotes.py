"""Replies of many clients in many languages, with the text that was written."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atrio.kernel.errors import ValidationFailed
from atrio.plugins.mail.incoming.html import strip_html_reply
from atrio.plugins.mail.incoming.quotes import strip_reply

pytestmark = pytest.mark.any_engine


def corpus():
    """Return (name, is HTML, body, expected text) of each mail."""
    whole = (Path(__file__).parent / "corpus.txt").read_text("utf-8")
    for block in whole.split("@@@ ")[1:]:
        head, _, rest = block.partition("\n")
        body, _, expected = rest.partition("\n===\n")
        kind, _, name = head.rpartition(" ")
        yield name, kind == "html", body, expected.strip("\n")


CORPUS = list(corpus())


def test_the_corpus_is_large_and_of_many_languages():
    assert len(CORPUS) >= 60
    assert len({name for name, *_ in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize(("name", "is_html", "body", "expected"), CORPUS, ids=[c[0] for c in CORPUS])
def test_what_was_written_stays_and_what_was_quoted_goes(name, is_html, body, expected):
    found = strip_html_reply(body) if is_html else strip_reply(body)
    assert found == expected


@given(st.text(max_size=400))
@settings(max_examples=200, deadline=None)
def test_no_text_breaks_it_and_lines_are_never_invented(text):
    found = strip_reply(text)
    bare = "".join(text.split())
    for line in found.split("\n"):
        words = "".join(line.split())
        assert all(c in bare for c in words)
    assert strip_html_reply(text) is not None


@pytest.mark.parametrize("text", [
    "On " * 50_000, "> " * 100_000, "From:\n" * 50_000, "a@b" * 60_000, "-" * 200_000, "_-" * 100_000,
    "x\n" * 100_000, "Am " + "1:11 " * 40_000, " " * 199_999 + ":", "<" * 100_000 + "@" * 100_000,
])  # fmt: skip
def test_long_hostile_texts_end(text):
    strip_reply(text)


def test_html_that_is_too_deep_is_refused():
    with pytest.raises(ValidationFailed):
        strip_html_reply("<div>" * 100_000)


@pytest.mark.parametrize(
    "piece",
    ["<span>x</span>", "<a href='https://x.example/'>y</a>", "<blockquote>", "<p>", "<br>", "&lt;", "<li>x"],
)
def test_much_html_ends(piece):
    with contextlib.suppress(ValidationFailed):
        strip_html_reply(piece * (8_000_000 // len(piece)))
