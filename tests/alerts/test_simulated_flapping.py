"""The preview of flapping equals the result of live evaluation."""

from random import Random

import pytest

from tests.support.alerts.events import cleared, triggered
from tests.support.builders import later
from tms.alerts import lifecycle
from tms.alerts.models import Alert, Flapping
from tms.alerts.preview.flapping import FlapThresholds, with_flapping
from tms.alerts.preview.simulation import SimulatedAlert, simulated_alerts

USUAL = FlapThresholds(window_s=1800, high=0.3, low=0.15)
UNTIL = 4 * 3600


def turns(seed: int) -> list[float]:
    """A rule that triggers and clears, at varying intervals."""
    random, at, found = Random(seed), 0.0, []
    while at < UNTIL - 3600:
        for _ in range(random.randrange(2, 24)):
            at += random.choice([20, 60, 61, 300])
            found.append(float(at))
        at += random.choice([600, 1200, 2400])
    return found


def simulated(
    opened: float, ended: float | None, severity: str = "warning", value: float | None = None
) -> SimulatedAlert:
    return SimulatedAlert(1, severity, later(opened), None if ended is None else later(ended), value, value)


def summarise(fired: list[SimulatedAlert], *, until: float = UNTIL) -> list[tuple[float, float | None, int]]:
    """Opened, ended, changes."""
    begin = later(0)
    return [
        ((one.opened_at - begin).total_seconds(), one.ended_at and (one.ended_at - begin).total_seconds(), one.changes)
        for one in with_flapping(fired, USUAL, until=later(until))
    ]


def expire(*, before: float) -> None:
    """Expire at any due time."""
    for flapping in Flapping.objects.filter(ended_at=None, stable_at__lte=later(before)):
        lifecycle.expire_flapping(flapping.stable_at)


@pytest.mark.both
@pytest.mark.parametrize("seed", range(4))
def test_the_preview_equals_live_evaluation(rule, terminal, seed):
    rule_events = []
    for number, at in enumerate(turns(seed)):
        rule_events.append((triggered, cleared)[number % 2](rule, terminal, at))
        expire(before=at)
        lifecycle.apply_events([rule_events[-1]])
    expire(before=UNTIL)

    found = with_flapping(simulated_alerts(rule_events, until=later(UNTIL)), USUAL, until=later(UNTIL))

    alerts = Alert.objects.order_by("opened_at").values_list("opened_at", "resolved_at", "flapping__changes")
    assert [(one.opened_at, one.ended_at, one.changes or None) for one in found] == [*alerts]
    assert any(one.changes for one in found), "some of it flapped"


def test_occasional_openings_are_unchanged():
    fired = [simulated(at, at + 900) for at in range(0, 36_000, 1800)]

    assert with_flapping(fired, USUAL, until=later(40_000)) == fired


def test_a_flapping_alert_has_its_worst_severity():
    fired = [simulated(at, at + 60, "warning", at) for at in range(0, 960, 120)]
    fired[5] = fired[5]._replace(severity="critical", lowest=-7.0)

    *before, stood = with_flapping(fired, USUAL, until=later(UNTIL))

    assert len(before) == 3
    assert (stood.severity, stood.lowest, stood.highest, stood.changes) == ("critical", -7.0, 840, 16)


def test_an_alert_that_is_not_stable_at_the_end_is_still_open():
    fired = [simulated(at, at + 60) for at in range(0, 960, 120)]

    assert summarise(fired, until=1000)[-1] == (360, None, 16)


def test_a_stable_alert_that_still_matches_continues_to_its_end():
    fired = [*(simulated(at, at + 60) for at in range(0, 960, 120)), simulated(960, 9000)]

    assert summarise(fired)[-1] == (360, 9000, 17)


def test_each_terminal_is_computed_separately():
    fired = [simulated(at, at + 60)._replace(terminal_id=at) for at in range(0, 2400, 120)]

    assert with_flapping(fired, USUAL, until=later(UNTIL)) == fired
