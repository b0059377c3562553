"""The settings in force: each section parsed from its sources, by precedence."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from .options import PREFIX, ConfigError, ConfigSection, Option
from .sources import Sources

T = TypeVar("T")


class Config:
    """The settings in force: `config[AccountsConfig].admin_email`."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.sections: dict[str, ConfigSection] = {}
        self._values: dict[type[Any], Any] = {}
        self.origin: dict[str, str] = {}

    def add(self, section: ConfigSection) -> None:
        """Parse one section; ConfigError names the key, its neighbour or the range."""
        if section.name in self.sections:
            if self.sections[section.name].shape is section.shape:
                return
            raise ConfigError(f"config section [{section.name}] is declared twice")
        options = section.options()
        table = self.sources.section(section.name)
        self._refuse_unknown(section, options, table)
        values = {opt.key: self._value(opt, table) for opt in options}
        self._values[section.shape] = section.shape(**values)
        self.sections[section.name] = section

    def __getitem__(self, shape: type[T]) -> T:
        try:
            return typing.cast(T, self._values[shape])
        except KeyError:
            raise ConfigError(f"no section of the shape {shape.__name__} is declared") from None

    def __contains__(self, shape: type[Any]) -> bool:
        return shape in self._values

    def replace(self, shape: type[Any], **changes: Any) -> None:
        """Change values of a section in this process only (tests, command-line flags)."""
        self._values[shape] = dataclasses.replace(self._values[shape], **changes)

    def options(self) -> list[Option]:
        """Return every declared option, by section."""
        return [opt for section in self.sections.values() for opt in section.options()]

    def unknown_sections(self, known: Iterable[str]) -> list[str]:
        """Return a sentence for each section of the file, environment or command line that nobody declared."""
        names = set(known)
        found = [name for name in self.sources.file if name not in names]
        for variable in self.sources.environ:
            head = variable.removeprefix(PREFIX)
            if variable.startswith(PREFIX) and "__" in head:
                name = head.split("__", 1)[0].lower()
                if name not in names and name not in found:
                    found.append(name)
        for dotted in self.sources.overrides:
            name = dotted.partition(".")[0]
            if name not in names and name not in found:
                found.append(name)
        return [f"unknown section [{name}]{did_you_mean(name, names)}" for name in found]

    def _refuse_unknown(self, section: ConfigSection, options: list[Option], table: dict[str, Any]) -> None:
        allowed = {opt.key for opt in options}
        for opt in options:
            allowed.update(opt.formerly)
            if opt.secret:
                allowed.add(f"{opt.key}_file")
        for key in table:
            if key not in allowed:
                raise ConfigError(f"unknown key {section.name}.{key}{did_you_mean(key, allowed)}")
        head = f"{PREFIX}{section.name}__".upper()
        variables = {f"{head}{key}".upper() for key in allowed}
        for variable in self.sources.environ:
            if variable.startswith(head) and variable not in variables:
                raise ConfigError(f"unknown variable {variable}{did_you_mean(variable, variables)}")
        for name in self.sources.overrides:
            if name.startswith(f"{section.name}.") and name.split(".", 1)[1] not in allowed:
                raise ConfigError(f"unknown key {name}{did_you_mean(name.split('.', 1)[1], allowed)}")

    def _value(self, opt: Option, table: Mapping[str, Any]) -> Any:
        env = self.sources.environ
        candidates: list[tuple[str, Any]] = []
        if opt.name in self.sources.overrides:
            candidates.append(("command line", self.sources.overrides[opt.name]))
        for variable in filter(None, (opt.variable, opt.env)):
            if env.get(variable):
                candidates.append((variable, env[variable]))
            elif opt.secret and env.get(f"{variable}_FILE"):
                candidates.append((f"{variable}_FILE", _read_secret(opt, env[f"{variable}_FILE"])))
        for key in (opt.key, *opt.formerly):
            if key in table:
                candidates.append((f"{self.sources.path}", table[key]))
        if opt.secret and f"{opt.key}_file" in table:
            candidates.append((f"{self.sources.path}", _read_secret(opt, str(table[f"{opt.key}_file"]))))
        if not candidates:
            self.origin[opt.name] = "default"
            return opt.default
        self.origin[opt.name] = candidates[0][0]
        return opt.parse(candidates[0][1])


def _read_secret(opt: Option, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{opt.name}: cannot read the secret from its file: {error}") from None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ` (did you mean 'x'?)` for the nearest known word, else nothing."""
    import difflib  # asked for when something is wrong

    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean '{near[0]}'?)" if near else ""
