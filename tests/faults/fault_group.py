"""Faults in one environment, one after the other."""

import asyncio
import shutil
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import table
from tests.faults.fault import Fault, FaultOutcome, Finding
from tests.faults.scenario.environment import Environment
from tests.faults.scenario.scenario import Scenario

READY_WITHIN_S = 60
LOGS = Path("var/faults")
"""Logs of environments in which a guarantee was violated."""


@dataclass
class FaultGroup[E: Environment]:
    """`build` creates the scenario, for the first fault and again after each that violated a guarantee."""

    build: Callable[[], Scenario[E]]
    faults: Sequence[Fault[Scenario[E]]]
    _scenario: Scenario[E] | None = field(default=None, init=False)

    async def run(self, wanted: Sequence[Fault[Scenario[E]]], *, log: Callable[[str], None]) -> list[Finding]:
        """Always removes the environment at the end."""
        findings = []
        try:
            for fault in wanted:
                finding = await self._run_one(fault, is_last=fault is wanted[-1])
                how = finding.skipped or f"{finding.took_s:.0f} s"
                log(f"{finding.outcome.value:>8}  {fault.name}: {fault.title} ({how})")
                if finding.outcome is FaultOutcome.FAILED:  # now: a run may be interrupted before its table
                    log(f"{'':>10}{table.exceeded(finding)}")
                findings.append(finding)
        finally:
            await self._leave()
        return findings

    async def _run_one(self, fault: Fault[Scenario[E]], *, is_last: bool) -> Finding:
        finding = Finding(fault.name, fault.guarantee, fault.title, skipped=fault.needs())
        if finding.skipped:
            return finding
        began_at = time.monotonic()
        try:
            scenario = await self._enter()
            await fault.inject(scenario, finding)
            async with asyncio.timeout(READY_WITHIN_S):
                await scenario.wait_until_ready()
            await scenario.count_replays(finding, is_last=is_last)
        except Exception as error:  # noqa: BLE001  (the other faults still run)
            traceback.print_exception(error)
            finding.error = " ".join([type(error).__name__, *str(error).splitlines()[-1:]])
        finding.took_s = time.monotonic() - began_at
        if finding.outcome is FaultOutcome.FAILED:
            self._keep_logs(fault.name)
            await self._leave()
        return finding

    async def _enter(self) -> Scenario[E]:
        if self._scenario is None:
            scenario = self.build()
            await scenario.__aenter__()
            self._scenario = scenario
        return self._scenario

    async def _leave(self) -> None:
        scenario, self._scenario = self._scenario, None
        if scenario is not None:
            await scenario.__aexit__(None, None, None)

    def _keep_logs(self, name: str) -> None:
        folder = LOGS / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for log in self._scenario.environment.logs if self._scenario else ():
            shutil.copy(log, folder / f"{log.parent.name}.log")
