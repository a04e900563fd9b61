"""Whom a run may send to now: no random fleet loses its last working lane, and no limit is exceeded."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tms.fleet.lifecycle import Lifecycle
from tms.jobs.guards import Chooser, Hold, JobLimits, Lane, SendCandidate, Situation, Skip
from tms.jobs.models import JobHours

ONE = SendCandidate(
    1,
    1,
    1,
    "kiosk",
    Lifecycle.IN_SERVICE,
    is_online=True,
    in_maintenance=False,
    is_offered=True,
    is_permitted=True,
)
NO_LIMITS = JobLimits(1_000, 0, {})
OPEN = Situation({1}, {(1, "kiosk"): {1, 2}}, ())
CLOSED = replace(OPEN, open_sites=())
LAST = replace(OPEN, working={(1, "kiosk"): {1}})

CASES = [
    ({}, JobHours.ANY, OPEN, None),
    ({"is_online": False}, JobHours.ANY, OPEN, Hold.OFFLINE),
    ({}, JobHours.OPEN, CLOSED, Hold.HOURS),
    ({}, JobHours.CLOSED, OPEN, Hold.HOURS),
    ({}, JobHours.CLOSED, CLOSED, None),
    ({"in_maintenance": True}, JobHours.ANY, OPEN, Hold.MAINTENANCE),
    ({"in_maintenance": True}, JobHours.MAINTENANCE, OPEN, None),
    ({}, JobHours.MAINTENANCE, OPEN, Hold.MAINTENANCE),
    ({}, JobHours.ANY, LAST, Hold.LAST_LANE),
    ({}, JobHours.ANY, replace(LAST, open_sites=()), None),
    ({"terminal": 3}, JobHours.ANY, LAST, None),
    ({}, JobHours.ANY, replace(OPEN, busy={1}), Hold.BUSY),
    ({"lifecycle": Lifecycle.RETIRED}, JobHours.ANY, OPEN, Skip.RETIRED),
    ({"is_permitted": False}, JobHours.ANY, OPEN, Skip.NOT_PERMITTED),
    ({"is_offered": False}, JobHours.ANY, OPEN, Skip.UNSUPPORTED),
]


@pytest.mark.parametrize(("changes", "hours", "situation", "why"), CASES)
def test_each_guard_says_why_a_dangerous_command_is_not_sent(changes, hours, situation, why):
    decision = Chooser(hours, True, NO_LIMITS, situation).choose([replace(ONE, **changes)])

    assert [*decision.hold.values(), *decision.skip.values()] == ([] if why is None else [why])
    assert bool(decision.send) is (why is None)


def test_a_harmless_command_may_go_to_the_last_lane():
    assert Chooser(JobHours.ANY, False, NO_LIMITS, LAST).choose([ONE]).send == [ONE]


@st.composite
def fleets(draw):
    """Terminals of few sites and kinds, some of which work, are busy, or are away."""
    number = draw(st.integers(1, 14))
    candidates, working, busy = [], dict[Lane, set[int]](), set()
    for pk in range(number):
        site, kind, state = draw(st.tuples(st.integers(0, 2), st.sampled_from("kg"), st.sampled_from("wwwbox")))
        is_online, is_in_service = state != "o", state != "x"
        lifecycle = Lifecycle.IN_SERVICE if is_in_service else Lifecycle.OUT_OF_SERVICE
        one = replace(ONE, item=pk, terminal=pk, site=site, kind=kind, is_online=is_online, lifecycle=lifecycle)
        candidates.append(one)
        if state == "w":
            working.setdefault(one.lane, set()).add(pk)
        if state == "b":
            busy.add(pk)
    limits = JobLimits(
        draw(st.integers(1, 8)), draw(st.integers(0, 3)), draw(st.dictionaries(st.integers(0, 2), st.integers(0, 3)))
    )
    return candidates, limits, Situation(draw(st.sets(st.integers(0, 2))), working, busy)


@given(fleets(), st.sampled_from(JobHours))
def test_no_open_site_loses_its_last_working_lane_and_no_limit_is_exceeded(fleet, hours):
    candidates, limits, situation = fleet

    decision = Chooser(hours, True, limits, situation).choose(candidates)

    sent = {one.terminal for one in decision.send}
    for (site, _), lanes in situation.working.items():
        assert site not in situation.open_sites or set(lanes) - sent
    assert len(sent) == len(decision.send) <= limits.room
    if limits.per_site:
        for site, number in Counter(one.site for one in decision.send).items():
            assert number + limits.in_flight.get(site, 0) <= limits.per_site
    assert not sent & set(situation.busy)


@given(fleets())
def test_a_run_ends_although_lanes_are_guarded_if_terminals_come_back(fleet):
    candidates, limits, situation = fleet
    limits = replace(limits, in_flight={})
    left = [one for one in candidates if one.is_online]
    alone = {lane for lane, lanes in situation.working.items() if len(lanes) == 1 and lane[0] in situation.open_sites}

    for _ in range(len(left) + 1):
        sent = Chooser(JobHours.ANY, True, limits, replace(situation, busy=())).choose(left).send
        left = [one for one in left if one not in sent]

    assert {one.lane for one in left} <= alone
