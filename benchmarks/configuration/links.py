"""Simulated terminals on real links reach a version by a rollout: TMS in one process, with its clock.

The terminals answer at once: neither the time of a handler nor the new link that proves the configuration is measured.
"""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import django
import msgspec

from benchmarks.load.client_protocol import TmsProtocol
from benchmarks.load.commands import KeepConnected
from benchmarks.measuring.meter import Cost, cost
from benchmarks.output.report import number, table
from benchmarks.running.environment import Environment
from benchmarks.running.progress import say
from benchmarks.running.stage import Stage
from benchmarks.systems.tms import Tms

POLL_S = 0.5
REPORT_EVERY_S = 15.0
PATIENCE_S = 600.0
AT_ONCE = 1_000
"""The most that a rollout allows."""


class _Config(msgspec.Struct, frozen=True):
    version: int = 0
    values: dict[str, msgspec.Raw] = {}


class _Call(msgspec.Struct, frozen=True):
    method: str = ""
    id: str | int = ""
    params: _Config = _Config()


class ConfiguredProtocol(TmsProtocol):
    """Terminals that can be configured, and apply every key."""

    _decode_call = msgspec.json.Decoder(_Call).decode

    def boot(self, boot_id: str) -> bytes:
        features = b'"features":["config"],"config_version":0,"boot_id"'
        return super().boot(boot_id).replace(b'"boot_id"', features, 1)

    def answer(self, payload: bytes) -> bytes | None:
        call = self._decode_call(payload)
        if call.method != "config":
            return None
        result = {"version": call.params.version, "applied": list(call.params.values)}
        return msgspec.json.encode({"jsonrpc": "2.0", "id": call.id, "result": result})


class Configured(Tms):
    protocol = ConfiguredProtocol()


def measure(environment: Environment, terminals: int) -> None:
    with environment.system(Configured, TMS_APPROVAL_TERMINALS="0") as system:
        say(f"a fleet of {terminals:,} terminals")
        system.prepare(terminals)
        os.environ |= system.env | system.settings | {"DJANGO_SETTINGS_MODULE": "tms.config.settings"}
        django.setup()
        with environment.staged(system) as stage:
            dialled = stage.dial(terminals)
            for worker in stage.workers.terminals:  # silent terminals would count as lost
                worker.do(KeepConnected(REPORT_EVERY_S, environment.plan.dials_at_once, worker.source))
            say(f"{dialled.booted:,} terminals are connected; the version is made")
            version = make_version()
            show(dialled.booted, *reach(version, dialled.booted, stage))


def make_version() -> Any:
    from benchmarks.configuration.__main__ import edits
    from tms.configuration import versions
    from tms.configuration.models import TerminalConfiguration

    can_be_configured = TerminalConfiguration.objects.filter(reported__isnull=False)
    at = datetime.now(UTC)
    draft = versions.edit(edits(list(can_be_configured.values_list("pk", flat=True))), by=None, at=at)
    return versions.fix(draft, by=None, at=at)


def reach(version: Any, wanted: int, stage: Stage) -> tuple[dict[str, float], Cost]:
    """The seconds until these shares of the terminals have confirmed the version, and what it cost."""
    before, began = stage.meter.read(), time.monotonic()
    start(version)
    seconds: dict[str, float] = {}
    for confirmed in _confirmed(version, until=began + PATIENCE_S):
        for title, share in (("the first", 1 / wanted), ("half of them", 0.5), ("99 %", 0.99), ("the last", 1.0)):
            if confirmed >= share * wanted:
                seconds.setdefault(title, time.monotonic() - began)
        if confirmed >= wanted:
            break
    else:
        say(f"only {confirmed:,} of {wanted:,} have confirmed it")
    return seconds, cost(before, stage.meter.read())


def start(version: Any) -> None:
    """Start a rollout to all terminals, in one wave, as many at once as it may."""
    from tms.accounts.models import User
    from tms.jobs.models import JobHours
    from tms.rollouts import services
    from tms.rollouts.models import ApprovalRule, WaveKind
    from tms.rollouts.values import RolloutValues, WaveValues

    at = datetime.now(UTC)
    values = RolloutValues(
        name="Benchmark", until=at + timedelta(days=1), version=version, query="uid:BENCH-*",
        waves=(WaveValues(WaveKind.REST, watch_hours=0),), hours=JobHours.ANY, at_once=AT_ONCE, per_site=0,
        approval=ApprovalRule.NONE, settle_s=0,
    )  # fmt: skip
    services.create(values, by=User.objects.get(username="watcher"), at=at)


def _confirmed(version: Any, *, until: float) -> Iterator[int]:
    from tms.configuration.models import TerminalConfiguration

    while time.monotonic() < until:
        time.sleep(POLL_S)
        yield TerminalConfiguration.objects.filter(applied_version=version).count()


def show(terminals: int, seconds: dict[str, float], spent: Cost) -> None:
    rows = [(title, number(found)) for title, found in seconds.items()]
    rows += [(f"CPU of {name}", number(cpu_s)) for name, cpu_s in spent.cpu_s.items()]
    print(table((f"{terminals:,} terminals have confirmed the version", "s"), rows))
    print(f"\nload of the machine {os.getloadavg()[0]:.1f}, other processes {spent.busy()['others %']:.0f} % of a core")
