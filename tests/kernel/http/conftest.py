"""What several files here share."""

from tests.kernel.http.served import served  # noqa: F401 - a fixture
