"""Calendars and address books: CalDAV and CardDAV."""
