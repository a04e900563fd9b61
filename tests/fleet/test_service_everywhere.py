"""One definition of *in service*: after any history, every number that depends on it equals that of a plain program."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.builders import AT, Fleet, later
from tms.alerts.correlation.counting import shares
from tms.alerts.models.factor import Factor
from tms.availability.models import SiteDay, TerminalDay
from tms.availability.rollup.services import roll_up
from tms.boards.caches import census
from tms.fleet.identity.past import service_periods
from tms.fleet.models import DeviceState, Lifecycle, Presence, Terminal
from tms.fleet.terminals.lifecycle_changes import NotPossible, bring_back, change_state, retire
from tms.replay.state import Moment
from tms.telemetry.models import Boot

pytestmark = [pytest.mark.both, pytest.mark.django_db]

MINUTES = 60
OPERATIONS = ("in", "out", "retire", "back")
KINDS = ("kiosk", "gate")
history = st.tuples(
    st.sampled_from(("planned", "in_service", "out_of_service")),
    st.sampled_from(KINDS),
    st.sampled_from((Presence.ONLINE, Presence.OFFLINE)),
    st.lists(st.tuples(st.integers(1, MINUTES - 1), st.sampled_from(OPERATIONS)), max_size=5),
)


class PlainTerminal:
    """The lifecycle as a plain program would have it: its state at the beginning of each minute."""

    def __init__(self, state: str, kind: str, presence: str, steps: Sequence[tuple[int, str]]) -> None:
        self.kind, self.presence = kind, presence
        self.steps = sorted(steps, key=lambda step: step[0])
        self.states: list[str] = []
        before_retired = ""
        remaining = list(self.steps)
        for minute in range(MINUTES):
            while remaining and remaining[0][0] == minute:
                operation = remaining.pop(0)[1]
                if operation == "back" and state == "retired":
                    state = before_retired
                elif operation == "retire" and state != "retired":
                    before_retired, state = state, "retired"
                elif operation == "in" and state in ("planned", "out_of_service"):
                    state = "in_service"
                elif operation == "out" and state == "in_service":
                    state = "out_of_service"
            self.states.append(state)

    def is_in_service(self, minute: int = MINUTES - 1) -> bool:
        return self.states[minute] == "in_service"


def carry_out(terminal: Terminal, plain: PlainTerminal) -> None:
    """The same steps by the services, which refuse what cannot follow."""
    for minute, operation in plain.steps:
        chosen: dict[str, Any] = {"by": None, "at": later(60 * minute)}
        try:
            with transaction.atomic():
                _carry_out(terminal, operation, chosen)
        except NotPossible:
            continue


def _carry_out(terminal: Terminal, operation: str, chosen: dict[str, Any]) -> None:
    is_retired = Terminal.objects.filter(pk=terminal.pk, lifecycle=Lifecycle.RETIRED).exists()
    match operation:
        case "retire":
            retire([terminal.pk], device_becomes=DeviceState.SPARE, **chosen)
        case "back" if is_retired:
            bring_back([terminal.pk], **chosen)
        case "in" | "out" if not is_retired:
            to = Lifecycle.IN_SERVICE if operation == "in" else Lifecycle.OUT_OF_SERVICE
            change_state([terminal.pk], to, **chosen)


def create(fleet: Fleet, plain: PlainTerminal, state: str) -> Terminal:
    terminal = fleet.with_presence(plain.presence, kind=plain.kind, lifecycle=state)
    Terminal.objects.filter(pk=terminal.pk).update(created_at=AT - timedelta(days=1))
    Boot.objects.create(terminal=terminal, boot_id="boot-1", first_seen_at=AT - timedelta(days=1))
    return terminal


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories=st.lists(history, min_size=1, max_size=4))
def test_every_number_counts_the_terminals_in_service(fleet, histories):
    Terminal.objects.all().delete()
    plains = [PlainTerminal(*one) for one in histories]
    terminals = [create(fleet, plain, one[0]) for plain, one in zip(plains, histories, strict=True)]
    site = fleet.site()

    for terminal, plain in zip(terminals, plains, strict=True):
        carry_out(terminal, plain)

    serving = [plain for plain in plains if plain.is_in_service()]
    counted = census.take()
    assert counted.total == len(serving)
    for kind in KINDS:
        peers = [plain for plain in serving if plain.kind == kind]
        assert counted.peers[site.pk, kind] == len(peers)
        assert counted.peers_online[site.pk, kind] == sum(plain.presence == Presence.ONLINE for plain in peers)
    found = shares(Factor.SITE, [str(site.pk)], since=AT - timedelta(hours=1)).values()
    lost = sum(plain.presence == Presence.OFFLINE for plain in serving)
    assert [tuple(share) for share in found] == ([(lost, len(serving))] if serving else [])


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories=st.lists(history, min_size=1, max_size=3), minute=st.integers(0, MINUTES - 1))
def test_the_past_counts_the_terminals_that_were_in_service(fleet, histories, minute):
    """Availability, and totals of replays."""
    Terminal.objects.all().delete()
    plains = [PlainTerminal(*one) for one in histories]
    terminals = [create(fleet, plain, one[0]) for plain, one in zip(plains, histories, strict=True)]

    for terminal, plain in zip(terminals, plains, strict=True):
        carry_out(terminal, plain)

    until = later(60 * MINUTES)
    periods = service_periods([one.pk for one in terminals], since=AT, until=until)
    for terminal, plain in zip(terminals, plains, strict=True):
        served = [any(since <= later(60 * at) < end for since, end in periods[terminal.pk]) for at in range(MINUTES)]
        assert served == [plain.is_in_service(at) for at in range(MINUTES)]
    moment = Moment(later(60 * minute), now=until)
    assert sum(moment.presence_counts.values()) == sum(plain.is_in_service(minute) for plain in plains)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=history)
def test_a_rolled_up_day_has_the_minutes_in_service(fleet, one):
    """A local day around these minutes: eighteen hours before, five after."""
    Terminal.objects.all().delete()
    SiteDay.objects.all().delete()
    plain = PlainTerminal(*one)
    terminal = create(fleet, plain, one[0])
    carry_out(terminal, plain)

    roll_up(terminal.site, AT.date(), at=AT + timedelta(days=1))

    minutes = [plain.is_in_service(0)] * (18 * 60) + [plain.is_in_service(at) for at in range(MINUTES)]
    minutes += [plain.is_in_service()] * (5 * 60)
    found = TerminalDay.objects.filter(terminal=terminal).first()
    assert (found.counted_s if found else 0) == 60 * sum(minutes)
