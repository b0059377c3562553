"""Settings of the store in S3."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit

from atrio.kernel.config import Config, ConfigSection, option

MIB = 1024 * 1024


@dataclass(frozen=True)
class S3Config:
    """Files in a bucket of an S3 server, where `storage.blobs` is `s3`."""

    endpoint_url: str = option(
        "", legacy="uploaded_files.storage.s3.endpoint_url",
        help="Address of the server, https://host:port; empty: the one of Amazon for the region.",
    )  # fmt: skip
    bucket: str = option(
        "", legacy="uploaded_files.storage.s3.bucket", help="Name of the bucket; it must be there."
    )
    region: str = option("us-east-1", legacy="uploaded_files.storage.s3.region_name", help="Its region.")
    access_key_id: str = option(
        "", secret=True, legacy="uploaded_files.storage.s3.access_key_id",
        help="Access key; empty: what the machine or AWS_ACCESS_KEY_ID gives.",
    )  # fmt: skip
    secret_access_key: str = option(
        "", secret=True, legacy="uploaded_files.storage.s3.secret_access_key", help="Secret of that key."
    )
    prefix: str = option("", help="What the names of all objects begin with, where a bucket is shared.")
    storage_class: str = option(
        "", legacy="uploaded_files.storage.s3.storage_class",
        help="Storage class of new objects; empty: that of the bucket. One that can be read at once.",
    )  # fmt: skip
    virtual_host: bool = option(False, help="Name the bucket in the host name instead of the path.")
    allow_http: bool = option(False, help="Speak to a server without TLS.")
    ca_file: str = option(
        "", help="File of an authority that signs the server's certificate, beside the known ones."
    )
    connect_seconds: int = option(5, minimum=1, maximum=60, help="Seconds to wait for a connection.")
    request_seconds: int = option(
        60, minimum=1, maximum=120, help="Seconds that one request may last; each carries 8 MiB at most."
    )
    retries: int = option(4, minimum=0, maximum=20, help="How often a request that fails is tried again.")
    retry_seconds: int = option(30, minimum=1, maximum=120, help="For how long, in seconds, it is tried again.")
    cache_size: int = option(
        1024 * MIB, minimum=0,
        help="Bytes of copies kept in `blobs/cache` below data_dir for what needs files of this machine.",
    )  # fmt: skip


SECTION = ConfigSection("storage_s3", S3Config)


def faults(config: Config) -> str | None:
    """Return why the store cannot be used with these settings, without asking the server; None where it can."""
    if find_spec("obstore") is None:
        return "obstore not installed; type: pip install 'atrio[s3]'"
    settings = config[S3Config]
    if not settings.bucket:
        return "storage_s3.bucket is empty"
    address = urlsplit(settings.endpoint_url)
    if settings.endpoint_url and (address.scheme not in ("http", "https") or not address.hostname):
        return "storage_s3.endpoint_url is no address of the form https://host"
    if address.scheme == "http" and not settings.allow_http:
        return "storage_s3.endpoint_url is without TLS; with storage_s3.allow_http = true it is spoken to"
    if bool(settings.access_key_id) != bool(settings.secret_access_key):
        return "storage_s3.access_key_id and storage_s3.secret_access_key go together"
    return None
