"""Transactions that need the same rows lock them in one order: each pair of these deadlocked in another order."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from tests.support import factories, people
from tests.support.builders import Fleet
from tests.support.factories import now
from tests.support.polling import wait_for
from tests.support.threads import DEADLINE_S
from tms.accounts.models import User
from tms.alerts import lifecycle
from tms.alerts.actions.registry import ACTIONS
from tms.alerts.correlation import review, wide
from tms.alerts.correlation.regrouping.merge import merge
from tms.alerts.correlation.regrouping.move_out import move_out
from tms.alerts.correlation.regrouping.undo import undo_merge
from tms.alerts.lifecycle import RuleCleared
from tms.alerts.models import Alert, Incident
from tms.alerts.rule_editing import yaml_file
from tms.fleet.models import Terminal
from tms.fleet.presence import store
from tms.fleet.terminals import services as terminal_services

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
RESOLVE, ACKNOWLEDGE = ACTIONS["resolve"].incident, ACTIONS["acknowledge"].incident


class Rows:
    """Two incidents with an alert each, and one without. The terminal of the first alert has the greater key."""

    def __init__(self, fleet: Fleet) -> None:
        self.person: User = people.person("tanaka", of="Operator")
        self.into = self._incident(fleet.site("INT"), factor="fleet", key="")
        low, high = (fleet.online(site=fleet.site(code)) for code in ("LOW", "HIG"))
        self.terminals: list[Terminal] = [high, low]
        rules = [fleet.event_rule(name=name, may_be_resolved_by_hand=True) for name in ("First", "Second")]
        self.alerts = [
            factories.alert(fleet, terminal=one, rule=rule) for one, rule in zip(self.terminals, rules, strict=True)
        ]
        self.incidents = [self._incident(one.site) for one in self.terminals]
        for alert, incident in zip(self.alerts, self.incidents, strict=True):
            Alert.objects.filter(pk=alert.pk).update(incident=incident)

    @property
    def pks(self) -> list[int]:
        return [alert.pk for alert in self.alerts]

    def lock_incident(self, number: int) -> None:
        list(Incident.objects.filter(pk=self.incidents[number].pk).locked())

    def lock_into(self, _: int) -> None:
        list(Incident.objects.filter(pk=self.into.pk).locked())

    def lock_terminal(self, number: int) -> None:
        store.lock([self.terminals[number].pk])

    def recover(self, number: int) -> None:
        """Recover as ingest does."""
        self.lock_terminal(number)
        lifecycle.apply_events([RuleCleared(self.alerts[number].rule_id, self.terminals[number].pk, now())])

    def resolve(self) -> None:
        RESOLVE.perform(Incident.objects.filter(pk=self.incidents[0].pk), by=self.person, at=now(), comment="")

    def resolve_both(self) -> None:
        RESOLVE.perform_all(self.incidents, by=self.person, at=now(), comment="")

    def acknowledge_both(self) -> None:
        ACKNOWLEDGE.perform_all(reversed(self.incidents), by=self.person, at=now(), comment="")

    def merge_all(self) -> None:
        merge(self.incidents, self.into, by=self.person, comment="", at=now())

    def undo_merge_all(self) -> None:
        members = [[one.pk, [alert.pk]] for one, alert in zip(self.incidents, self.alerts, strict=True)]
        payload = {"into": self.into.pk, "size": 1, "members": members}
        undo_merge(payload, by=self.person, at=now())

    def before_undo_merge_all(self) -> None:
        self.incidents, self.into, self.alerts = self.incidents[:1], self.incidents[1], self.alerts[:1]
        self.merge_all()

    def before_move_both_out(self) -> None:
        Alert.objects.filter(pk__in=self.pks).update(incident=self.incidents[0])

    def move_both_out(self) -> None:
        move_out(self.incidents[0], self.pks, by=self.person, comment="", at=now())

    def widen(self) -> None:
        wide.widen(now())

    @transaction.atomic
    def dissolve_both(self) -> None:
        incidents = list(Incident.objects.filter(pk__in=[one.pk for one in self.incidents]).locked())
        Incident.objects.filter(pk__in=[one.pk for one in incidents]).update(unchanged_since=now(-3_600))
        for incident in incidents:
            incident.unchanged_since = now(-3_600)
        review.review(incidents, at=now())

    def delete_terminal(self) -> None:
        terminal_services.delete_terminal(Terminal.objects.get(pk=self.terminals[0].pk))

    def import_rules(self) -> None:
        yaml_file.import_rules(yaml_file.export().replace("reader_fault", "printer_fault"), by=self.person, at=now())

    @staticmethod
    def _incident(site, **fields) -> Incident:
        identity = {"factor": "site", "key": str(site.pk), "site": None if fields else site} | fields
        at = now() - timedelta(seconds=30)
        columns = {"opened_at": at, "changed_at": at, "unchanged_since": at, "size": 1, "lost": 1, "joined_count": 1}
        return Incident.objects.create(severity="critical", **identity, **columns)


@pytest.fixture
def rows(db, fleet: Fleet) -> Rows:
    return Rows(fleet)


def contend(first: Callable[[], object], work: Callable[[], object], second: Callable[[], object]) -> None:
    """`work` runs while another transaction has done `first` and goes on with `second`."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            running = pool.submit(run)
            wait_for(lambda: running.done() or _number_blocked())
            second()
        running.result(DEADLINE_S)


def _number_blocked() -> int:
    with connection.cursor() as cursor:
        cursor.execute(BLOCKED)
        number: int = cursor.fetchone()[0]
        return number


@pytest.mark.parametrize(
    ("first", "work", "second"),
    [
        # Another person resolves the incident, which an alert has joined meanwhile.
        ("lock_incident 0", "resolve", "lock_terminal 0"),
        # A flush of reports of both terminals.
        ("lock_terminal 1", "resolve_both", "lock_terminal 0"),
        ("recover 1", "merge_all", "recover 0"),
        ("recover 1", "move_both_out", "recover 0"),
        ("recover 1", "dissolve_both", "recover 0"),
        ("lock_terminal 1", "import_rules", "lock_terminal 0"),
        ("lock_terminal 0", "delete_terminal", "recover 0"),
        # The correlation, or another person with a selection of incidents.
        ("lock_incident 0", "acknowledge_both", "lock_incident 1"),
        ("lock_into 0", "widen", "lock_incident 0"),
        ("lock_incident 0", "undo_merge_all", "lock_into 0"),
    ],
)
def test_nothing_deadlocks(rows: Rows, first: str, work: str, second: str):
    getattr(rows, f"before_{work}", lambda: None)()

    def act(step: str) -> Callable[[], object]:
        name, number = step.split()
        return lambda: getattr(rows, name)(int(number))

    contend(act(first), getattr(rows, work), act(second))


def test_the_correlation_leaves_incidents_with_locked_alerts_for_its_next_pass(rows: Rows):
    contend(lambda: rows.recover(1), rows.dissolve_both, lambda: None)

    states = {one.pk: one.state for one in Incident.objects.filter(pk__in=[one.pk for one in rows.incidents])}
    assert [states[one.pk] for one in rows.incidents] == ["resolved", "open"]
