"""Confinement of this process and all that it starts to some files, without network (Landlock, Linux 5.13).

Documents may name other files, and programs that draw documents may draw those: what they cannot open they
cannot show.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import struct
from collections.abc import Callable, Iterable
from typing import Any

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""Numbers of the system calls, the same on all architectures."""
PATH_BENEATH = 1
NO_NEW_PRIVILEGES = 38
EXECUTE, WRITE_FILE, READ_FILE, READ_FOLDER = 1, 2, 4, 8
REMOVE_FILE, MAKE_SOCKET = 1 << 5, 1 << 9
TRUNCATE, DEVICE = 1 << 14, 1 << 15
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | DEVICE
LOOK = EXECUTE | READ_FILE | READ_FOLDER
TCP = 3
"""Binding and connecting."""
SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/fonts", "/etc/libreoffice", "/etc/alternatives",
    "/etc/ld.so.cache", "/etc/localtime", "/etc/papersize", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf",
    "/var/cache/fontconfig", "/var/spool/libreoffice",
)  # fmt: skip
MEETING = "/tmp"  # noqa: S108 - nothing is read there
"""Where programs make the sockets by which their processes find each other."""
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


def version() -> int:
    """Return the version of Landlock of this system; 0: it has none."""
    with contextlib.suppress(OSError, AttributeError):
        return max(0, int(ctypes.CDLL(None, use_errno=True).syscall(CREATE_RULESET, None, 0, 1)))
    return 0


def confine(folder: str, reads: Iterable[str] = (), *, required: bool = True) -> None:
    """Leave this process a folder to write in, what `reads` names and the system's programs to read; for good.

    OSError where it cannot be done and is `required`.
    """
    known = version()
    if not known:
        if required:
            raise OSError("this system has no Landlock")
        return
    call = ctypes.CDLL(None, use_errno=True).syscall
    every = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(known, 16)) - 1
    wanted = struct.pack("QQQ", every, TCP, 0)[: 8 if known < 4 else 16 if known < 6 else 24]
    rules = _checked(call(CREATE_RULESET, wanted, len(wanted), 0))
    try:
        for path in (*SYSTEM, *reads):
            _allow(call, rules, path, LOOK & every)
        for path in DEVICES:
            _allow(call, rules, path, (READ_FILE | WRITE_FILE) & every)
        _allow(call, rules, MEETING, MAKE_SOCKET | REMOVE_FILE)
        _allow(call, rules, folder, every)
        _checked(ctypes.CDLL(None, use_errno=True).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
        _checked(call(RESTRICT_SELF, rules, 0))
    finally:
        os.close(rules)


def _allow(call: Callable[..., Any], rules: int, path: str, rights: int) -> None:
    """Allow some access to a file or to all below a folder; one that does not exist is left out."""
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            rights &= OF_FILES
        rule = struct.pack("=Qi", rights, handle)
        _checked(call(ADD_RULE, rules, PATH_BENEATH, rule, 0))
    finally:
        os.close(handle)


def _checked(answer: int) -> int:
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return answer
