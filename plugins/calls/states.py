"""States of a call, and who may set which."""

from __future__ import annotations

START = "in_progress"
BY_CALLEE = frozenset({"accepted", "rejected", "declined", "postponed"})
BY_CALLER = frozenset({"cancelled", "unanswered"})
STATES = (START, "accepted", "rejected", "declined", "postponed", "cancelled", "unanswered")
