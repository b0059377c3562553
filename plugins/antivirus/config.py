"""Settings of antivirus."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atrio.kernel.config import Config, ConfigSection, option


@dataclass(frozen=True)
class AntivirusConfig:
    """The virus scanner."""

    address: str = option(
        "",
        help="Where clamd listens: `tcp://host:3310` or `unix:/path/of/the/socket`; empty: no file is looked at.",
    )
    max_bytes: int = option(
        25 * 1024**2, minimum=1,
        help="Larger files are not sent to the scanner; not above the `StreamMaxLength` of clamd.",
    )  # fmt: skip
    when_too_large: str = option(
        "accept", choices=("accept", "refuse"), help="What becomes of a file that is larger than that."
    )
    timeout: float = option(30.0, minimum=0.1, maximum=3600, help="Seconds that one file may take.")
    when_unavailable: str = option(
        "refuse", choices=("refuse", "accept"), help="What becomes of a file while the scanner does not answer."
    )
    cache_minutes: int = option(
        10, minimum=0, help="How long the verdict on equal bytes is remembered in a process; 0: not at all."
    )


SECTION = ConfigSection("antivirus", AntivirusConfig)


def place(address: str) -> tuple[str, int] | Path:
    """Return host and port, or the path of a socket; ValueError for what is neither."""
    kind, _, rest = address.partition(":")
    if kind == "unix" and rest.startswith("/"):
        return Path("/" + rest.lstrip("/"))
    host, colon, port = rest.removeprefix("//").rpartition(":")
    if kind == "tcp" and rest.startswith("//") and colon and host and port.isascii() and port.isdigit():
        number = int(port)
        if 0 < number < 65536:
            return host.strip("[]"), number
    raise ValueError(f"antivirus.address: {address!r} is neither tcp://host:port nor unix:/path")


def fault(config: Config) -> str | None:
    """Return what is wrong with the settings, None where they can be used."""
    address = config[AntivirusConfig].address
    try:
        if address:
            place(address)
    except ValueError as error:
        return str(error)
    return None
