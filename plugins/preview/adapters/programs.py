"""Programs of the system that read what strangers made: without network where that can be, and killed in time."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Mapping, Sequence

NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
"""CLONE_NEWUSER and CLONE_NEWNET of unshare(2)."""


def call(command: Sequence[str], folder: str, seconds: int, environment: Mapping[str, str]) -> None:
    """Run a program in a folder; ValueError when it fails or takes too long. What it prints goes nowhere."""
    try:
        done = subprocess.run(  # noqa: S603 - a program that the operator installed, no shell
            command, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ValueError("the program takes too long") from None
    if done.returncode != 0:
        raise ValueError(f"the program ended with {done.returncode}")


def leave_network() -> None:
    """Go where there is no network: links in documents lead nowhere. Harmless where the system forbids it."""
    with contextlib.suppress(OSError, AttributeError):
        unshare = ctypes.CDLL(None, use_errno=True).unshare
        if os.geteuid() == 0:
            unshare(NEW_NETWORK)
        else:
            unshare(NEW_USER | NEW_NETWORK)
