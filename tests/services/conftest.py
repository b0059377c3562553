"""An instance on an empty database of its own, once on PostgreSQL and once on MariaDB."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD, make_kernel, service_url

ENGINES = ("postgresql", "mariadb")


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A new, empty database."""
    server = service_url(f"{request.param}_url")
    if server is None:
        pytest.skip(f"ATRIO_TEST_{request.param.upper()}_URL is not set")
    name = f"atrio_test_{secrets.token_hex(6)}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        extra = " CHARACTER SET utf8mb4" if request.param == "mariadb" else ""
        connection.execute(text(f"CREATE DATABASE {name}{extra}"))
    yield engine.url.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        force = " WITH (FORCE)" if request.param == "postgresql" else ""
        connection.execute(text(f"DROP DATABASE {name}{force}"))
    engine.dispose()


@pytest.fixture
def kernel(request: pytest.FixtureRequest, url: str, tmp_path: Path) -> Iterator[Kernel]:
    marker = request.node.get_closest_marker("atrio_config")
    booted = make_kernel(tmp_path, {"database__url": url, **(marker.kwargs if marker else {})})
    yield booted
    booted.stop()
    booted.app.pool.close()
    booted.app.io.close()


@pytest.fixture
def client(kernel: Kernel) -> Iterator[Client]:
    made = Client(kernel.app, ADMIN, PASSWORD)
    yield made
    made.close()
