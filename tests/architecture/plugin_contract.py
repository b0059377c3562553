"""A contract of import-linter: a plugin imports another only if its manifest requires it, and then only its
`api`, `events` or `hookspecs`."""

from __future__ import annotations

import ast
from pathlib import Path

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output

PUBLIC = ("api", "events", "hookspecs")


class PluginsMeetAtTheFrontDoor(Contract):
    """Checks every import between bundled plugins."""

    type_name = "plugins"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        requires = {p.parent.name: _requires(p) for p in Path("plugins").glob("*/plugin.py")}
        broken: list[str] = []
        for importer in sorted(m for m in graph.modules if m.startswith("atrio.plugins.")):
            owner = importer.split(".")[2]
            for imported in sorted(graph.find_modules_directly_imported_by(importer)):
                parts = imported.split(".")
                if not imported.startswith("atrio.plugins.") or parts[2] == owner:
                    continue
                if parts[2] not in requires.get(owner, ()):
                    broken.append(f"{importer} imports {imported}, and {owner} does not require {parts[2]}")
                elif len(parts) != 4 or parts[3] not in PUBLIC:
                    broken.append(f"{importer} imports {imported}, which is not public")
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["broken"]:
            output.print_error(line)


def _requires(path: Path) -> tuple[str, ...]:
    """Read `requires` from a manifest without importing it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Manifest":
            for keyword in node.keywords:
                if keyword.arg == "requires":
                    return tuple(ast.literal_eval(keyword.value))
    return ()
