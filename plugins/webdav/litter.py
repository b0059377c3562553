"""Helper files of editors and systems: what they are called.

They matter to the program that writes them and to nobody else, so they never become contents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import lru_cache

FILES = (
    "~$*", "~*.tmp", "~WR[A-Z][0-9]*", "ppt*.tmp", "lu[0-9]*.tmp", ".~lock.*#",  # office suites
    "._*", ".DS_Store", ".apdisk", ".VolumeIcon.icns", ".metadata_never_index*", ".hidden",  # macOS
    ".ql_disablethumbnails", "Thumbs.db", "Thumbs.db:*", "desktop.ini",  # Windows
    ".goutputstream-*", ".directory", ".*.sw[a-z]", ".#*", "#*#", "*~", "4913", "*.kate-swp",  # desktops, editors
)  # fmt: skip
"""Shell patterns of files; letters count the same in either case."""
FOLDERS = (
    ".TemporaryItems", ".Trashes", ".Spotlight-V100", ".fseventsd", "(A Document Being Saved By *)",
    "*.sb-????????-??????", "$RECYCLE.BIN", "System Volume Information", ".Trash-[0-9]*",
)  # fmt: skip
"""Shell patterns of folders."""
SAVES = r"(?=.*[0-9])(?=.*[a-f])[0-9a-f]{8}(\.tmp)?|[0-9a-f]{6,8}\.tmp"
"""Excel, Word and PowerPoint save under a random number first, and rename it when all of it is there."""


@lru_cache(maxsize=16)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns)) or r"(?!)", re.IGNORECASE | re.DOTALL)


_saves = re.compile(SAVES, re.IGNORECASE)


def is_litter(name: str, patterns: Iterable[str], *, folder: bool = False) -> bool:
    """Tell whether a file (or a folder) of this name is kept aside; `patterns` are those of files, none: never."""
    files = tuple(patterns)
    if not files:
        return False
    if folder:
        return _compiled(FOLDERS).match(name) is not None
    return _compiled(files).match(name) is not None or _saves.fullmatch(name) is not None
