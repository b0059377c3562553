"""Declarations of the plugin storage_s3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from atrio import ConfigSection
    from atrio.kernel.blobs import BlobStore
    from atrio.kernel.config import Config
    from atrio.kernel.host import Kernel

MANIFEST = Manifest(name="storage_s3", summary="Bytes of files in a bucket of an S3 server")
STORE = "s3"


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [storage_s3]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def check_environment(config: Config) -> str | None:
    """Refuse to run without the client library, or with settings that cannot be meant, where this is wanted."""
    from atrio.kernel.config import StorageConfig

    from .config import faults

    return faults(config) if config[StorageConfig].blobs == STORE else None


@hookimpl
def blob_store(config: Config) -> Mapping[str, Callable[[Kernel], BlobStore]]:
    """Offer the store."""

    def make(kernel: Kernel) -> BlobStore:
        from .store import S3Blobs

        return S3Blobs(kernel)

    return {STORE: make}
