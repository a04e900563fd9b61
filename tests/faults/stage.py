"""Faults in one environment, one after the other."""

import asyncio
import shutil
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.fault import Fault, Finding, Verdict
from tests.faults.place import Place
from tests.faults.scene import Scene

WELL_WITHIN_S = 60
LOGS = Path("var/faults")
"""For the logs of an environment in which a requirement was missed."""


@dataclass
class Stage[Where: Place]:
    """`build` creates the scene, for the first fault and again after each that left it broken."""

    build: Callable[[], Scene[Where]]
    faults: Sequence[Fault[Scene[Where]]]
    _scene: Scene[Where] | None = field(default=None, init=False)

    async def play(self, wanted: Sequence[Fault[Scene[Where]]], *, say: Callable[[str], None]) -> list[Finding]:
        """Always removes the environment at the end."""
        findings = []
        try:
            for fault in wanted:
                finding = await self._try(fault)
                how = finding.skipped or f"{finding.took_s:.0f} s"
                say(f"{finding.verdict.value:>8}  {fault.name}: {fault.title} ({how})")
                findings.append(finding)
        finally:
            await self._leave()
        return findings

    async def _try(self, fault: Fault[Scene[Where]]) -> Finding:
        finding = Finding(fault.name, fault.requirement, fault.title, skipped=fault.needs())
        if finding.skipped:
            return finding
        began_at = time.monotonic()
        try:
            scene = await self._enter()
            await fault.happen(scene, finding)
            async with asyncio.timeout(WELL_WITHIN_S):
                await scene.well()
        except Exception as error:  # noqa: BLE001  (the other faults want to be tried as well)
            traceback.print_exception(error)
            finding.error = " ".join([type(error).__name__, *str(error).splitlines()[-1:]])
        finding.took_s = time.monotonic() - began_at
        if finding.verdict is Verdict.BROKEN:
            self._keep_logs(fault.name)
            await self._leave()
        return finding

    async def _enter(self) -> Scene[Where]:
        if self._scene is None:
            scene = self.build()
            await scene.__aenter__()
            self._scene = scene
        return self._scene

    async def _leave(self) -> None:
        scene, self._scene = self._scene, None
        if scene is not None:
            await scene.__aexit__(None, None, None)

    def _keep_logs(self, name: str) -> None:
        folder = LOGS / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for log in self._scene.place.logs if self._scene else ():
            shutil.copy(log, folder / f"{log.parent.name}.log")
