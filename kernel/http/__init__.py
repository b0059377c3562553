"""HTTP: routing, guards, bodies and answers. Pure ASGI, one thread hop a request."""
