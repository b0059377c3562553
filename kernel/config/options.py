"""Settings as they are declared: a section is a frozen dataclass whose fields are made with `option()`."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import BootError

PREFIX = "ATRIO_"


class ConfigError(BootError):
    """A setting is unknown, malformed or out of its range."""


def option(
    default: Any,
    *,
    help: str,  # noqa: A002 - the word of every option library
    env: str | None = None,
    secret: bool = False,
    choices: Iterable[str] | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    formerly: Iterable[str] = (),
    legacy: str | None = None,
    from_legacy: Callable[[str], Any] | None = None,
) -> Any:
    """Declare one setting of a section.

    `env` is a short environment variable beside the general `ATRIO_<SECTION>__<KEY>`. A `secret` is never
    printed and may come from a file: `<key>_file`. `formerly` lists deprecated keys that still work. `legacy` is
    the key of the same setting in a `development.ini`, for `atrio config import`; `from_legacy` turns its text
    into a value of this option where the two differ. `choices` of a list are those of its members.
    """
    meta = {
        "help": help,
        "env": env,
        "secret": secret,
        "choices": tuple(choices) if choices else None,
        "minimum": minimum,
        "maximum": maximum,
        "formerly": tuple(formerly),
        "legacy": legacy,
        "from_legacy": from_legacy,
    }
    return field(default=default, metadata=meta)


@dataclass(frozen=True)
class ConfigSection:
    """A named section of the file and the dataclass that holds its values."""

    name: str
    shape: type[Any]

    def options(self) -> list[Option]:
        """Return the declared options in order."""
        hints = typing.get_type_hints(self.shape)
        return [
            Option(self.name, f.name, hints[f.name], f.default, **f.metadata)
            for f in dataclasses.fields(self.shape)
        ]


@dataclass(frozen=True)
class Option:
    """One declared setting, for parsing and for the docs."""

    section: str
    key: str
    type: Any
    default: Any
    help: str
    env: str | None
    secret: bool
    choices: tuple[str, ...] | None
    minimum: float | None
    maximum: float | None
    formerly: tuple[str, ...]
    legacy: str | None = None
    from_legacy: Callable[[str], Any] | None = None

    @property
    def name(self) -> str:
        """The dotted name, `section.key`."""
        return f"{self.section}.{self.key}"

    @property
    def variable(self) -> str:
        """The general environment variable."""
        return f"{PREFIX}{self.section}__{self.key}".upper()

    @property
    def type_name(self) -> str:
        """The type in words for the docs."""
        optional = type(None) in typing.get_args(self.type)
        plain = _plain(self.type)
        if typing.get_origin(plain) is tuple:
            return "list of strings"
        word = {str: "string", int: "integer", float: "number", bool: "boolean", Path: "path"}[plain]
        return f"{word}, may be empty" if optional else word

    def parse(self, value: Any) -> Any:
        """Turn a TOML value or a string into the declared type; ConfigError when it does not fit."""
        plain = _plain(self.type)
        if value is None or (value == "" and type(None) in typing.get_args(self.type)):
            return None
        try:
            parsed = _convert(plain, value)
        except (ValueError, TypeError):
            shown = "" if self.secret else f", got {value!r}"
            raise ConfigError(f"{self.name}: expected {self.type_name}{shown}") from None
        for member in parsed if isinstance(parsed, tuple) else (parsed,):
            if self.choices and member not in self.choices:
                raise ConfigError(f"{self.name}: expected one of {', '.join(self.choices)}, got {member!r}")
        if self.minimum is not None and parsed < self.minimum:
            raise ConfigError(f"{self.name}: at least {self.minimum}, got {parsed}")
        if self.maximum is not None and parsed > self.maximum:
            raise ConfigError(f"{self.name}: at most {self.maximum}, got {parsed}")
        return parsed


def _plain(hint: Any) -> Any:
    """Return T of `T | None`."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return next(arg for arg in typing.get_args(hint) if arg is not type(None))
    return hint


def _convert(plain: Any, value: Any) -> Any:
    if typing.get_origin(plain) is tuple:
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise TypeError
        return tuple(dict.fromkeys(value))
    if plain is bool:
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word in ("1", "true", "yes", "on"):
            return True
        if word in ("0", "false", "no", "off"):
            return False
        raise ValueError
    if isinstance(value, bool) or not isinstance(value, str | int | float | Path):
        raise TypeError
    parsed = plain(value)
    if isinstance(parsed, float) and not math.isfinite(parsed):
        raise ValueError
    if isinstance(value, float) and plain is int and parsed != value:
        raise ValueError
    return parsed
