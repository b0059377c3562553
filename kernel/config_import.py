"""From a `development.ini` and its environment variables to the TOML file of Atrio.

Which old key is which setting is declared where the setting is (`option(legacy=…)`), so this module knows no
setting of a plugin. Nothing is dropped in silence: each key that has no place here is named, never its value,
for it may be a secret.
"""

from __future__ import annotations

import configparser
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

from . import plugins as plugin_host
from .config import KERNEL_SECTIONS, ConfigError, ConfigSection, Option

log = logging.getLogger("atrio.config")
VARIABLES = "TRACIM_"
HERE = "TRACIM_HERE_PATH"
TRUE, FALSE = ("true", "yes", "on", "y", "t", "1"), ("false", "no", "off", "n", "f", "0")
REMARKS = (
    ("sqlalchemy.", "Atrio keeps a database of its own; choose one with database.url"),
    ("uploaded_files.storage.s3.policy", "objects have the rights that the bucket gives them"),
    ("uploaded_files.storage.", "Atrio keeps files of its own below storage.data_dir"),
    ("depot_storage_", "Atrio keeps files of its own below storage.data_dir"),
    ("app.enabled", "features are plugins: atrio plugins enable, atrio plugins disable"),
    ("plugin.folder_path", "plugins are installed packages: atrio plugins list"),
    ("api.base_url", "the same as website.base_url"),
    ("config.filepath", "named by --config or ATRIO_CONFIG"),
    ("backend.i18n_folder_path", "texts come with the program"),
    ("session.", "sessions are kept in the database"),
    ("jobs.", "jobs need no Redis; with one set redis.url"),
    ("live_messages.", "the server holds the event streams itself"),
)
"""Beginnings of old keys that have no setting here, and why."""
HELPERS = ("here", "basic_setup.")


@dataclass
class Found:
    """What an import gave: settings by section, and what could not be taken over, by old key."""

    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def declared_options() -> list[Option]:
    """Return the options of the kernel and of every installed plugin, of disabled ones too."""
    sections: list[ConfigSection] = list(KERNEL_SECTIONS)
    for record in plugin_host.discover():
        hook = getattr(record.module, "register_config", None)
        if hook is None:
            continue
        try:
            sections += hook()
        except Exception as error:  # noqa: BLE001 - a broken plugin must not stand in the way of the others
            log.warning("the settings of %s are unknown: %s", record.name, error)
    return [opt for section in sections for opt in section.options()]


def read_ini(path: Path, environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the settings of an ini file and the names of the sections that hold none; ConfigError says why not.

    `%(here)s` is the folder of the file, or TRACIM_HERE_PATH.
    """
    here = environ.get(HERE) or str(path.absolute().parent)
    parser = configparser.ConfigParser(defaults={"here": here}, strict=False, default_section="DEFAULT")
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    try:
        parser.read_string(path.read_text("utf-8"), str(path))
        values = {key: parser.get("DEFAULT", key) for key in parser.defaults()}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from None
    except configparser.Error as error:
        # Only the place: the message of an interpolation error holds the value.
        where = getattr(error, "option", None) or getattr(error, "lineno", None) or ""
        raise ConfigError(f"{path}: {type(error).__name__} {where}".rstrip()) from None
    return values, parser.sections()


def variable_of(key: str) -> str:
    """Return the environment variable of an old key."""
    return VARIABLES + key.replace(".", "__").replace("-", "_").upper()


def _with_environment(values: dict[str, str], environ: Mapping[str, str], known: Iterable[str]) -> dict[str, str]:
    """Return the settings with those of the environment over them; empty variables count for nothing."""
    names = {variable_of(key): key for key in (*known, *values)}
    merged = dict(values)
    for variable, value in environ.items():
        if variable.startswith(VARIABLES) and variable != HERE and value.strip():
            merged[names.get(variable, variable)] = value
    return merged


def convert(values: Mapping[str, str], options: Iterable[Option]) -> Found:
    """Turn old settings into new ones; values that do not fit their option are refused by name."""
    by_legacy: dict[str, list[Option]] = {}
    for opt in options:
        if opt.legacy:
            by_legacy.setdefault(opt.legacy, []).append(opt)
    found = Found()
    for key, text in values.items():
        if key.startswith(HELPERS) or not text.strip():
            continue
        if key not in by_legacy:
            found.left_out[key] = next((why for head, why in REMARKS if key.startswith(head)), "no such setting")
        for opt in by_legacy.get(key, ()):
            try:
                value = _value(opt, text.strip())
            except (ConfigError, ValueError) as error:
                found.refused[key] = f"does not fit {opt.name}" if opt.secret else str(error)
            else:
                found.settings.setdefault(opt.section, {})[opt.key] = value
    return found


def _value(opt: Option, text: str) -> Any:
    given: Any = opt.from_legacy(text) if opt.from_legacy is not None else text
    if opt.type is bool and isinstance(given, str):
        word = given.lower()
        given = True if word in TRUE else False if word in FALSE else given
    value = opt.parse(given)
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value


def import_settings(path: Path, environ: Mapping[str, str]) -> Found:
    """Read an ini file, and the environment given (empty: none), and return what becomes of it."""
    options = declared_options()
    values, sections = read_ini(path, environ)
    known = [opt.legacy for opt in options if opt.legacy]
    found = convert(_with_environment(values, environ, known), options)
    for section in sections:
        found.left_out[f"[{section}]"] = "only [DEFAULT] holds settings of the program"
    return found


def as_toml(found: Found, source: str) -> str:
    """Return the TOML file: the settings, then as comments the keys that have no place or do not fit."""
    document = tomlkit.document()
    document.add(tomlkit.comment(f"Imported from {source}."))
    for section in sorted(found.settings):
        table = tomlkit.table()
        for key, value in found.settings[section].items():
            table[key] = value
        document[section] = table
    text = tomlkit.dumps(document)
    for title, keys in (("Do not fit", found.refused), ("Have no equivalent", found.left_out)):
        if keys:
            text += f"\n# {title}:\n"
            text += "".join(f"#   {_one_line(key)}: {_one_line(why)}\n" for key, why in keys.items())
    return text


def _one_line(text: str) -> str:
    """Return a text that cannot end a comment."""
    return " ".join(text.split())


def write_private(path: Path, text: str, *, overwrite: bool) -> None:
    """Write a file that only its owner may read: it may hold secrets. ConfigError when it is there already."""
    if path.exists() and not overwrite:
        raise ConfigError(f"{path} exists; give another name with --output, or --force")
    partial = path.with_name(f"{path.name}.new")
    try:
        partial.unlink(missing_ok=True)
        with os.fdopen(
            os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
        partial.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error}") from None
