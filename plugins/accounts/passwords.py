"""Password hashing, and the short memory of verified Basic credentials.

argon2id with 19 MiB and two passes (the OWASP minimum) costs about 20 ms of CPU; DAV clients send their
password with every request, so a success is remembered for a minute under a key that no stored value
reveals. Changing the password or the account changes the hash or the version, hence the key.
"""

from __future__ import annotations

import hmac
import os
import secrets
import threading
import time
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LIFE_SECONDS = 60.0
_KEY = secrets.token_bytes(32)
_slots = threading.BoundedSemaphore(os.cpu_count() or 1)
_verified: dict[bytes, float] = {}


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


@lru_cache(maxsize=1)
def _dummy_hash() -> str:
    return _hasher().hash("nobody has this password")


def hash_password(password: str) -> str:
    """Return the argon2id hash."""
    with _slots:
        return _hasher().hash(password)


def verify(stored: str | None, password: str) -> bool:
    """Check a password; an account without one, or no account, costs the same as a wrong password."""
    from argon2.exceptions import InvalidHashError, VerificationError

    with _slots:
        try:
            _hasher().verify(stored or _dummy_hash(), password)
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def remember_key(login: str, password: str, stored: str, version: int) -> bytes:
    """Return the key under which a success is remembered."""
    parts = "\x00".join((login, password, stored, str(version)))
    return hmac.digest(_KEY, parts.encode("utf-8", "surrogatepass"), "sha256")


def remembered(key: bytes) -> bool:
    """Tell whether these credentials were verified within the last minute."""
    until = _verified.get(key)
    return until is not None and until > time.monotonic()


def remember(key: bytes) -> None:
    """Remember a success; failures are never kept."""
    if len(_verified) > 10_000:
        now = time.monotonic()
        for old in [k for k, until in list(_verified.items()) if until <= now]:
            _verified.pop(old, None)
        if len(_verified) > 10_000:
            _verified.clear()
    _verified[key] = time.monotonic() + LIFE_SECONDS
