import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tms_agent.connection.backoff import MAX_WAIT_S, Backoff
from tms_agent.connection.link import LOST, Closed, Drained, HandshakeRefused, TimedOut, Unreachable
from tms_agent.protocol import frames
from tms_agent.protocol.close_codes import CloseCode

ENDS = st.one_of(
    st.builds(Closed, st.sampled_from([*CloseCode, LOST, 1011, 4999])),
    st.builds(HandshakeRefused, st.integers(100, 599), retry_after_s=st.none() | st.floats(0, 1e12)),
    st.builds(Drained, st.builds(frames.DrainFrame, st.floats(0, 1e12), st.floats(0, 1e12))),
    st.builds(TimedOut, st.just("silence"), is_everywhere=st.booleans()),
    st.builds(Unreachable, st.just("no route")),
)


def test_the_window_is_as_long_as_the_wait_so_far_up_to_a_minute():
    backoff = Backoff(jitter=lambda: 1.0)

    waits = [backoff.after(Unreachable("no route")) for _ in range(9)]

    assert waits == [1, 1, 2, 4, 8, 16, 32, 60, 60]


@given(st.lists(st.floats(0.01, 1, exclude_max=True), min_size=1), st.floats(0, 300))
def test_no_outage_is_more_than_doubled(dice, outage_s):
    turns = itertools.cycle(dice)
    backoff, at = Backoff(jitter=lambda: next(turns)), 0.0

    while at <= outage_s:
        at += backoff.after(Unreachable("no route"))

    assert at <= outage_s + max(1.0, min(outage_s, 60.0)) + 1e-6


def test_the_first_wait_is_random_from_zero():
    assert Backoff(jitter=lambda: 0.0).after(Closed(LOST)) == 0
    assert Backoff(jitter=lambda: 0.5).after(Closed(LOST)) == 0.5


def test_a_stable_link_resets_the_backoff():
    backoff = Backoff(jitter=lambda: 1.0)
    for _ in range(5):
        backoff.after(Closed(LOST))

    backoff.reset()

    assert backoff.after(Closed(LOST)) == 1


def test_no_response_from_any_address_opens_the_widest_window_at_once():
    assert Backoff(jitter=lambda: 1.0).after(TimedOut("silence", is_everywhere=True)) == 60
    assert Backoff(jitter=lambda: 1.0).after(TimedOut("silence", is_everywhere=False)) == 1


@pytest.mark.parametrize(
    ("end", "soonest", "latest"),
    [
        (Closed(CloseCode.NORMAL), 0, 1),
        (Closed(CloseCode.BAD_FRAMES), 60, 300),
        (Closed(CloseCode.CREDENTIAL_REVOKED), 300, 600),
        (Closed(CloseCode.NO_BOOT), 0, 1),
        (Closed(CloseCode.REPLACED), 60, 120),
        (Closed(CloseCode.TOO_LARGE), 10, 60),
        (Closed(CloseCode.TOO_FAST), 30, 60),
        (Closed(CloseCode.DRAINING), 1, 31),
        (HandshakeRefused(401, problem="tms:unauthorised"), 300, 600),
        (HandshakeRefused(401), 0, 1),
        (HandshakeRefused(403), 0, 1),
        (HandshakeRefused(403, retry_after_s=20.0), 20, 21),
        (HandshakeRefused(404), 0, 1),
        (HandshakeRefused(503), 0, 1),
        (HandshakeRefused(503, retry_after_s=20.0), 20, 21),
        (HandshakeRefused(429, retry_after_s=9.0), 9, 10),
        (Drained(frames.DrainFrame(1, 30)), 1, 31),
    ],
)
def test_each_end_of_a_link_has_its_limits(end, soonest, latest):
    assert Backoff(jitter=lambda: 0.0).after(end) == soonest
    assert Backoff(jitter=lambda: 1.0).after(end) == latest


@given(st.lists(ENDS, max_size=20), st.floats(0, 1, exclude_max=True))
def test_no_wait_is_negative_or_unlimited(ends, dice):
    backoff = Backoff(jitter=lambda: dice)

    assert all(0 <= backoff.after(end) <= MAX_WAIT_S for end in ends)
