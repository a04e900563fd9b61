from hypothesis import given
from hypothesis import strategies as st

from tms_agent.connection.pace import RESERVE, Pace
from tms_agent.protocol import frames


@given(
    per_minute=st.integers(1, 1000),
    burst=st.integers(2, 100),
    gaps=st.lists(st.floats(0, 5), min_size=1, max_size=200),
)
def test_no_period_contains_more_frames_than_allowed(per_minute, burst, gaps):
    pace = Pace(frames.Limits(frames_per_minute=per_minute, frames_burst=burst), at=0.0)
    now, sent = 0.0, []
    for gap in gaps:
        now += gap
        now += pace.wait_s(at=now)
        sent.append(now)

    for first in range(len(sent)):
        for last in range(first, len(sent)):
            allowed = max(1.0, RESERVE * burst) + (sent[last] - sent[first]) * per_minute / 60
            assert last - first + 1 <= allowed + 1e-6


def test_a_limit_of_zero_is_treated_as_slow():
    pace = Pace(frames.Limits(frames_per_minute=0, frames_burst=0), at=0.0)

    assert [pace.wait_s(at=0.0), pace.wait_s(at=0.0)] == [0.0, 60.0]
