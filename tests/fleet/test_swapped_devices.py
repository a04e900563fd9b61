"""A day on which two payment terminals swap their devices, as text: what stays, and what goes with the devices."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.support.alerts.availability import away, open_daily, roll_up_until, serving, tokyo
from tests.support.builders import Fleet, Link
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleTriggered
from tms.alerts.models import Alert
from tms.availability.models import TerminalDay
from tms.fleet.devices import placements
from tms.fleet.models import IdentityChange, Placement, Terminal
from tms.ingest import commit
from tms.replay.state import Moment
from tms.telemetry.models import Event

pytestmark = [pytest.mark.both, pytest.mark.django_db]

TOKYO = ZoneInfo("Asia/Tokyo")
STORY = """
before the swap
  PAY-1  device PX-1; replay 10:45: PX-1, PX-300; alerts: 10:30 Reader jammed
  PAY-2  device PX-2; replay 10:45: PX-2, PX-400; alerts: none
after it, at 12:00
  PAY-1  device PX-2; replay 10:45: PX-1, PX-300; replay 12:30: PX-2, PX-400; alerts: 10:30 Reader jammed
  PAY-2  device PX-1; replay 10:45: PX-2, PX-400; replay 12:30: PX-1, PX-300; alerts: none
PX-9 connects with the key at PAY-1
  PAY-1  device PX-2; replay 10:45: PX-1, PX-300; replay 12:30: PX-2, PX-400; replay 14:30: PX-9, PX-300; \
alerts: 10:30 Reader jammed, 14:00 Unexpected device (critical: device PX-9 instead of PX-2)
  PAY-2  device PX-1; replay 10:45: PX-2, PX-400; replay 12:30: PX-1, PX-300; replay 14:30: PX-1, PX-300; alerts: none
availability of the day
  PAY-1  42,000 of 43,200 s
  PAY-2  43,200 of 43,200 s
devices
  PX-1  PAY-1 08:00–12:00, PAY-2 12:00–
  PX-2  PAY-2 08:00–12:00, PAY-1 12:00–
history
  PAY-1  12:00 model PX-300 → PX-400 (person), 12:00 serial PX-1 → PX-2 (person), \
14:00 model PX-400 → PX-300 (boot), 14:00 serial PX-2 → PX-9 (boot)
  PAY-2  12:00 model PX-400 → PX-300 (person), 12:00 serial PX-2 → PX-1 (person)
"""


def test_alerts_availability_replay_and_history_tell_a_swap_apart(fleet: Fleet):
    site = open_daily(fleet.site())
    jammed = fleet.event_rule("reader_fault", name="Reader jammed", severity="warning")
    as_by_default = {"name": "Unexpected device", "severity": "critical", "terminal_kind": "payment"}
    fleet.event_rule("tms.unexpected_device", "tms.expected_device", **as_by_default)
    one, other = (serving(fleet, site, since=tokyo("08:00"), uid=uid, kind="payment") for uid in ("PAY-1", "PAY-2"))
    Terminal.objects.update(created_at=tokyo("07:00"))
    Placement.objects.update(began_at=tokyo("08:00"))
    for terminal, serial, model in ((one, "PX-1", "PX-300"), (other, "PX-2", "PX-400")):
        _boot(terminal, serial, model, at="08:00")
    away(one, tokyo("10:00"), tokyo("10:20"))
    lifecycle.apply_events([RuleTriggered(jammed.pk, one.pk, tokyo("10:30"))])
    lines = ["before the swap", *_state(one, other, moments=["10:45"])]

    placements.swap(one, other, by=fleet.person(), at=tokyo("12:00"), comment="Reader moved")
    for terminal, serial, model in ((one, "PX-2", "PX-400"), (other, "PX-1", "PX-300")):
        _boot(terminal, serial, model, at="12:01")
    lines += ["after it, at 12:00", *_state(one, other, moments=["10:45", "12:30"])]
    _boot(one, "PX-9", "PX-300", at="14:00")
    lines += ["PX-9 connects with the key at PAY-1", *_state(one, other, moments=["10:45", "12:30", "14:30"])]
    roll_up_until()
    lines += ["availability of the day", *map(_availability, (one, other))]
    lines += ["devices", *map(_placements, ("PX-1", "PX-2")), "history", *map(_history, (one, other))]

    text = "\n".join(lines)
    print(text)
    assert text == STORY.strip()


def _boot(terminal: Terminal, serial: str, model: str, *, at: str) -> None:
    """The device connects with the newest key of the terminal."""
    key = terminal.credentials.filter(revoked_at=None).latest("pk").pk
    link = Link(terminal, credential_id=key)
    commit.write([link.boot(f"{serial} {at}", at=tokyo(at), serial=serial, model=model)])


def _state(*terminals: Terminal, moments: list[str]) -> Iterator[str]:
    for terminal in terminals:
        placed = Placement.objects.open().get(terminal=terminal).device.serial
        replayed = "; ".join(f"replay {clock}: {_replayed(terminal, clock)}" for clock in moments)
        alerts = ", ".join(map(_told, Alert.objects.filter(terminal=terminal).order_by("opened_at"))) or "none"
        yield f"  {terminal.uid}  device {placed}; {replayed}; alerts: {alerts}"


def _replayed(terminal: Terminal, clock: str) -> str:
    found = Moment(tokyo(clock), now=tokyo("23:00")).terminal(terminal)
    assert found is not None
    then = found.state.terminal
    return f"{then.serial}, {then.model}"


def _told(alert: Alert) -> str:
    text = f"{_clock(alert.opened_at)} {alert.rule.name}"
    events = Event.objects.filter(terminal=alert.terminal, code=alert.rule.event_code)
    return text + "".join(f" ({alert.severity}: {event.text})" for event in events)


def _availability(terminal: Terminal) -> str:
    day = TerminalDay.objects.get(terminal=terminal)
    return f"  {terminal.uid}  {day.counted_s - day.network_s:,} of {day.counted_s:,} s"


def _placements(serial: str) -> str:
    rows = Placement.objects.filter(device__serial=serial).order_by("began_at").select_related("terminal")
    spans = (f"{row.terminal.uid} {_clock(row.began_at)}–{_clock(row.ended_at)}" for row in rows)
    return f"  {serial}  {', '.join(spans)}"


def _history(terminal: Terminal) -> str:
    changes = IdentityChange.objects.filter(terminal=terminal, at__gte=tokyo("12:00")).order_by("at", "field")
    return f"  {terminal.uid}  " + ", ".join(
        f"{_clock(row.at)} {row.field} {row.before} → {row.after} ({row.source})" for row in changes
    )


def _clock(at: datetime | None) -> str:
    return f"{at.astimezone(TOKYO):%H:%M}" if at else ""
