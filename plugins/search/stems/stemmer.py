"""What stands for all forms of a word: the stemmers of the Snowball project, over folded words.

A folded word has lost its accents, and some endings with them by which a stemmer knows them (`mangee`). So such an
ending is tried with its accents too, and a word may have several stems in one language: it is then found by each.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from ..folding import fold

LANGUAGES = (
    "arabic", "armenian", "basque", "catalan", "czech", "danish", "dutch", "english", "esperanto", "estonian",
    "finnish", "french", "german", "greek", "hungarian", "indonesian", "irish", "italian", "lithuanian",
    "norwegian", "persian", "polish", "portuguese", "romanian", "russian", "serbian", "sesotho", "spanish",
    "swedish", "turkish", "yiddish",
)  # fmt: skip
"""All of Snowball but those whose words end at each vowel sign once they are folded (hindi, nepali, tamil)."""
VERSION = 1
"""Of the rules below; another one makes all stems anew."""
SHORTEST, LONGEST = 3, 60
"""Letters of the words that have forms."""
SCRIPTS = {
    "arabic": ("ARABIC",), "armenian": ("ARMENIAN",), "greek": ("GREEK",), "persian": ("ARABIC",),
    "russian": ("CYRILLIC",), "serbian": ("CYRILLIC", "LATIN"), "yiddish": ("HEBREW",),
}  # fmt: skip
"""Of each language that is not written in Latin letters."""
ENDINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "french": (("ee", "ée"), ("ees", "ées"), ("erent", "èrent"), ("iere", "ière"), ("ieres", "ières")),
    "hungarian": (
        ("bol", "ből"), ("bol", "ból"), ("tol", "től"), ("tol", "tól"), ("rol", "ről"), ("rol", "ról"),
        ("hoz", "höz"), ("nal", "nál"), ("ert", "ért"), ("kent", "ként"), ("ul", "ül"),
    ),
    "italian": (("ero", "erò"), ("era", "erà"), ("iro", "irò"), ("ira", "irà")),
    "portuguese": (
        ("cao", "ção"), ("coes", "ções"), ("ao", "ão"), ("aos", "ãos"), ("aes", "ães"), ("avamos", "ávamos"),
        ("iamos", "íamos"),
    ),
    "romanian": (
        ("tie", "ție"), ("tii", "ții"), ("tia", "ția"), ("tiei", "ției"), ("tiile", "țiile"), ("tiilor", "țiilor"),
        ("s", "ș"), ("se", "șe"),
    ),
    "spanish": (
        ("ia", "ía"), ("ias", "ías"), ("ian", "ían"), ("iamos", "íamos"), ("io", "ió"), ("are", "aré"),
        ("ere", "eré"), ("ire", "iré"), ("abamos", "ábamos"),
    ),
}  # fmt: skip
"""Endings as folding leaves them, and as they may have been written."""
_SHORT_I = re.compile("(?<=[аеиоуыэюя])и(?=$|те$|ся$|ш(?:и|а|е))")
"""A Russian `й` lost its mark; here it was hardly an `и`."""


def usable(word: str) -> bool:
    """Tell whether a folded word may have forms."""
    return SHORTEST <= len(word) <= LONGEST and word.isalpha()


def fits(word: str, language: str) -> bool:
    """Tell whether a word is written in the letters of a language."""
    return _script(word[0]).startswith(SCRIPTS.get(language, ("LATIN",)))


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "")


def as_written(word: str, language: str) -> Iterator[str]:
    """Return a folded word, and what else it may have been before it was folded."""
    yield word
    for bare, marked in ENDINGS.get(language, ()):
        if word.endswith(bare):
            yield word[: -len(bare)] + marked
    if language == "russian":
        written = _SHORT_I.sub("й", word)
        if written != word:
            yield written


class Stemmers:
    """Stems words in some languages. For one thread; loads the library."""

    def __init__(self, languages: Iterable[str]) -> None:
        import Stemmer  # here: most starts need none

        self._by_language: dict[str, Any] = {name: Stemmer.Stemmer(name, 0) for name in languages}

    def stems(self, word: str, language: str) -> set[str]:
        """Return the folded stems of a folded word; none in letters that the language does not have."""
        if not fits(word, language):
            return set()
        stem = self._by_language[language].stemWord
        return {fold(stem(one)) for one in as_written(word, language)}


def version_of_rules() -> str:
    """Return what decides which stem a word has: rules and library."""
    import Stemmer

    return f"{VERSION} {Stemmer.version()}"
