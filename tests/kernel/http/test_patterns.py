"""The pattern of mail addresses in marshmallow is compiled by who uses it, and judges as it always did."""

import re
import subprocess
import sys

import pytest

from atrio.kernel.http.patterns import LatePattern

pytestmark = pytest.mark.any_engine
SCRIPT = """
import re
from marshmallow import ValidationError
{first}
from marshmallow import validate
now = re.compile
check = validate.Email()
print(type(validate.Email.DOMAIN_REGEX).__name__)
for address in ("ada@example.org", "ada@[127.0.0.1]", "ada@bücher.example", "ada@localhost", "ada@-x-", "ada@a..b"):
    try:
        check(address)
    except ValidationError as error:
        print(address, *error.messages)
    else:
        print(address)
"""


def judged(first: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("from marshmallow import ValidationError\n{first}", first)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_addresses_are_judged_as_by_marshmallow_alone() -> None:
    plain = judged("from marshmallow import ValidationError")
    late = judged("import atrio.kernel.http.schema\nfrom marshmallow import ValidationError")
    assert (plain[0], late[0]) == ("Pattern", "LatePattern")
    assert plain[1:] == late[1:]
    assert any("Not a valid" in line for line in late)
    assert "ada@example.org" in late


def test_a_late_pattern_is_asked_like_any_other() -> None:
    pattern = LatePattern("a+", re.IGNORECASE)
    assert pattern.match("AAb").group() == "AA"
    assert pattern.pattern == "a+"
    with pytest.raises(AttributeError):
        pattern.no_such_thing  # noqa: B018
