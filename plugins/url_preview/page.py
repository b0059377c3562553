"""What a page says of itself: title, description and picture.

The page is foreign and may be made to hurt: it is read in one pass whose cost grows with its length only.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .addressing import joined

TITLE_LENGTH, DESCRIPTION_LENGTH, LONGEST_LINK = 300, 1000, 4096
TITLES = ("og:title", "twitter:title")
DESCRIPTIONS = ("og:description", "twitter:description", "description")
PICTURES = ("og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src")
RAW = frozenset(["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"])
"""Elements whose content is text up to their end tag."""
_NAME = re.compile(r"[a-zA-Z][^\s/>]*")
_SPACE = re.compile(r"[\s/]*")
_KEY = re.compile(r"=?[^\s/>=]+")
_EQUALS = re.compile(r"\s*=\s*")
_BARE = re.compile(r"[^\s>]*")
_DECLARED = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([a-zA-Z0-9_:.-]{1,40})""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([a-zA-Z0-9_:.-]{1,40})""")
_LOWER = {ord(c): ord(c) + 32 for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
ENCODINGS = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "latin-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030",
    "iso8859-9": "cp1254", "tis-620": "cp874", "shift_jis": "cp932", "euc_kr": "cp949",
}  # fmt: skip
"""What browsers read instead of what is declared."""
KNOWN = frozenset((
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp866", "cp874", "cp932", "cp949", "cp1250", "cp1251", "cp1252",
    "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "koi8-r", "koi8-u", "mac-roman", "gb18030", "big5",
    "euc_jp", "iso2022_jp", "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7",
    "iso8859-8", "iso8859-10", "iso8859-13", "iso8859-14", "iso8859-15", "iso8859-16",
))  # fmt: skip


class Preview(NamedTuple):
    """What is shown of a page; None where it says nothing."""

    title: str | None = None
    description: str | None = None
    image: str | None = None


def decode(body: bytes, declared: str | None) -> str:
    """Return the text of a page: by its mark, its header, its own words, else UTF-8, else Windows-1252."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if body.startswith(mark):
            return body.decode(name, "replace").lstrip("\ufeff")
    named = _encoding(declared)
    if named is None:
        found = _DECLARED.search(body[:4096]) or _XML.search(body[:256])
        named = _encoding(found[1].decode("ascii")) if found else None
        if named is not None and named.startswith("utf-16"):
            named = "utf-8"  # it was read as ASCII just now
    if named is not None:
        return body.decode(named, "replace")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        cut = error.start > 0 and error.reason == "unexpected end of data"  # in the middle of a character
        return body[: error.start].decode() if cut else body.decode("cp1252", "replace")


def _encoding(name: str | None) -> str | None:
    """Return the codec of a declared encoding, of those that browsers know; the others decode more than text."""
    if not name:
        return None
    try:
        codec = codecs.lookup(name.strip().strip("\"'")).name
    except (LookupError, ValueError):
        return None
    codec = ENCODINGS.get(codec, codec)
    return codec if codec in KNOWN else None


def preview_of(text: str, url: str) -> Preview:
    """Return the preview of a page that was read from an address."""
    said: dict[str, str] = {}
    base = url
    for tag, attributes, content in _elements(text):
        if tag == "title":
            said.setdefault("title", content)
        elif tag == "base":
            base = joined(url, attributes.get("href", "")) or base
        elif "content" in attributes:
            for key in ("property", "name", "itemprop"):
                if attributes.get(key):
                    said.setdefault(attributes[key].strip().lower(), attributes["content"])
    picture = _first(said, PICTURES, LONGEST_LINK)
    return Preview(
        _first(said, (*TITLES, "title"), TITLE_LENGTH),
        _first(said, DESCRIPTIONS, DESCRIPTION_LENGTH),
        joined(base, picture) if picture else None,
    )


def _first(said: Mapping[str, str], names: tuple[str, ...], length: int) -> str | None:
    for name in names:
        words = " ".join(said.get(name, "")[: length * 8].split())
        words = "".join(c for c in words if c.isprintable() and not "\ud800" <= c <= "\udfff")
        if words:
            return words if len(words) <= length else words[: length - 1] + "…"
    return None


def _elements(text: str) -> Iterator[tuple[str, Mapping[str, str], str]]:
    """Yield (name, attributes, text) of each title, meta and base of a page."""
    lower = text.translate(_LOWER)
    position = 0
    while (start := text.find("<", position)) >= 0:
        name = _NAME.match(lower, start + 1)
        if name is None:
            position = _behind(text, start)
            if position < 0:
                return
            continue
        tag = name[0]
        attributes: dict[str, str] = {}
        position = _attributes(text, name.end(), attributes if tag in ("meta", "base") else None)
        if position < 0:
            return
        content = ""
        if tag in RAW:
            end = lower.find(f"</{tag}", position)
            if end < 0:
                return
            content = html.unescape(text[position : min(end, position + 8192)]) if tag == "title" else ""
            position = end
        if tag in ("meta", "base", "title"):
            yield tag, attributes, content


def _behind(text: str, start: int) -> int:
    """Return the place behind a comment, an end tag or a stray `<`; -1 at the end of the page."""
    if text.startswith("<!--", start):
        end = text.find("-->", start + 2)
        return end + 3 if end >= 0 else -1
    if text[start + 1 : start + 2] in ("/", "!", "?"):
        end = text.find(">", start)
        return end + 1 if end >= 0 else -1
    return start + 1


def _attributes(text: str, position: int, into: dict[str, str] | None) -> int:
    """Read the attributes of a tag; return the place behind it, -1 when the page ends inside."""
    while True:
        position = _SPACE.match(text, position).end()  # type: ignore[union-attr]
        if position >= len(text):
            return -1
        if text[position] == ">":
            return position + 1
        key = _KEY.match(text, position)
        if key is None:  # a lone `=`
            position += 1
            continue
        position, value = key.end(), ""
        equals = _EQUALS.match(text, position)
        if equals is not None:
            position = equals.end()
            quote = text[position : position + 1]
            if quote in ('"', "'"):
                end = text.find(quote, position + 1)
                if end < 0:
                    return -1
                value, position = text[position + 1 : end], end + 1
            else:
                bare = _BARE.match(text, position)
                value, position = bare[0], bare.end()  # type: ignore[index, union-attr]
        if into is not None:
            into.setdefault(key[0].lower(), html.unescape(value[:16384]))
