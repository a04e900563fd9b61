"""What an operator action changes is replayed: of each entry of the registry, for an alert and an incident."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.alerts.incidents import Storm
from tms.accounts.models import User
from tms.alerts import correlation, lifecycle
from tms.alerts.actions.action import AlertTarget, IncidentTarget, OperatorAction
from tms.alerts.actions.registry import ACTIONS
from tms.alerts.correlation.regrouping.merge import merge
from tms.alerts.correlation.regrouping.move_out import move_out
from tms.alerts.models import Alert, AlertState, Contract, Incident, Rule
from tms.replay.state import Moment

pytestmark = [pytest.mark.both, pytest.mark.django_db]

OF_BOTH = ("state", "severity", "acknowledged_by_id", "acknowledged_at", "contract", "until", "comment")
OF_BOTH += ("claimed_by_id", "assigned_to_id")
COLUMNS = {
    Alert: (*OF_BOTH, "is_stale", "incident_id"),
    Incident: (*OF_BOTH, "by_snooze", "joined_count", "resolved_count", "lost", "site_count"),
}
"""What has a history: the `size` of an incident has none."""


@pytest.fixture
def mori(storm) -> User:
    return storm.fleet.person("mori")


@pytest.fixture
def aiko(storm) -> User:
    return storm.fleet.person("aiko")


class Recording:
    """The columns of alerts and incidents at some instants."""

    def __init__(self, storm: Storm) -> None:
        self.scheduler = storm.scheduler
        self.moments: list[tuple[Any, dict[Any, Any]]] = []

    def note(self) -> None:
        """Note the state after the jobs that follow a change."""
        self.scheduler.advance(seconds=10, step_s=10)
        unresolved = (*Alert.objects.unresolved().order_by("pk"), *Incident.objects.unresolved().order_by("pk"))
        self.moments.append((self.scheduler.at, columns(unresolved)))
        self.scheduler.advance(seconds=10, step_s=10)

    def check(self) -> None:
        now = self.scheduler.advance(seconds=60, step_s=60)
        for at, expected in self.moments:
            moment = Moment(at, now=now)
            found = columns([*moment.alerts([row.pk for row in moment.facts]), *moment.incidents])
            assert found == expected, at


def columns(rows: Any) -> dict[Any, Any]:
    return {(type(row), row.pk): {name: getattr(row, name) for name in COLUMNS[type(row)]} for row in rows}


@pytest.mark.parametrize("subject", ["alert", "incident"])
@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_the_state_before_and_after_an_action_is_replayed(storm, aiko, mori, action: OperatorAction, subject: str):
    storm.lose(storm.shop("SJK", 3), seconds=30)
    rows = Alert.objects.order_by("pk")[:1] if subject == "alert" else Incident.objects.all()
    rows = type(rows.get()).objects.filter(pk=rows.get().pk)
    target, recording = getattr(action, subject), Recording(storm)
    prepare(target, rows, by=mori, at=storm.scheduler.at)
    values = {
        "comment": "why",
        "contract": Contract.TIME,
        "until": storm.scheduler.at + timedelta(hours=1),
        "to": aiko,
    }

    recording.note()
    terms = {name: values[name] for name in action.schema.model_fields}
    target.perform(rows, by=aiko, at=storm.scheduler.at, **terms)
    recording.note()

    assert recording.moments[0][1] != recording.moments[1][1]
    recording.check()


def prepare(target: AlertTarget | IncidentTarget, rows: Any, *, by: User, at: Any) -> None:
    """Bring the row into a state to which the action applies, in which it has a comment to keep."""
    row, services = rows.get(), lifecycle if rows.model is Alert else correlation.actions
    given = rows if rows.model is Alert else row
    Rule.objects.update(may_be_resolved_by_hand=True)
    services.comment(given, by=by, comment="first", at=at)
    if AlertState.OPEN not in target.when.states:
        services.acknowledge(given, by=by, comment="", at=at)
    if target.when.is_claimed:
        services.claim(given, by=by, at=at)


def test_merged_incidents_and_alerts_that_were_moved_out_are_replayed(storm, aiko):
    for code in ("SJK", "UMD"):
        storm.lose(storm.shop(code, 3), seconds=30)
    into, part = Incident.objects.order_by("pk")
    of_umd = list(Alert.objects.filter(incident=part).values_list("pk", flat=True))
    recording = Recording(storm)

    recording.note()
    merge([part], into, by=aiko, comment="One switch", at=storm.scheduler.at)
    recording.note()
    move_out(into, of_umd, by=aiko, comment="Its own fault", at=storm.scheduler.at)
    recording.note()

    assert [moment[Incident, into.pk]["site_count"] for _, moment in recording.moments] == [0, 2, 0]
    recording.check()
