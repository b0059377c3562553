"""Cutting a reply out of a mail: what the client quoted, and the signature, go; what was written stays.

A line that tells who wrote when is known by its shape (a date or time, an address or a verb, a colon at the end),
not by whole phrases, so it works in languages that nobody listed. In doubt text stays: a quote too many is a
nuisance, a sentence too few is a loss.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .words import FROM_RE, ORIGINAL_RE, OTHER_RE, SENT_FROM_RE, WROTE_RE

LONGEST = 200_000
"""Characters of a text that are looked at: what was written stands at the beginning."""
_INVISIBLE = dict.fromkeys(
    map(ord, "\u200b\u200c\u200d\u2060\ufeff\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2069")
)
_ADDRESS = re.compile(r"[<(\[]?(?:mailto:)?[^\s<>()\[\],;:@]{1,64}@[^\s<>()\[\],;:@]{1,255}[>)\]]?")
_WHEN = re.compile(r"\b(?:19|20)\d\d|\d{1,2}[:.h]\d{2}\b|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|[12]\d{3}[年년]|25\d\d")
_RULE = re.compile(r"[_\-=*]{8,}|_{5,}")
_ENDS = (":", "：", ":\u200f")


@dataclass(frozen=True)
class _Cut:
    """Where a quote begins: the first line of its head, the first after it; `total` takes all that follows."""

    start: int
    end: int
    total: bool


def strip_reply(text: str) -> str:
    """Return what was written in a mail, without what it quotes and without its signature.

    Empty when there is nothing else. Answers between quoted lines keep those lines.
    """
    lines = _lines(text)
    cut = _find_cut(lines)
    if cut is not None and cut.total:
        return _joined(_unsigned(lines[: cut.start]))
    if cut is None:
        first = next((n for n, line in enumerate(lines) if _quoted(line)), None)
        if first is None:
            return _joined(_unsigned(lines))
        cut = _Cut(first, first, total=False)
    return _joined(_around(lines[: cut.start], lines[cut.end :]))


def _lines(text: str) -> list[str]:
    plain = text[:LONGEST].replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ").translate(_INVISIBLE)
    return [line.rstrip() if line != "-- " else line for line in plain.split("\n")]


def _quoted(line: str) -> bool:
    return line.lstrip().startswith((">", "|>", "&gt;"))


def _written(lines: list[str]) -> bool:
    return any(line.strip() and not _RULE.fullmatch(line.strip()) for line in lines)


def _joined(lines: list[str]) -> str:
    kept = list(lines)
    while kept and (not kept[-1].strip() or _RULE.fullmatch(kept[-1].strip())):
        kept.pop()
    while kept and not kept[0].strip():
        kept.pop(0)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept))


# -- where a quote begins ------------------------------------------------------------------------------------


def _find_cut(lines: list[str]) -> _Cut | None:
    """Return the first head of a quote."""
    for number, line in enumerate(lines):
        stripped = line.strip()
        if not stripped or _quoted(line):
            continue
        if ORIGINAL_RE.fullmatch(stripped):
            return _Cut(number, number + 1, total=True)
        if FROM_RE.match(stripped) and _is_header_block(lines, number):
            start = number
            while start and (not lines[start - 1].strip() or _RULE.fullmatch(lines[start - 1].strip())):
                start -= 1
            return _Cut(start, number, total=True)
        length = _attribution(lines, number)
        found = _cut_at(lines, number, number + length) if length else None
        if found is not None:
            return found
    return None


def _cut_at(lines: list[str], start: int, end: int) -> _Cut | None:
    """Return the cut at a line that tells who wrote: of quoted lines that follow, or of everything.

    With nothing above and no quote below it is no head of a quote: somebody writes about what another wrote.
    """
    after = next((line for line in lines[end:] if line.strip()), "")
    if after and not _quoted(after) and not _written(lines[:start]):
        return None
    return _Cut(start, end, total=bool(after) and not _quoted(after))


def _is_header_block(lines: list[str], number: int) -> bool:
    """Tell whether a `From:` line is followed by at least two other header lines."""
    following = [line.strip() for line in lines[number + 1 : number + 12] if line.strip()][:6]
    return sum(bool(OTHER_RE.match(line)) for line in following) >= 2


def _attribution(lines: list[str], number: int) -> int:
    """Return how many lines from this one on tell who wrote what follows; 0 when they do not."""
    joined = ""
    for length, line in enumerate(lines[number : number + 4], 1):
        if not line.strip() or _quoted(line):
            return 0
        joined = f"{joined} {line.strip()}".strip()
        if len(joined) > 400:
            return 0
        if joined.endswith(_ENDS) and _tells_who(joined):
            return length
        if length == 1 and not _may_begin(joined):
            return 0
    return 0


def _may_begin(line: str) -> bool:
    """Tell whether a line may be the first of an attribution that is broken over several."""
    return bool(_WHEN.search(line) or _ADDRESS.search(line) or WROTE_RE.search(line) or len(line) < 78) and not (
        line.endswith((".", "!", "?"))
    )


def _tells_who(line: str) -> bool:
    when = _WHEN.search(line)
    if when is None:
        return bool(_ADDRESS.search(line) and WROTE_RE.search(line))
    return bool(_ADDRESS.search(line) or WROTE_RE.search(line))


# -- quoted lines --------------------------------------------------------------------------------------------


def _around(above: list[str], below: list[str]) -> list[str]:
    """Return what was written around quoted lines: above them, below them, or between them with them."""
    above = _unsigned(above)
    below = _unsigned(_without_last_quote(below))
    blocks = _blocks(below)
    if not any(not quoted for quoted, _ in blocks):
        return above
    if not _written(above) and len(blocks) == 2 and blocks[0][0]:
        return blocks[1][1]
    return [*above, "", *below] if _written(above) else below


def _blocks(lines: list[str]) -> list[tuple[bool, list[str]]]:
    """Return runs of quoted and of other lines; blank lines belong to the run that they follow."""
    found: list[tuple[bool, list[str]]] = []
    for line in lines:
        if not line.strip():
            if found:
                found[-1][1].append(line)
            continue
        quoted = _quoted(line)
        if not found or found[-1][0] != quoted:
            found.append((quoted, []))
        found[-1][1].append(line)
    return found


def _without_last_quote(lines: list[str]) -> list[str]:
    """Return lines without the quote at their end: nothing was written below it."""
    kept = list(lines)
    while kept and (not kept[-1].strip() or _quoted(kept[-1])):
        kept.pop()
    return kept


# -- signatures ----------------------------------------------------------------------------------------------


def _unsigned(lines: list[str]) -> list[str]:
    """Return lines without the signature at their end: behind `-- `, or what a phone says of itself."""
    kept = list(lines)
    for number, line in enumerate(kept):
        if line.rstrip() in ("--", "__") and len([x for x in kept[number + 1 :] if x.strip()]) <= 15:
            kept = kept[:number]
            break
    last = [n for n, line in enumerate(kept) if line.strip()][-4:]
    for number in last:
        if len(kept[number]) <= 120 and SENT_FROM_RE.match(kept[number].strip()):
            return kept[:number]
    return kept
