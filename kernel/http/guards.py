"""Guards: the ordered checks of a route, and the policies behind permissions. Default deny.

A guard looks at the actor and at the path, loads at most one thing, and names its refusals. The other doors
run the same guards through `kernel.run`. A policy answers Allow, Deny or Abstain: any Deny wins with its
error; else any Allow; else the error of the last Abstain; else the permission's default error.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import BootError, KernelError, Unauthenticated

if TYPE_CHECKING:
    from ..context import Context
    from .route import Call

Check = Callable[["Context", "Call"], None]


@dataclass(frozen=True)
class Guard:
    """One check of a route. `check(ctx, call)` raises one of `errors` or returns."""

    name: str
    check: Check
    errors: tuple[type[KernelError], ...] = ()
    public: bool = False


def _pass(ctx: Context, call: Call) -> None:
    """Let everybody in."""


def _signed_in(ctx: Context, call: Call) -> None:
    if ctx.actor.anonymous:
        raise Unauthenticated


PUBLIC = Guard("public", _pass, public=True)
"""For routes that strangers may call; a route without any guard does not boot."""

SIGNED_IN = Guard("signed-in", _signed_in, (Unauthenticated,))


def any_of(*guards: Guard) -> Guard:
    """Pass when one alternative passes; the refusal is that of the last one (spec: errors, §3)."""

    def check(ctx: Context, call: Call) -> None:
        refusal: KernelError | None = None
        for guard in guards:
            try:
                guard.check(ctx, call)
            except KernelError as error:
                refusal = error
            else:
                return
        assert refusal is not None
        raise refusal

    return Guard(" or ".join(g.name for g in guards), check, tuple(e for g in guards for e in g.errors))


def check_all(ctx: Context, call: Call, guards: Iterable[Guard]) -> None:
    """Run guards in order; a stranger is refused first wherever no guard is public."""
    guards = tuple(guards)
    if not guards:
        raise BootError("no guards: default deny")
    if ctx.actor.anonymous and not any(g.public for g in guards):
        raise Unauthenticated
    for guard in guards:
        guard.check(ctx, call)


# -- permissions and policies ------------------------------------------------------------------------------


class Verdict(enum.Enum):
    """What a policy says."""

    ALLOW = "allow"
    DENY = "deny"
    ABSTAIN = "abstain"


@dataclass(frozen=True)
class Ruling:
    """A verdict and the error that goes with a refusal."""

    verdict: Verdict
    error: KernelError | type[KernelError] | None = None


ALLOW = Ruling(Verdict.ALLOW)


def deny(error: KernelError | type[KernelError]) -> Ruling:
    """Refuse for good."""
    return Ruling(Verdict.DENY, error)


def abstain(error: KernelError | type[KernelError] | None = None) -> Ruling:
    """Leave the decision to others; `error` is answered when nobody allows."""
    return Ruling(Verdict.ABSTAIN, error)


@dataclass(frozen=True)
class Permission:
    """A named right; `error` is the refusal when no policy speaks."""

    name: str
    error: type[KernelError]
    summary: str = ""


@dataclass(frozen=True)
class Policy:
    """One opinion on one permission: `decide(ctx, resource)`."""

    permission: str
    decide: Callable[[Context, Any], Ruling]


class Rights:
    """The permissions and policies in force."""

    def __init__(self) -> None:
        self.permissions: dict[str, Permission] = {}
        self._owners: dict[str, str] = {}
        self._policies: dict[str, list[Policy]] = {}

    def declare(self, owner: str, permission: Permission) -> None:
        """Register a permission; a name used twice is a boot error."""
        if permission.name in self.permissions:
            raise BootError(
                f"permission {permission.name!r} is declared by {self._owners[permission.name]} and {owner}"
            )
        self.permissions[permission.name] = permission
        self._owners[permission.name] = owner

    def add(self, owner: str, policy: Policy) -> None:
        """Register a policy for a declared permission."""
        if policy.permission not in self.permissions:
            raise BootError(f"{owner}: policy for the unknown permission {policy.permission!r}")
        self._policies.setdefault(policy.permission, []).append(policy)

    def check(self, ctx: Context, name: str, resource: Any = None) -> None:
        """Raise the refusal unless a policy allows and none denies."""
        permission = self.permissions.get(name)
        if permission is None:
            raise BootError(f"unknown permission {name!r}")
        if ctx.actor.system:
            return
        allowed = False
        last: KernelError | type[KernelError] | None = None
        for policy in self._policies.get(name, ()):
            ruling = policy.decide(ctx, resource)
            if ruling.verdict is Verdict.DENY:
                raise ruling.error or permission.error
            if ruling.verdict is Verdict.ALLOW:
                allowed = True
            elif ruling.error is not None:
                last = ruling.error
        if not allowed:
            raise last or permission.error


def requires(permission: str, *, of: str | None = None, errors: tuple[type[KernelError], ...] = ()) -> Guard:
    """Return the guard that asks the policies, about the resource loaded under the name `of`."""

    def check(ctx: Context, call: Call) -> None:
        ctx.kernel.rights.check(ctx, permission, ctx.resources.get(of) if of else None)

    return Guard(permission, check, errors)
