"""Whose fault an exception is: ours, or of what a client sent, over which the library stumbled."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from atrio.kernel.errors import KernelError

LIBRARIES = ("radicale", "vobject", "dateutil", "xml", "defusedxml", "pyexpat")
PASSED = ("unit", "acquire_lock", "unit_of_work", "noted")
"""Functions of ours through which every request goes."""


def is_ours(error: BaseException) -> bool:
    """Tell whether an exception came out of our code or the database: the innermost frame of either side says."""
    if isinstance(error, (SQLAlchemyError, KernelError, MemoryError)):
        return True
    ours = False
    step = error.__traceback__
    while step is not None:
        module = str(step.tb_frame.f_globals.get("__name__", ""))
        if module.startswith("atrio."):
            ours = ours if step.tb_frame.f_code.co_name in PASSED else True
        elif module.partition(".")[0] in LIBRARIES:
            ours = False
        step = step.tb_next
    return ours
