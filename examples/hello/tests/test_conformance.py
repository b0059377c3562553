"""The rules that every plugin keeps."""

from atrio.kernel.testing.conformance import *  # noqa: F403
