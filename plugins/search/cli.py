"""`atrio search`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import rich_click as click

from atrio.kernel.commands.settings import print_json, print_table


@click.group()
def search() -> None:
    """Look after the index."""


@search.command("files")
@click.option("--failed", is_flag=True, help="List files that could not be read, or not to their end; the newest.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many of them.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.pass_obj
def files(settings: Any, failed: bool, limit: int, as_json: bool) -> None:
    """Say what came of reading the text in files."""
    from .files.queries import failures, outcomes

    kernel = _boot(settings)
    with kernel.unit(writes=False) as ctx:
        found = failures(ctx, limit) if failed else outcomes(ctx)
    kernel.db.close()
    names = ("content_id", "filename", "outcome", "detail") if failed else ("outcome", "number", "characters")
    rows = [{name: getattr(row, name) for name in names} for row in found]
    if as_json:
        print_json(rows)
    else:
        print_table(list(names), [[str(row[name]) for name in names] for row in rows])


@search.group("index")
def index() -> None:
    """Make, fill, compare and delete the index."""


def _boot(settings: Any) -> Any:
    from atrio.kernel.errors import PluginUnavailable

    kernel = settings.boot()
    record = kernel.record("search")
    if record is None or not record.enabled:
        raise PluginUnavailable(f"search is not running: {record.reason if record else 'not installed'}")
    return kernel


def _progress() -> Callable[[str, int, int], None]:
    """Return what shows progress on standard error: a line that is overwritten on a terminal, else every tenth."""
    shown: dict[str, int] = {}

    def show(what: str, done: int, total: int) -> None:
        tenth = 10 * done // total if total else 10
        if sys.stderr.isatty():
            click.echo(f"\r{what}: {done} of {total}", nl=done >= total, err=True)
        elif shown.get(what) != tenth:
            shown[what] = tenth
            click.echo(f"{what}: {done} of {total}", err=True)

    return show


@index.command("create")
@click.pass_obj
def index_create(settings: Any) -> None:
    """Make the index where there is none."""
    from .choice import embedded, engine_of

    kernel = _boot(settings)
    for engine in {id(e): e for e in (embedded(kernel), engine_of(kernel))}.values():
        engine.create(kernel)
        click.echo(f"the index of {engine.name} is there")
    kernel.db.close()


@index.command("populate")
@click.option("--content", "content_ids", type=int, multiple=True, help="Only these contents.")
@click.pass_obj
def index_populate(settings: Any, content_ids: tuple[int, ...]) -> None:
    """Index everything again, in small steps, while the server runs."""
    from .upkeep import populate, populate_contents

    kernel = _boot(settings)
    counts = populate_contents(kernel, content_ids) if content_ids else populate(kernel, _progress())
    kernel.db.close()
    click.echo(", ".join(f"{count} {kind}(s)" for kind, count in counts.items()) + " indexed")


@index.command("rebuild")
@click.pass_obj
def index_rebuild(settings: Any) -> None:
    """Index everything again, and make the index anew beside the old one, which answers meanwhile."""
    from .choice import embedded, engine_of
    from .upkeep import populate

    kernel = _boot(settings)
    show = _progress()
    populate(kernel, show)
    for engine in {id(e): e for e in (embedded(kernel), engine_of(kernel))}.values():
        engine.rebuild(kernel, show)
        click.echo(f"the index of {engine.name} is new")
    kernel.db.close()


@index.command("status")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.pass_obj
def index_status(settings: Any, as_json: bool) -> None:
    """Say how the index stands; exit code 1 when it cannot answer."""
    from .choice import engine_of
    from .stems.services import facts as stem_facts

    kernel = _boot(settings)
    engine = engine_of(kernel)
    status = engine.status(kernel)
    known = kernel.run(stem_facts, writes=False)
    kernel.db.close()
    facts = {"engine": engine.name, "ready": status.ready, **status.facts, **known}
    if as_json:
        print_json(facts)
    else:
        print_table(["fact", "value"], [[name, str(value)] for name, value in facts.items()])
    if not status.ready:
        sys.exit(1)


@index.command("check")
@click.option("--repair", is_flag=True, help="Index what differs.")
@click.pass_obj
def index_check(settings: Any, repair: bool) -> None:
    """Make every text anew and compare it with the index; exit code 1 when something differs and stays so."""
    from .upkeep import check

    kernel = _boot(settings)
    found = check(kernel, _progress(), repair=repair)
    kernel.db.close()
    for kind, ids in found.items():
        shown = ", ".join(str(i) for i in ids[:20])
        click.echo(f"{len(ids)} {kind}(s) differ{': ' + shown if ids else ''}")
    if any(found.values()):
        click.echo("repaired" if repair else "type: atrio search index check --repair")
        if not repair:
            sys.exit(1)


@index.command("drop")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def index_drop(settings: Any, yes: bool) -> None:
    """Delete the index and the texts in it; contents stay. Searches find nothing until it is there again."""
    from .choice import embedded, engine_of
    from .services import forget_texts

    kernel = _boot(settings)
    if not yes:
        click.confirm("Delete the whole index?", abort=True)
    for engine in {id(e): e for e in (engine_of(kernel), embedded(kernel))}.values():
        engine.drop(kernel)
    count = kernel.run(forget_texts)
    kernel.db.close()
    click.echo(f"the index is gone, with the texts of {count} content(s)")
