"""Every bundled plugin passes the battery that ships for third parties."""

from atrio.kernel.testing.conformance import *  # noqa: F403
