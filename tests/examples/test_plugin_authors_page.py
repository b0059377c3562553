"""The page for authors shows the example as it is."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from atrio import hookspecs
from atrio.kernel.plugins import State

from .conftest import ROOT

PAGE = (ROOT / "docs" / "plugin-authors.md").read_text("utf-8")
EXAMPLE = {p: p.read_text("utf-8") for p in sorted((ROOT / "examples" / "hello").rglob("*.py"))}
SPECS = sorted((ROOT / "plugins").glob("*/hookspecs.py"))
FENCES = re.findall(r"^```(.*)\n((?:.*\n)*?)```$", PAGE, re.MULTILINE)
HOOKS = re.findall(r"^@hookimpl.*\ndef (\w+)", "\n".join(EXAMPLE.values()), re.MULTILINE)


def test_the_page_has_samples_of_python_alone() -> None:
    assert len(FENCES) >= 20
    assert {language for language, _ in FENCES} == {"python"}
    assert PAGE.count("```") == 2 * len(FENCES)


@pytest.mark.parametrize("sample", [code for _, code in FENCES], ids=range(len(FENCES)))
def test_samples_are_cut_from_the_example(sample: str) -> None:
    assert [p.name for p, text in EXAMPLE.items() if sample in text], sample


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_of_the_example_is_explained(hook: str) -> None:
    assert f"`{hook}`" in PAGE


def test_every_hook_that_is_named_exists() -> None:
    named = set(re.findall(r"`((?:register|on)_\w+)`", PAGE))
    assert named >= {"register_policies", "register_commands"}
    bundled = [import_module(f"atrio.plugins.{p.parent.name}.hookspecs") for p in SPECS]
    assert not {hook for hook in named if not any(hasattr(module, hook) for module in (hookspecs, *bundled))}


def test_every_state_is_explained() -> None:
    rows = set(re.findall(r"^\| `(\w+)` \| ", PAGE.partition("## Life cycle")[2], re.MULTILINE))
    assert rows == {str(state) for state in State}


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", PAGE)
    assert links
    assert not [link for link in links if not (ROOT / "docs" / link).exists()]
    anchors = {re.sub(r"[^a-z ]", "", t.lower()).replace(" ", "-") for t in re.findall(r"^#+ (.+)$", PAGE, re.M)}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= anchors
