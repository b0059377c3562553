"""What ships for tests: fixtures (`atrio.kernel.testing.plugin`) and the conformance battery.

A third party runs the battery on its plugin with one import in a test module::

    from atrio.kernel.testing.conformance import *  # noqa: F403
"""
