"""Texts, tables and pages of HTML to PDF."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator

from . import setting
from .markup import Block, blocks

READ = 2 * 1024 * 1024
"""Bytes of a text that are shown at most; the number of pages bounds it too."""
SIZE = 8.5
COLUMN = 40
ROWS = 20_000
HEADINGS = {1: 20.0, 2: 16.0, 3: 13.5, 4: 12.0, 5: 11.0, 6: 11.0}
BODY = 10.5


def text(path: str, out: str, fonts: dict[str, list[str]], max_pages: int) -> dict[str, int]:
    """Write a text or a program as it is, its long lines broken."""
    return _lines(_read(path).splitlines(), out, fonts, max_pages)


def table(path: str, out: str, fonts: dict[str, list[str]], max_pages: int) -> dict[str, int]:
    """Write the rows of a CSV file under each other, columns aligned."""
    whole = _read(path)
    csv.field_size_limit(READ)
    first = whole.split("\n", 1)[0]
    delimiter = max((",", ";", "\t", "|"), key=first.count)
    try:
        rows = list(itertools.islice(csv.reader(whole.splitlines(), delimiter=delimiter), ROWS))
    except csv.Error:
        return _lines(whole.splitlines(), out, fonts, max_pages)
    return _lines(_aligned(rows), out, fonts, max_pages)


def _aligned(rows: list[list[str]]) -> Iterator[str]:
    widths: dict[int, int] = {}
    for row in rows:
        for place, value in enumerate(row):
            widths[place] = max(widths.get(place, 0), min(_cells(value), COLUMN))
    for row in rows:
        yield " │ ".join(
            " ".join(value.split()) + " " * (widths[place] - _cells(value)) for place, value in enumerate(row)
        ).rstrip()


def _cells(value: str) -> int:
    return sum(map(setting.cells_of, value))


def _lines(lines: Iterable[str], out: str, fonts: dict[str, list[str]], max_pages: int) -> dict[str, int]:
    known = setting.Fonts(fonts)
    sheets = setting.Sheets(out, known, "", max_pages)
    cell = known.width("mono", SIZE, "m")
    most = int(setting.WIDTH / cell)
    try:
        for line in lines:
            for part in _broken(line, most):
                sheets.cells(part, SIZE, cell)
    except setting.Full:
        pass
    return sheets.finish()


def _broken(line: str, most: int) -> Iterator[str]:
    """Yield a line in parts that are not too wide; tabs become blanks, what controls terminals vanishes."""
    part: list[str] = []
    used = 0
    for character in line:
        if character == "\t":
            shown = " " * (8 - used % 8)
        elif character.isprintable() or character in "\u200d\u00ad":
            shown = character
        else:
            shown = "" if character < " " else "\ufffd"
        for one in shown:
            wide = setting.cells_of(one)
            if used + wide > most:
                yield "".join(part)
                part, used = [], 0
            part.append(one)
            used += wide
    yield "".join(part)


def page(path: str, out: str, fonts: dict[str, list[str]], max_pages: int) -> dict[str, int]:
    """Write the text of a page of HTML: headings, paragraphs, lists, tables, code. It loads nothing."""
    known = setting.Fonts(fonts)
    sheets = setting.Sheets(out, known, "", max_pages)
    try:
        for block in blocks(_read(path)):
            _write(sheets, block)
    except setting.Full:
        pass
    return sheets.finish()


def _write(sheets: setting.Sheets, block: Block) -> None:
    if block.kind == "rule":
        sheets.rule()
        return
    size = HEADINGS.get(block.level, BODY)
    if block.kind == "code":
        size = 9.0
    indent = min(block.indent, 12) * 16.0
    sheets.skip(size * (0.8 if block.level else 0.4))
    for number, line in enumerate(_wrapped(sheets.fonts, block.words, setting.WIDTH - indent, size)):
        if number == 0 and block.mark:
            mark = setting.Word(block.mark)
            x = setting.MARGIN + indent - 5 - sheets.fonts.width("sans", size, block.mark)
            sheets.room(size * 1.4)
            before = sheets.y
            sheets.words([mark], x, size)
            sheets.y = before
        sheets.words(line, setting.MARGIN + indent, size)


def _wrapped(
    fonts: setting.Fonts, words: list[setting.Word], width: float, size: float
) -> Iterator[list[setting.Word]]:  # fmt: skip
    """Yield lines of words that fit; a word that does not fit alone is cut."""
    line: list[setting.Word] = []
    used = 0.0
    for word in words:
        if word.text == "\n":
            yield line
            line, used = [], 0.0
            continue
        wide = fonts.width(word.style, size, word.text)
        if used + wide > width and line:
            yield line
            line, used = [], 0.0
            if word.text.isspace():
                continue
        if wide > width:
            for piece in _cut(fonts, word, width, size):
                if line:
                    yield line
                line = [piece]
            used = fonts.width(word.style, size, line[0].text)
            continue
        line.append(word)
        used += wide
    if line:
        yield line


def _cut(fonts: setting.Fonts, word: setting.Word, width: float, size: float) -> Iterator[setting.Word]:
    start, used = 0, 0.0
    for place, character in enumerate(word.text):
        wide = fonts.width(word.style, size, character)
        if used + wide > width and place > start:
            yield setting.Word(word.text[start:place], word.style, word.color, word.line)
            start, used = place, 0.0
        used += wide
    yield setting.Word(word.text[start:], word.style, word.color, word.line)


def _read(path: str) -> str:
    """Return the beginning of a text, in the encoding that it seems to have."""
    with open(path, "rb") as file:
        data = file.read(READ)
    for mark, name in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    if data.count(0) > len(data) // 100:
        raise ValueError("no text")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 4:  # cut in the middle of a character
            return data[: error.start].decode("utf-8")
    return data.decode("cp1252", "replace")
