"""Reads of hello: built once, here, and run with bound values."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from atrio.kernel.db.statement import Statement

from .models import Greeting

COLUMNS = (Greeting.greeting_id, Greeting.user_id, Greeting.sender_id, Greeting.text, Greeting.created)

ONE = Statement(select(*COLUMNS).where(Greeting.greeting_id == bindparam("greeting_id")), "GreetingRow")
OF_USER = Statement(
    select(*COLUMNS)
    .where(Greeting.user_id == bindparam("user_id"))
    .order_by(Greeting.greeting_id.desc())
    .limit(bindparam("limit")),
    "GreetingRow",
)
BY_REASON = Statement(select(Greeting.greeting_id).where(Greeting.reason == bindparam("reason")), "ReasonRow")
