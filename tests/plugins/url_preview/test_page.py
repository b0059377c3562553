"""What is read out of a page."""

from __future__ import annotations

import pytest

from atrio.plugins.url_preview.page import Preview, decode, preview_of

pytestmark = pytest.mark.any_engine

URL = "https://x.example/dir/page"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<title> A &amp; <b> \n B </title>", Preview("A & <b> B")),
        ("<TITLE>a</TITLE><title>b</title>", Preview("a")),
        ('<meta property="og:title" content="O"><title>T</title>', Preview("O")),
        ("<title>T</title><meta name=twitter:title content=W>", Preview("W")),
        ("<meta name='description' content='it&#39;s'>", Preview(None, "it's")),
        ('<meta content="D" property="OG:Description"><meta name=description content=x>', Preview(None, "D")),
        ('<meta property="og:image" content="../a.png">', Preview(None, None, "https://x.example/a.png")),
        ('<base href="/b/"><meta property="og:image" content="a.png">', Preview(None, None, "https://x.example/b/a.png")),
        ('<base href="javascript:x"><meta name="twitter:image" content="a.png">', Preview(None, None, "https://x.example/dir/a.png")),
        ('<meta property="og:image" content="javascript:alert(1)">', Preview()),
        ('<meta property="og:title" content=" "><title>T</title>', Preview("T")),
        ('<!-- <title>no</title> --><script>"<title>no</title>"</script><title>yes</title>', Preview("yes")),
        ('<a title="<title>no</title>"><title>yes</title>', Preview("yes")),
        ("<title>never closed", Preview()),
        ("< title>x</title>", Preview()),
        ("", Preview()),
        ("<title>a\x00b\u202ec</title>", Preview("abc")),
        ("<title>" + "x" * 5000 + "</title>", Preview("x" * 299 + "…")),
    ],
)  # fmt: skip
def test_what_a_page_says(html: str, expected: Preview) -> None:
    assert preview_of(html, URL) == expected


@pytest.mark.parametrize(
    ("body", "declared", "text"),
    [
        ("é".encode(), None, "é"),
        ("é".encode(), "utf-8", "é"),
        ("é".encode("latin-1"), None, "é"),
        ("é".encode("latin-1"), "ISO-8859-1", "é"),
        (b"\x93x\x94", "latin1", "“x”"),
        ("é".encode("utf-8-sig"), "latin-1", "é"),
        ("é".encode("utf-16"), None, "é"),
        (
            b'<meta charset="windows-1251">' + "Привет".encode("cp1251"),
            None,
            '<meta charset="windows-1251">Привет',
        ),
        ("日本".encode("shift_jis"), "Shift_JIS", "日本"),
        ("中文".encode("gbk"), '"gb2312"', "中文"),
        ("é".encode(), "rot13", "é"),
        ("é".encode(), "unicode_escape", "é"),
        ("é".encode(), "no-such", "é"),
        ("xé".encode()[:2], None, "x"),
    ],
)
def test_the_encoding_is_found(body: bytes, declared: str | None, text: str) -> None:
    assert decode(body, declared) == text


@pytest.mark.parametrize(
    "piece",
    [
        "<!--",
        "<title>",
        "<meta ",
        "<meta a=",
        '<a b="',
        "<div>",
        "<",
        "</",
        "<!",
        "<meta a" + " " * 50,
        "<a b='c\"",
        "<script>",
    ],
)
def test_a_page_made_to_hurt_is_read_all_the_same(piece: str) -> None:
    """A reader whose cost grew with the square of the length would run into the time limit of the test."""
    assert preview_of("<title>T</title>" + piece * (1_000_000 // len(piece)), URL).title == "T"
