"""The raw settings, before any section is known: where they come from."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .options import ConfigError


@dataclass
class Sources:
    """The raw settings before any section is known: file, environment, command line."""

    path: Path | None = None
    file: dict[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    overrides: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        path: str | Path | None = None,
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, Any] | None = None,
    ) -> Sources:
        """Read the file named by the argument, by ATRIO_CONFIG, else ./atrio.toml, else <data>/atrio.toml."""
        env = dict(os.environ if environ is None else environ)
        flags = {k: v for k, v in (overrides or {}).items() if v is not None}
        named = path or env.get("ATRIO_CONFIG")
        data_dir = Path(flags.get("storage.data_dir") or env.get("ATRIO_DATA_DIR") or "data")
        found = Path(named) if named else next(
            (p for p in (Path("atrio.toml"), data_dir / "atrio.toml") if p.is_file()), None
        )  # fmt: skip
        if found is None or not found.is_file():
            if path:
                raise ConfigError(f"config file {found} does not exist")
            return cls(found or data_dir / "atrio.toml", {}, env, flags)
        try:
            content = tomllib.loads(found.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{found}: {error}") from None
        return cls(found, content, env, flags)

    def section(self, name: str) -> dict[str, Any]:
        """Return the file's table of this name, empty when absent."""
        table = self.file.get(name, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{name}: expected a table [{name}]")
        return table
