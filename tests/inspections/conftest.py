"""Fixtures of rounds and inspections."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from tests.support.builders import Fleet
from tests.support.factories import now
from tms.accounts.access.grant_scopes import GrantScope
from tms.fleet.devices import placements
from tms.fleet.models import Device, Terminal
from tms.inspections import services
from tms.inspections.models import DeviceSeal, Inspection, InspectionResult, Round, Surrounding
from tms.inspections.services import Findings, RoundValues

type Inspect = Callable[..., Inspection]


@pytest.fixture
def placed(fleet: Fleet) -> Callable[..., Terminal]:
    """A terminal in service with a device; the serial number ends in four digits."""

    def make(serial: str = "PX300-004388", **fields: Any) -> Terminal:
        terminal = fleet.terminal(**{"kind": "payment"} | fields)
        device = placements.device_of(terminal)
        Device.objects.filter(pk=device.pk).update(serial=serial, model="PX-300", manufacturer="Maker")
        return terminal

    return make


@pytest.fixture
def start() -> Callable[..., Round]:
    def make(**values: Any) -> Round:
        defaults: dict[str, Any] = {"name": "Q4", "due_on": date(2099, 12, 31), "where": GrantScope()}
        return services.start_round(RoundValues(**defaults | values), by=None, at=now(-3_600))

    return make


@pytest.fixture
def inspect() -> Inspect:
    def make(chosen: Round, terminal: Terminal, result: str = "in_order", **values: Any) -> Inspection:
        options = {name: values.pop(name) for name in ("key", "corrects", "done_at", "by") if name in values}
        found = findings(result, **values)
        return services.record(chosen, terminal, found, **{"key": uuid4(), "by": None, "at": now()} | options)

    return make


def findings(result: str, **values: Any) -> Findings:
    in_order: dict[str, Any] = {
        "seen_serial": "4388",
        "seals": (DeviceSeal("A-20418", "back"),),
        "surroundings": frozenset(Surrounding),
    }
    return Findings(InspectionResult(result), **(in_order if result == "in_order" else {}) | values)
