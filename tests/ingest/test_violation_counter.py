import pytest

from tms.ingest.session import ViolationCounter


@pytest.mark.parametrize(
    ("at", "is_too_many"),
    [
        ([0, 1, 2], [False, False, True]),
        ([0, 1, 59.9], [False, False, True]),
        ([0, 1, 60], [False, False, False]),  # the first is a minute old by then
        ([0, 50, 100, 105], [False, False, False, True]),
    ],
)
def test_three_within_a_minute_are_too_many(at: list[float], is_too_many: list[bool]):
    counter = ViolationCounter(3)

    assert [counter.add(instant) for instant in at] == is_too_many
