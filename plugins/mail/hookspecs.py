"""Hooks that mail offers to other plugins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atrio.kernel.markers import hookspec

if TYPE_CHECKING:
    from atrio.kernel.context import Context


@hookspec
def register_mail_notices() -> Iterable[Mapping[str, Any]]:  # type: ignore[empty-body]
    """Return which events of this plugin are told by mail, as plain mappings.

    `event` is the class; `notices(ctx, event)` is called at the end of the unit and returns a list of mappings of
    primitives, which become the arguments of a job:

    - `kind`: one of `content`, `access_request`, `access_decision`, or a kind of the plugin's own with templates
      `<kind>.txt` and `<kind>.html`;
    - `ref`: what makes it unique: nobody gets two mails of one kind and ref;
    - `space_id`: the members of this space, as they chose there; with `least_role` (1, 2, 4, 8) only those from
      this role on, with `user_id` only this one; without `space_id`, `user_id` alone is written to at once, or
      somebody without an account: `address`, with `name` and `lang`;
    - optional `content_id`, `revision_id`, `details` (a mapping for the template, never a secret);
    - optional `mentioned` (true): he is meant personally;
    - optional `settles` (true): the mail waits `mail.settle_seconds`, and further notices of the same kind,
      content and author add none while it waits;
    - optional `at_once` (true): digests are passed over; only who wants no mail of the space gets none.
    """


@hookspec
def register_mail_facts() -> Mapping[str, Any]:  # type: ignore[empty-body]
    """Return, by kind of mail, the function that reads what such a mail says when it is sent.

    `facts(ctx, details)` gets the `details` of the notice and returns a mapping: `values` for the templates, and
    optionally `space_id` with `space_label` (the list that the mail belongs to), `author_id` and `author_name`
    (who wrote it). None: there is nothing to tell any more. What is secret is read here, never put into `details`.
    """


@hookspec
def register_mail_templates() -> Iterable[Path]:  # type: ignore[empty-body]
    """Return folders with templates (`<kind>.txt`, `<kind>.html`) and `locale/<language>.po`.

    They come before the built-in ones and after those of `mail.template_folder`.
    """


@hookspec(firstresult=True)
def handle_reply(ctx: Context, reply: Mapping[str, Any]) -> int | None:
    """Take a reply that came by mail; return the id of the content made of it, None to leave it to others.

    Called in the unit of the reply, with its sender as the actor, after his right to contribute was checked.
    `reply` has `content` (the row), `text`, `html` (safe), `subject`, `files` (names). Raise a `KernelError` to
    refuse: the sender is told once.
    """
