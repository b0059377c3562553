"""The garbage collector rests while an instance boots, and works again afterwards."""

import gc
import subprocess
import sys

import pytest

from atrio.kernel import garbage

pytestmark = pytest.mark.any_engine


@pytest.fixture(autouse=True)
def as_before():
    """Leave the collector of the test run as it was."""
    yield
    gc.enable()
    gc.unfreeze()


def test_what_was_made_meanwhile_is_never_walked_again():
    garbage.hold()
    assert not gc.isenabled()
    kept = [[] for _ in range(1000)]
    garbage.resume()
    assert gc.isenabled()
    assert gc.get_freeze_count() > len(kept)


def test_resume_alone_freezes_nothing():
    gc.unfreeze()
    garbage.resume()
    assert gc.get_freeze_count() == 0


def test_held_leaves_a_collector_off_that_was_off():
    gc.unfreeze()
    gc.disable()
    with garbage.held():
        pass
    assert not gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_held_resumes_after_a_refusal():
    with pytest.raises(ValueError, match="no"), garbage.held():
        raise ValueError("no")
    assert gc.isenabled()


def test_a_command_that_boots_goes_on_with_a_collector(tmp_path):
    script = (
        "import gc, sys\n"
        "from atrio.kernel import garbage\n"
        "from atrio.kernel.commands.settings import Settings\n"
        "garbage.hold()\n"
        "kernel = Settings(None, sys.argv[1], {}).boot(schema=False)\n"
        "print(gc.isenabled(), gc.get_freeze_count() > 10_000)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "True"]
