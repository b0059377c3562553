"""Typed settings from one TOML file, the environment and the command line.

A section is a frozen dataclass whose fields are made with `option()`; its owner declares it through
`register_config`. Precedence: command line, environment, file, default. An unknown key is an error that
names its nearest neighbour. Every option is documented where it is declared: `atrio config docs` prints it.
"""

from __future__ import annotations

from .options import PREFIX, ConfigError, ConfigSection, Option, option
from .sections import (
    DATA_DIR,
    KERNEL_SECTIONS,
    CorsConfig,
    DatabaseConfig,
    DebugConfig,
    HtmlConfig,
    LogConfig,
    PluginsConfig,
    RedisConfig,
    ServerConfig,
    StorageConfig,
    TasksConfig,
    WebsiteConfig,
    base_url,
    database_url,
    kernel_config,
)
from .sources import Sources
from .values import Config, did_you_mean

__all__ = [
    "DATA_DIR",
    "KERNEL_SECTIONS",
    "PREFIX",
    "Config",
    "ConfigError",
    "ConfigSection",
    "CorsConfig",
    "DatabaseConfig",
    "DebugConfig",
    "HtmlConfig",
    "LogConfig",
    "Option",
    "PluginsConfig",
    "RedisConfig",
    "ServerConfig",
    "Sources",
    "StorageConfig",
    "TasksConfig",
    "WebsiteConfig",
    "base_url",
    "database_url",
    "did_you_mean",
    "kernel_config",
    "option",
]
