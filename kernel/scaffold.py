"""`atrio plugins new`: writes a working third-party plugin from the templates beside this module.

A template is a file whose name ends in `.tmpl`; the placeholders `{{name}}`, `{{Name}}`, … stand in texts and
in paths. `examples/hello` is the same templates under the name hello, so the example and what authors get
cannot drift apart.
"""

from __future__ import annotations

import importlib.util
import keyword
import re
from collections.abc import Mapping
from pathlib import Path
from zlib import crc32

from .errors import BootError
from .plugins import discover

TEMPLATES = Path(__file__).parent / "templates" / "plugin"
SUFFIX = ".tmpl"
NAME = re.compile(r"[a-z](_?[a-z0-9])+")
LONGEST = 24
"""Keeps the names of constraints within the 64 characters of MariaDB and the 63 of PostgreSQL."""
PLACEHOLDER = re.compile(r"\{\{([A-Za-z_0-9]+)\}\}")


def placeholders(name: str) -> dict[str, str]:
    """Return what the placeholders of a plugin's templates stand for.

    The error codes are spread by the name, because one code declared by two plugins parks the second.
    """
    words = name.split("_")
    code = 30_000 + crc32(name.encode()) % 6_000 * 10
    return {
        "name": name,
        "Name": "".join(w.capitalize() for w in words),
        "title": " ".join(words).capitalize(),
        "package": f"atrio_{name}",
        "dist": f"atrio-{'-'.join(words)}",
        "command": "-".join(words),
        "code_1": str(code + 1),
        "code_2": str(code + 2),
    }


def render(name: str) -> dict[str, str]:
    """Return the texts of a plugin's files by their relative POSIX paths."""
    values = placeholders(name)
    return {
        _fill(path.relative_to(TEMPLATES).as_posix().removesuffix(SUFFIX), values): _fill(
            path.read_text("utf-8"), values
        )
        for path in sorted(TEMPLATES.rglob(f"*{SUFFIX}"))
    }


def _fill(text: str, values: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: values[match.group(1)], text)


def check_name(name: str) -> None:
    """Refuse a name that cannot become a plugin's, or that an installed plugin has."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name) or len(name) > LONGEST:
        raise BootError(
            f"{name!r} is no name for a plugin: at most {LONGEST} lower-case letters, digits and single "
            "underscores, a letter first, at least two characters, no keyword of Python"
        )
    # Tables are told apart by the prefix `<plugin>_`, so one name may not begin another.
    for taken in ("kernel", "alembic", *(r.name for r in discover())):
        if name == taken:
            raise BootError(f"a plugin named {name} is installed")
        if f"{name}_".startswith(f"{taken}_") or f"{taken}_".startswith(f"{name}_"):
            raise BootError(f"{name}: its tables could not be told from those of {taken}")
    package = placeholders(name)["package"]
    if importlib.util.find_spec(package) is not None:
        raise BootError(f"{name}: a package {package} is installed")


def write_plugin(name: str, target: Path) -> list[Path]:
    """Write the plugin's files and return their paths; the target must not exist or be empty."""
    check_name(name)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BootError(f"{target} exists and is not empty")
    written = []
    for relative, text in render(name).items():
        path = target / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        written.append(path)
    return written
