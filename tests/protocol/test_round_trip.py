"""The server decodes what an agent encodes."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from tests.support.protocol.frames import decoded
from tms.protocol import frames, limits, uplink
from tms.protocol.text import clean

INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=64).map(clean)
"""Cleaning is tested elsewhere."""
NAMES = TEXTS.filter(bool)
METRICS = st.dictionaries(
    st.from_regex(r"\A[a-z][a-z0-9_.]{0,63}\Z"), st.floats(-limits.METRIC_BOUND, limits.METRIC_BOUND), max_size=10
)
EVENTS = st.builds(
    frames.TerminalEvent,
    INSTANTS,
    st.from_regex(r"\A[a-z0-9][a-z0-9_.-]{0,63}\Z"),
    st.sampled_from(["critical", "warning", "info"]),
    TEXTS,
)
STATUSES = st.sampled_from([UNSET, "ok", "degraded", "fault"])
REPORTS = st.builds(
    frames.ReportFrame,
    st.integers(0, limits.SEQ_MAX),
    INSTANTS,
    STATUSES,
    st.just(UNSET) | METRICS,
    st.lists(EVENTS, max_size=5).map(tuple),
    st.booleans(),
    st.just(UNSET) | NAMES,
)
CALLS = st.one_of(
    st.builds(uplink.ReportCall, REPORTS, st.just("2.0")),
    st.builds(
        uplink.BootCall,
        st.builds(
            frames.BootFrame,
            NAMES,
            st.floats(0, 1e12),
            serial=NAMES,
            full=st.builds(frames.FullState, STATUSES, METRICS),
        ),
        st.integers(-limits.SEQ_MAX, limits.SEQ_MAX) | NAMES,
        st.just("2.0"),
    ),
    st.just(uplink.HeartbeatCall("2.0")),
    st.builds(
        uplink.GoodbyeCall, st.builds(frames.GoodbyeFrame, st.just("update"), st.just(UNSET) | INSTANTS), st.just("2.0")
    ),
    st.builds(uplink.CommandAnswer, NAMES, st.just("2.0"), st.dictionaries(NAMES, st.integers(-(2**31), 2**31))),
)


@given(CALLS)
def test_a_frame_arrives_as_it_was_sent(sent):
    assert decoded(uplink.encode(sent)) == sent


@given(st.lists(REPORTS, min_size=1, max_size=20))
def test_a_batch_arrives_as_it_was_sent(reports):
    calls = [uplink.ReportCall(report, "2.0") for report in reports]

    assert list(uplink.decode(uplink.encode_batch(calls))) == calls
