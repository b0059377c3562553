"""Typed settings from one TOML file, the environment and the command line.

A section is a frozen dataclass whose fields are made with `option()`; its owner declares it through
`register_config`. Precedence: command line, environment, file, default. An unknown key is an error that
names its nearest neighbour. Every option is documented where it is declared: `atrio config docs` prints it.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import os
import tomllib
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from .errors import BootError

T = TypeVar("T")
PREFIX = "ATRIO_"
_MISSING = dataclasses.MISSING


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
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean '{near[0]}'?)" if near else ""


# -- the kernel's own sections -----------------------------------------------------------------------------


@dataclass(frozen=True)
class ServerConfig:
    """How the HTTP server listens and what it takes."""

    bind: str = option("127.0.0.1:8080", env="ATRIO_BIND", help="Address and port to listen on.")
    workers: int = option(1, minimum=1, maximum=64, help="Server processes; one needs no parent process.")
    threads: int = option(8, minimum=1, maximum=128, help="Threads for requests in each process.")
    queue: int = option(2048, minimum=1, help="Requests that may wait for a thread; beyond it the answer is 503.")
    tls_cert: str | None = option(None, help="PEM certificate chain; with it the server speaks HTTPS and h2.")
    tls_key: str | None = option(None, help="PEM private key of the certificate.")
    trusted_proxies: tuple[str, ...] = option(
        (), help="Addresses or networks whose X-Forwarded-* headers are believed."
    )
    json_limit: int = option(
        32 * 1024 * 1024, minimum=1024, help="Largest JSON or form body in bytes; beyond it 413."
    )
    drain_limit: int = option(
        64 * 1024 * 1024, minimum=0, help="Bytes of a refused body that are read and thrown away."
    )
    drain_seconds: float = option(10.0, minimum=0, help="Seconds that draining a refused body may take.")
    stall_seconds: float = option(
        60.0, minimum=1, help="Seconds without a byte after which an upload is given up."
    )
    unread_seconds: int = option(
        300, minimum=10, help="Seconds after which the system drops a connection whose client takes no byte."
    )
    graceful_seconds: float = option(
        3.0, minimum=0, maximum=60, help="Seconds that open requests get at shutdown."
    )
    keep_alive_seconds: int = option(75, minimum=1, help="Seconds an idle connection is kept.")
    access_log: bool = option(True, help="Log one line a request (path and names of query keys only).")


@dataclass(frozen=True)
class WebsiteConfig:
    """How the instance presents itself."""

    title: str = option("Atrio", legacy="website.title", help="Name of the instance.")
    base_url: str = option(
        "", legacy="website.base_url",
        help="Public address, for absolute links and the origin check; empty: http://<bind>.",
    )  # fmt: skip
    default_lang: str = option(
        "en", legacy="default_lang", help="Language of texts for people who have not chosen one."
    )


@dataclass(frozen=True)
class DatabaseConfig:
    """Where the rows live."""

    url: str = option(
        "", env="ATRIO_DATABASE_URL", secret=True,
        help="SQLAlchemy URL: sqlite, postgresql+psycopg or mysql+pymysql; empty: <data>/atrio.db.",
    )  # fmt: skip
    busy_seconds: float = option(10.0, minimum=0.1, help="Seconds a writer waits for the database lock.")
    fsync: bool = option(
        True, help="SQLite: answer a write when it is on the disk; else a power cut can lose the last ones."
    )


@dataclass(frozen=True)
class RedisConfig:
    """The optional Redis server."""

    url: str | None = option(
        None, env="ATRIO_REDIS_URL", secret=True, help="redis:// URL; empty: everything runs without Redis."
    )


DATA_DIR = Path("data")


def _kind_of_store(text: str) -> str:
    if text == "memory":
        raise ConfigError("files are not kept in memory: choose local, or what a plugin offers")
    return text


@dataclass(frozen=True)
class StorageConfig:
    """Where files live."""

    data_dir: Path = option(DATA_DIR, env="ATRIO_DATA_DIR", help="Folder of database, blobs, queue and secrets.")
    fsync: bool = option(True, help="Wait until an uploaded file is on the disk before it is committed.")
    blobs: str = option(
        "local", legacy="uploaded_files.storage.storage_type", from_legacy=_kind_of_store,
        help="Where the bytes of files are: `local`, the folder `blobs` below data_dir, or what a plugin offers.",
    )  # fmt: skip


@dataclass(frozen=True)
class TasksConfig:
    """Background jobs."""

    queue: str = option(
        "auto", choices=("auto", "sqlite", "redis"),
        help="Wake-up queue of huey; auto: redis when redis.url is set, else a SQLite file.",
    )  # fmt: skip
    consumer: str = option(
        "auto", choices=("auto", "serve", "worker"),
        help="Who runs jobs: inside serve, or only `atrio worker`; auto: worker with Redis, else serve.",
    )  # fmt: skip
    threads: int = option(2, minimum=1, maximum=32, help="Job threads of one consumer.")
    lease_seconds: int = option(300, minimum=1, help="How long a job may run before another worker takes it.")
    sweep_seconds: int = option(30, minimum=1, help="How often lost wake-ups and dead leases are looked for.")
    keep_hours: int = option(24, minimum=0, help="How long finished jobs stay listed.")


@dataclass(frozen=True)
class PluginsConfig:
    """Which plugins run."""

    enabled: tuple[str, ...] = option((), help="Plugins to run beside those enabled by default.")
    disabled: tuple[str, ...] = option((), help="Plugins not to run.")


@dataclass(frozen=True)
class CorsConfig:
    """Cross-origin requests from browsers."""

    allowed_origins: tuple[str, ...] = option(
        (), legacy="cors.access-control-allowed-origin", help="Origins that may call the API with credentials."
    )


@dataclass(frozen=True)
class HtmlConfig:
    """What texts of users may hold."""

    iframe_hosts: tuple[str, ...] = option(
        (
            "youtube.com", "youtu.be", "dailymotion.com", "vimeo.com", "google.com", "apple.com",
            "openstreetmap.org", "mapbox.com", "bing.com",
        ),
        legacy="iframe.whitelist",
        help="Hosts (and those below them) whose pages may be embedded in a text; `*` alone allows all.",
    )  # fmt: skip


@dataclass(frozen=True)
class LogConfig:
    """What the server writes to standard error."""

    level: str = option("info", choices=("debug", "info", "warning", "error"), help="Least level shown.")
    json: bool = option(False, help="One JSON object a line instead of text.")


@dataclass(frozen=True)
class DebugConfig:
    """For development only."""

    traceback: bool = option(False, legacy="debug", help="Put a traceback in the details of a 500 answer.")


KERNEL_SECTIONS: tuple[ConfigSection, ...] = (
    ConfigSection("server", ServerConfig),
    ConfigSection("website", WebsiteConfig),
    ConfigSection("database", DatabaseConfig),
    ConfigSection("redis", RedisConfig),
    ConfigSection("storage", StorageConfig),
    ConfigSection("tasks", TasksConfig),
    ConfigSection("plugins", PluginsConfig),
    ConfigSection("cors", CorsConfig),
    ConfigSection("html", HtmlConfig),
    ConfigSection("log", LogConfig),
    ConfigSection("debug", DebugConfig),
)


def kernel_config(sources: Sources) -> Config:
    """Return a Config with the kernel's sections parsed; plugins add theirs at boot."""
    config = Config(sources)
    for section in KERNEL_SECTIONS:
        config.add(section)
    return config


def database_url(config: Config) -> str:
    """Return the URL in force; the default is a file in the data directory."""
    url = config[DatabaseConfig].url
    if url:
        for short, long in (
            ("postgresql://", "postgresql+psycopg://"), ("postgres://", "postgresql+psycopg://"),
            ("mysql://", "mysql+pymysql://"), ("mariadb://", "mysql+pymysql://"),
        ):  # fmt: skip
            if url.startswith(short):
                return long + url.removeprefix(short)
        return url
    return f"sqlite:///{(config[StorageConfig].data_dir / 'atrio.db').absolute()}"


def base_url(config: Config) -> str:
    """Return the public address without a trailing slash."""
    configured = config[WebsiteConfig].base_url.rstrip("/")
    if configured:
        return configured
    server = config[ServerConfig]
    return f"{'https' if server.tls_cert else 'http'}://{server.bind}"
