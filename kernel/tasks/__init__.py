"""Background work: what is declared, how its rows are run, and what wakes whoever runs them."""

from .declared import Task
from .queues import consumes_in_serve
from .running import Jobs

__all__ = ["Jobs", "Task", "consumes_in_serve"]
