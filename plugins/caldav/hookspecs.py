"""Hooks that caldav offers to other plugins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from atrio.kernel.markers import hookspec


@hookspec
def register_collections() -> Iterable[Mapping[str, Any]]:  # type: ignore[empty-body]
    """Return calendars and address books that everybody finds in his home, as plain mappings.

    What lies in one is what the plugin tells of it for a user; whoever asks has it compared with what there was,
    so changes have numbers, sync-tokens and ETags like those of any other collection.

    - `name`: last part of the address (`/dav/user_<id>/user_<id>_<name>/`): a letter, then letters, digits and
      hyphens, in lower case; not `calendar`, `addressbook` or `todos`;
    - `kind`: `calendar` or `addressbook`;
    - `label`: what clients show; users may set another name;
    - `entries(ctx, user_id)`: the entries, as mappings with `name` (`<something>.ics` or `.vcf`) and `text` (a
      whole VCALENDAR or VCARD). It runs in a unit of work and looks at the user's rights itself;
    - optional `color` (`#rrggbb`), and `components` of a calendar (`VEVENT`, `VTODO`, with commas between);
    - optional `write(ctx, user_id, name, text)`: take over what a client saved under a name. ValueError with the
      name of a precondition (`C:valid-calendar-data`) refuses it; errors are those of the kernel;
    - optional `delete(ctx, user_id, name)`: a client deleted an entry.

    Without `write` and `delete` the collection is read-only. What `entries` raises leaves it as it was.
    """
