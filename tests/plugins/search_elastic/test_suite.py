"""The engine on a server does what every engine must do."""

from __future__ import annotations

import pytest

from tests.plugins.search.suite import *  # noqa: F403

pytestmark = pytest.mark.services
