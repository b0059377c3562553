"""Runs inside the environment of the client library `caldav`: `python sessions.py URL LOGIN PASSWORD HOME`.

Finds its calendars from the address alone and works on them; says `done` at the end.
"""

import datetime
import sys

import caldav

url, login, password, home = sys.argv[1:5]
UTC = datetime.UTC

client = caldav.DAVClient(url=url, username=login, password=password)
principal = client.principal()
assert str(principal.url).rstrip("/").endswith(home), principal.url
names = sorted(str(c.url).rstrip("/").rpartition("/")[2] for c in principal.calendars())
assert f"{home}_calendar" in names, names
calendar = next(c for c in principal.calendars() if str(c.url).rstrip("/").endswith(f"{home}_calendar"))
for left in [*calendar.journals(), *calendar.todos(include_completed=True)]:
    left.delete()
before = calendar.get_objects_by_sync_token()
made = calendar.save_event(
    dtstart=datetime.datetime(2026, 11, 30, 8, tzinfo=UTC),
    dtend=datetime.datetime(2026, 11, 30, 9, tzinfo=UTC),
    summary="Breakfast",
    rrule={"FREQ": "DAILY", "COUNT": 5},
)
calendar.save_todo(summary="Buy bread", due=datetime.datetime(2026, 12, 1, tzinfo=UTC))
calendar.save_journal(dtstart=datetime.datetime(2026, 11, 30, tzinfo=UTC), summary="A day", description="was good")
found = calendar.search(
    start=datetime.datetime(2026, 12, 1, tzinfo=UTC),
    end=datetime.datetime(2026, 12, 3, tzinfo=UTC),
    event=True,
    expand=True,
)
assert len(found) == 2, found
assert len(calendar.todos()) == 1
assert len(calendar.journals()) == 1
again = calendar.event_by_uid(made.icalendar_component["uid"])
assert again.icalendar_component["summary"] == "Breakfast"
again.icalendar_component["summary"] = "Late breakfast"
again.save()
changed = list(before.sync())
assert len(list(calendar.get_objects_by_sync_token(sync_token=before.sync_token))) >= 0
task = calendar.todos()[0]
task.complete()
assert calendar.todos() == []
more = principal.make_calendar(name="Garden", cal_id="garden")
more.save_event(
    dtstart=datetime.datetime(2026, 4, 1, tzinfo=UTC),
    dtend=datetime.datetime(2026, 4, 2, tzinfo=UTC),
    summary="Sow",
)
assert [e.icalendar_component["summary"] for e in more.events()] == ["Sow"]
more.set_properties([caldav.elements.dav.DisplayName("Allotment")])
assert list(more.get_properties([caldav.elements.dav.DisplayName()]).values()) == ["Allotment"]
more.delete()
assert "garden" not in [str(c.url).rstrip("/").rpartition("/")[2] for c in principal.calendars()]
again.delete()
try:
    calendar.event_by_uid(made.icalendar_component["uid"])
except caldav.lib.error.NotFoundError:
    print("done")
