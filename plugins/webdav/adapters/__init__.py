"""Foreign libraries of webdav: wsgidav and lxml."""
