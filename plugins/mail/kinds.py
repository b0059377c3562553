"""The kinds of mail, the modes of a member, and what a notice is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from atrio.kernel.events import Event

if TYPE_CHECKING:
    from atrio.kernel.context import Context

CONTENT = "content"
WELCOME = "welcome"
RESET = "reset"
ACCESS_REQUEST = "access_request"
ACCESS_DECISION = "access_decision"
DIGEST = "digest"
REFUSAL = "refusal"
KINDS = (CONTENT, WELCOME, RESET, ACCESS_REQUEST, ACCESS_DECISION, DIGEST, REFUSAL)

AT_ONCE, NONE = "individual", "none"
DIGESTS = ("hourly", "daily", "weekly")

ADDRESSEE = "addressee"
"""Where the details of a mail to somebody without an account name him."""

Notice = Mapping[str, Any]
Teller = Callable[["Context", Any], Iterable[Notice]]
Declared = dict[type[Event], list[Teller]]
