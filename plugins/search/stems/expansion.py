"""Queries with the other forms of their words: engines and highlights take them as further words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from atrio.kernel.context import Context

from ..config import SearchConfig
from ..engines import ContentSearch, SpaceSearch
from ..language import Query, Term
from . import queries
from .stemmer import Stemmers, usable

FORMS = 16
"""Other forms of one word that are looked for: those most like it."""
ALL_FORMS = 128
"""Other forms in one query; of many words fewer forms each."""
STEMS = 4
"""Stems of one word that are looked up."""
Search = TypeVar("Search", ContentSearch, SpaceSearch)


def with_forms(ctx: Context, search: Search) -> Search:
    """Return a search for other forms of its words too: one statement, none where no languages are set."""
    languages = ctx.config[SearchConfig].languages
    if not languages or not search.query:
        return search
    found = forms_of(ctx, _words(search.query), languages)
    return replace(search, query=expanded(search.query, found)) if found else search


def _has_forms(term: Term) -> bool:
    plain = term.kind == "word" or (term.kind == "prefix" and term.typed)
    return plain and len(term.words) == 1 and usable(term.words[0])


def _words(query: Query) -> list[str]:
    return list(dict.fromkeys(t.words[0] for group in query.groups for t in group if _has_forms(t)))


def forms_of(ctx: Context, words: Iterable[str], languages: Iterable[str]) -> dict[str, list[str]]:
    """Return the other forms of some words that stand in texts, the most similar first."""
    stemmers = Stemmers(languages)
    wanted = {
        word: {(stem, name) for name in languages for stem in sorted(stemmers.stems(word, name))[:STEMS]}
        for word in words
    }
    sought = sorted({stem for pairs in wanted.values() for stem, _ in pairs})
    found: dict[tuple[str, str], list[str]] = {}
    for stem, language, word in queries.forms(ctx, sought):
        found.setdefault((stem, language), []).append(word)
    most = max(1, min(FORMS, ALL_FORMS // max(1, len(wanted))))
    others: dict[str, list[str]] = {}
    for word, pairs in wanted.items():
        forms = {form for pair in pairs for form in found.get(pair, ())} - {word}
        if forms:
            others[word] = sorted(forms, key=lambda form: (-_alike(word, form), len(form), form))[:most]
    return others


def _alike(one: str, other: str) -> int:
    """Return the number of letters with which both begin."""
    for place, (first, second) in enumerate(zip(one, other, strict=False)):
        if first != second:
            return place
    return min(len(one), len(other))


def expanded(query: Query, forms: Mapping[str, list[str]]) -> Query:
    """Return a query whose words may stand in these forms too, the words themselves first.

    What must not match must not in any form.
    """
    groups: list[tuple[Term, ...]] = []
    for group in query.groups:
        others = [form for term in group for form in _forms(term, forms)]
        if group[0].negated:
            groups += [group, *((form,) for form in others)]
        else:
            groups.append(
                (*group, *(form for form in dict.fromkeys(others) if replace(form, form=False) not in group))
            )
    return Query(tuple(dict.fromkeys(groups)))


def _forms(term: Term, forms: Mapping[str, list[str]]) -> Iterable[Term]:
    if not _has_forms(term):
        return
    word = term.words[0]
    for form in forms.get(word, ()):
        if term.kind == "word" or not form.startswith(word):  # a beginning finds those by itself
            yield Term("word", (form,), term.negated, form=True)
