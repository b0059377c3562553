"""The spaces as a drive: WebDAV."""
