"""The stage of the contract is the world of these tests too."""

from __future__ import annotations

from tests.contract.conftest import page, stage

__all__ = ["page", "stage"]
