"""Page tokens: opaque, strict, and a page that says what lies around it."""

from __future__ import annotations

import base64
import json
from collections import namedtuple
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrio.kernel.errors import ValidationFailed
from atrio.kernel.http.paging import Bookmark, page, read_token

Row = namedtuple("Row", "label row_id")


def place(row: Any) -> tuple[str, int]:
    return row.label, row.row_id


def encode(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


ROWS = [Row(c, i) for i, c in enumerate("abcde", 1)]


def test_a_token_leads_back_to_its_row() -> None:
    shown = page(ROWS[:3], 2, None, place)
    assert shown.extra is not None
    assert read_token(shown.extra["next_page_token"], str) == Bookmark(">", "b", 2)
    assert read_token(shown.extra["previous_page_token"], str) == Bookmark("<", "a", 1)
    assert read_token(None, str) is None
    assert read_token("", str) is None


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00")), st.integers(0, 2**63 - 1))
def test_any_label_survives_the_way_through_a_token(label: str, row_id: int) -> None:
    shown = page([Row(label, row_id)], 1, None, place)
    assert shown.extra is not None
    assert read_token(shown.extra["next_page_token"], str) == Bookmark(">", label, row_id)


@pytest.mark.parametrize(
    "token",
    [
        "nonsense", "é", "%00", "=", encode({}), encode([]), encode(5), encode(">"), encode(["=", "a", 1]),
        encode([">", 5, 1]), encode([">", "a", "1"]), encode([">", "a", True]), encode([">", "a", -1]),
        encode([">", "a", 2**63]), encode([">", "a", 1, 1]), encode([">", "a\x00", 1]), encode(None),
        base64.urlsafe_b64encode(b"[" * 20_000).decode(), base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)  # fmt: skip
def test_a_token_that_is_none_of_ours_is_refused(token: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        read_token(token, str)
    assert "page_token" in caught.value.details


@pytest.mark.parametrize("value", [-1, 2**63, 1.5, True, None, "1"])
def test_a_number_in_a_token_is_a_number(value: Any) -> None:
    with pytest.raises(ValidationFailed):
        read_token(encode([">", value, 1]), int)


def test_the_last_page_and_the_way_back() -> None:
    last = page(ROWS[3:], 2, Bookmark(">", "c", 3), place)
    assert last.extra is not None
    assert (last.extra["has_next"], last.extra["has_previous"], last.extra["per_page"]) == (False, True, 2)
    back = page([ROWS[2], ROWS[1], ROWS[0]], 2, Bookmark("<", "d", 4), place)
    assert [r.row_id for r in back.items] == [2, 3]
    assert back.extra is not None
    assert (back.extra["has_next"], back.extra["has_previous"]) == (True, True)


def test_a_list_that_is_not_paged() -> None:
    everything = page(ROWS, 0, None, place)
    assert everything.extra == {
        "has_next": False, "has_previous": False, "next_page_token": "", "previous_page_token": "", "per_page": 5,
    }  # fmt: skip
    assert [r.row_id for r in page(ROWS[2::-1], 0, Bookmark("<", "d", 4), place).items] == [1, 2, 3]


def test_an_empty_page() -> None:
    empty = page([], 10, None, place)
    assert empty.items == []
    assert empty.extra is not None
    assert (empty.extra["has_next"], empty.extra["next_page_token"]) == (False, "")
