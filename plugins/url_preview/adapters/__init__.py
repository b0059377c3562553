"""The only rooms of url_preview that know the HTTP library."""
