"""What an entry may cost whoever reads it: recurrence rules, sizes, and the collection it is for.

The libraries that expand rules have no bound of their own: a rule that steps by nothing, or that never meets a
day, keeps a thread busy for ever. So rules are looked at before anybody expands them. Refusals are the names of
preconditions (RFC 4791 §5.3.2.1, RFC 6352 §6.3.2.1).
"""

from __future__ import annotations

import re
import warnings
from calendar import isleap
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from dateutil.rrule import rrulestr

from ..answers import too_large
from ..places import ADDRESSBOOK, CALENDAR
from ..texts import ENTRIES, Component, Unreadable, components

MAX_INSTANCES = 10_000
"""How often an entry that ends may happen."""
MAX_A_YEAR = 3000
"""How often a year an entry without an end may happen: eight times a day."""
MAX_RULES = 200
MAX_LINES = 20_000
"""Content lines of one entry, unfolded."""
YEARS = {"YEARLY": 1000, "MONTHLY": 500, "WEEKLY": 200, "DAILY": 100, "HOURLY": 2}
"""Frequencies that are taken, and how many years they are followed to see whether they meet any day."""
EASY = frozenset({"FREQ", "COUNT", "UNTIL", "INTERVAL", "WKST", "BYDAY"})
FIRST_YEAR = 1900
_FOLD = re.compile(r"\r?\n[ \t]")
_RULE = re.compile(r"^(?:RRULE|EXRULE)(?:;[^:\r\n]*)?:(.*)$", re.I)
_RULES = re.compile(r"^(?:RRULE|EXRULE)[;:]", re.I | re.M)
_DATES = re.compile(r"^(?:RDATE|EXDATE)[;:][^\r\n]*", re.I | re.M)
_START = re.compile(r"^DTSTART(?:;[^:\r\n]*)?:(.*)$", re.I)
_BEGIN = re.compile(r"^\s*BEGIN:(\w+)", re.I)
_NUMBERED = re.compile(r"[0-9]")

INSTANCES = "C:max-instances"


def invalid(tag: str) -> str:
    """Return the precondition of a text that is no entry of such a collection."""
    return "CR:valid-address-data" if tag == ADDRESSBOOK else "C:valid-calendar-data"


def refusal(text: str, tag: str, allowed: str | None) -> str | None:
    """Return why an entry is refused, None to go on. `allowed` are the components that the collection takes."""
    begin = _BEGIN.match(text)
    outer = begin.group(1).upper() if begin is not None else ""
    if tag == CALENDAR and outer in ("VCARD", "VLIST"):
        return "C:supported-calendar-data"
    if tag == ADDRESSBOOK and outer == CALENDAR:
        return "CR:supported-address-data"
    flat = _FOLD.sub("", text)
    if flat.count("\n") > MAX_LINES:
        return too_large(tag)
    if tag != CALENDAR:
        return None
    if allowed is not None and _outside(flat, allowed):
        return "C:supported-calendar-component"
    return _recurrence(flat)


def _outside(flat: str, allowed: str) -> bool:
    names = {name.strip().upper() for name in allowed.split(",")}
    found = {name.upper() for name in re.findall(r"^BEGIN:(\w+)", flat, re.I | re.M)}
    return bool(found & set(ENTRIES) - names)


def _recurrence(flat: str) -> str | None:
    if sum(dates.count(",") + 1 for dates in _DATES.findall(flat)) > MAX_INSTANCES:
        return INSTANCES
    rules = len(_RULES.findall(flat))
    if not rules:
        return None
    if rules > MAX_RULES:
        return INSTANCES
    try:
        for part in components(flat, CALENDAR):
            inside = components(part.text, part.name) if part.name == "VTIMEZONE" else (part,)
            for owner in inside:
                why = _of_component(owner, zone=part.name == "VTIMEZONE")
                if why is not None:
                    return why
    except Unreadable:
        return "C:valid-calendar-data"
    return None


def _of_component(part: Component, *, zone: bool) -> str | None:
    start = _moment(part.value(_START))
    for line in part.lines:
        found = _RULE.match(line)
        if found is None:
            continue
        why = _of_rule(found.group(1).strip(), start, zone=zone)
        if why is not None:
            return why
    return None


def _moment(value: str) -> datetime | None:
    for pattern, length in (("%Y%m%dT%H%M%S", 15), ("%Y%m%d", 8)):
        try:
            return datetime.strptime(value[:length], pattern)
        except ValueError:
            continue
    return None


def _of_rule(value: str, start: datetime | None, *, zone: bool) -> str | None:
    parts = {k.upper(): v.upper() for k, _, v in (p.partition("=") for p in value.split(";")) if k}
    frequency = parts.get("FREQ", "")
    interval = parts.get("INTERVAL", "1")
    if not interval.isdigit() or int(interval) < 1 or not (parts.get("COUNT") or "0").isdigit():
        return "C:valid-calendar-data"
    if frequency not in YEARS or (zone and frequency not in ("YEARLY", "MONTHLY")):
        return INSTANCES
    endless = not parts.get("COUNT") and not parts.get("UNTIL")
    if frequency == "HOURLY" and endless:
        return INSTANCES
    if start is not None and start.year < FIRST_YEAR and frequency in ("DAILY", "WEEKLY", "HOURLY"):
        return INSTANCES
    if int(parts.get("COUNT") or 0) > MAX_INSTANCES:
        return INSTANCES
    stepped = interval != "1" and "BYDAY" in parts and frequency == "DAILY"
    numbered = _NUMBERED.search(parts.get("BYDAY", "")) is not None
    if parts.keys() <= EASY and not numbered and not stepped and frequency != "HOURLY":
        return None
    return _followed(value, start, YEARS[frequency], parts, endless=endless)


def _followed(
    value: str, start: datetime | None, years: int, parts: dict[str, str], *, endless: bool
) -> str | None:  # fmt: skip
    begin = start or datetime(2000, 1, 1)
    horizon = begin + timedelta(days=min(365.2425 * years, (datetime.max - begin).days - 1))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rule = rrulestr(value, dtstart=begin, ignoretz=True, forceset=False)
            if not _ever(rule, begin):
                return INSTANCES
            if endless:
                dense = _more_than(rule, begin + timedelta(days=365), MAX_A_YEAR)
                return INSTANCES if dense else None
            ended = rule._until is not None and rule._until <= horizon
            limited = rule.replace(count=None, until=rule._until if ended else horizon)
            met = sum(1 for _ in islice(limited, MAX_INSTANCES + 1))
    except (ValueError, TypeError, ArithmeticError, AttributeError, LookupError):
        return "C:valid-calendar-data"
    count = int(parts.get("COUNT") or 0)
    if (met == 0 and not ended) or (count and met < count):
        return INSTANCES
    return INSTANCES if parts.get("UNTIL") and (not ended or met > MAX_INSTANCES) else None


def _ever(rule: Any, begin: datetime) -> bool:
    """Tell whether a rule meets any day within the years in which the calendar repeats itself.

    The library looks for the first one until the year 9999, for seconds and longer; so the rule begins in a year
    near it that has the same days.
    """
    first = date(begin.year, 1, 1).weekday(), isleap(begin.year)
    year = next(y for y in range(9960, 9990) if (date(y, 1, 1).weekday(), isleap(y)) == first)
    late = rule.replace(count=None, until=None, dtstart=begin.replace(year=year))
    return next(iter(late), None) is not None


def _more_than(rule: Any, end: datetime, most: int) -> bool:
    for number, moment in enumerate(rule, 1):
        if moment > end:
            return False
        if number > most:
            return True
    return False
