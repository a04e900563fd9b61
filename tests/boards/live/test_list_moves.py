"""The order of a list, described by its moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.boards.live.board import moved
from tms.boards.live.list_moves import moves

ROWS = [f"row-{n}" for n in range(9)]
orders = st.lists(st.sampled_from(ROWS), unique=True)


@given(orders, orders)
def test_moves_turn_any_order_into_the_wanted_one(before, now):
    few = moves("list", before, now)

    assert few is None or moved(before, {"gone": few.gone, "put": few.put}) == now


@pytest.mark.parametrize(
    ("now", "gone", "put"),
    [
        (ROWS, [], []),
        (ROWS[1:], [ROWS[0]], []),
        ([*ROWS, "new"], [], [("new", ROWS[-1])]),
        (["new", *ROWS], [], [("new", "")]),
        ([*ROWS[1:], ROWS[0]], [], [(ROWS[0], ROWS[-1])]),
        ([ROWS[-1], *ROWS[:-1]], [], [(ROWS[-1], "")]),
    ],
)
def test_only_added_removed_and_moved_rows_are_sent(now, gone, put):
    few = moves("list", ROWS, now)

    assert (few.gone, few.put) == (gone, put)


def test_a_completely_different_list_is_sent_as_a_whole():
    assert moves("list", ROWS[:3], ROWS[3:6]) is None
