"""The language of queries: words, `"a phrase"`, `begin*`, `-without`, `this | that`.

It is the part of the simple query string syntax that people type. Nothing is ever an error: what has no meaning
(a quote without its other half, operators alone, parentheses) is read as the text around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .folding import fold, words

Kind = Literal["word", "prefix", "phrase"]
LENGTH = 2000
"""Characters of a query that are read."""
TERMS = 32
"""Terms of a query that are read."""
TYPED = 3
"""Letters from which on the last word also matches the beginning of longer ones."""
_TOKEN = re.compile(r'(?P<sign>[-+|]*)(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"|()]+))|(?P<bar>\|)')


@dataclass(frozen=True)
class Term:
    """One thing to look for: its folded words, one after the other; of a prefix the last one may go on.

    A `word` stands alone and was not quoted. `typed`: nobody wrote that this word may go on, it was the last one.
    `form`: this is another form of a word before it.
    """

    kind: Kind
    words: tuple[str, ...]
    negated: bool = False
    typed: bool = False
    form: bool = False

    @property
    def text(self) -> str:
        """The words with a blank between each two."""
        return " ".join(self.words)


@dataclass(frozen=True)
class Query:
    """Every group must match; of a group any one term does. A negated term is a group by itself."""

    groups: tuple[tuple[Term, ...], ...] = ()

    @property
    def wanted(self) -> tuple[tuple[Term, ...], ...]:
        """The groups that must match."""
        return tuple(g for g in self.groups if not g[0].negated)

    @property
    def unwanted(self) -> tuple[Term, ...]:
        """The terms that must not match."""
        return tuple(g[0] for g in self.groups if g[0].negated)

    def __bool__(self) -> bool:
        return bool(self.groups)


def parse(text: str, operator: str = "and") -> Query:
    """Return what a query string asks for; `operator` joins its terms (`and` or `or`)."""
    text = text[:LENGTH]
    groups: list[list[Term]] = []
    unwanted: list[tuple[Term, ...]] = []
    either = False
    for match in _TOKEN.finditer(text):
        if len(groups) + len(unwanted) >= TERMS:
            break
        if match["bar"]:
            either = bool(groups)
            continue
        sign = match["sign"]
        either = either or ("|" in sign and bool(groups))
        term = _term(match, sign, last=match.end() == len(text.rstrip()))
        if term is None:
            continue
        if term.negated:
            unwanted.append((term,))
        elif groups and (either or (operator == "or" and not sign.endswith("+"))):
            groups[-1].append(term)
        else:
            groups.append([term])
        either = False
    return Query((*(tuple(dict.fromkeys(g)) for g in groups[:TERMS]), *unwanted))


def _term(match: re.Match[str], sign: str, *, last: bool) -> Term | None:
    phrase, word = match["phrase"], match["word"]
    found = tuple(words(fold(phrase if word is None else word)))[:TERMS]
    if not found:
        return None
    negated = sign.endswith("-")
    if word is None:
        return Term("phrase", found, negated)
    if word.endswith("*"):
        return Term("prefix", found, negated)
    typing = last and not negated and len(found[-1]) >= TYPED and word[-1].isalnum()
    return Term("prefix" if typing else "phrase" if len(found) > 1 else "word", found, negated, typed=typing)
