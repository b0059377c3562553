"""Declarations of the plugin antivirus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from atrio import ConfigSection, KernelError
    from atrio.kernel.blobs import TemporaryBlob
    from atrio.kernel.config import Config
    from atrio.kernel.host import Kernel

MANIFEST = Manifest(
    name="antivirus",
    summary="Files are shown to a virus scanner (clamd) before they are stored",
    default_enabled=False,
)


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [antivirus]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def check_environment(config: Config) -> str | None:
    """Refuse an address that cannot be one."""
    from .config import fault

    return fault(config)


@hookimpl
def register_errors() -> list[type[KernelError]]:
    """Declare the error."""
    from .errors import ERRORS

    return list(ERRORS)


@hookimpl
def check_received(kernel: Kernel, blob: TemporaryBlob) -> None:
    """Keep out what the scanner knows."""
    from .services import check

    check(kernel, blob)


@hookimpl
def register_health(kernel: Kernel) -> dict[str, Any] | None:
    """Tell whether the scanner answers, and how many files it has seen in this process."""
    from .services import health

    return health(kernel)
