"""The kernel's own sections, and what follows from several of their values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .options import ConfigError, ConfigSection, option
from .sources import Sources
from .values import Config


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
