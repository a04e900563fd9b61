"""Applies the configuration that TMS sends, and undoes one that cuts the link.

As `commit confirmed` of routers: a new configuration is on trial until a new link has booted with it. If none does in
time, the former one is applied again, whether or not TMS can be reached to ask for it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tms_agent.log import Log
from tms_agent.protocol import json_text
from tms_agent.protocol.downlink import ConfigCall
from tms_agent.protocol.frames import RequestId
from tms_agent.protocol.limits import CONFIG_BYTES
from tms_agent.requests import Answers, RequestRefused
from tms_agent.storage import documents

UNDO_AFTER_S = 300.0
CURRENT, TRIAL = "configuration.json", "configuration-on-trial.json"


@dataclass(frozen=True)
class AppliedConfiguration:
    """What a handler says of the configuration that it applied."""

    refused: Mapping[str, str] = field(default_factory=dict)
    """Why keys have not got their values."""
    needs_restart: bool = False


Apply = Callable[[Mapping[str, Any]], Awaitable[AppliedConfiguration]]
"""Applies all values of a configuration. Raises RequestRefused if it could not."""


class Configurator:
    """One configuration at a time. `configuration.json` has the one that is in force, for other programs, too."""

    def __init__(
        self,
        folder: Path,
        apply: Apply,
        *,
        answers: Answers,
        reconnect: Callable[[], None],
        log: Log,
        undo_after_s: float = UNDO_AFTER_S,
    ) -> None:
        self._current, self._trial = folder / CURRENT, folder / TRIAL
        self._apply = apply
        self._answers = answers
        self._reconnect = reconnect
        self._log = log
        self._undo_after_s = undo_after_s
        self._work: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def version(self) -> int:
        """The version that is applied, 0 for none: the one on trial if there is one."""
        trial = documents.read(self._trial) or {}
        return _version(trial) if "result" in trial else _version(documents.read(self._current) or {})

    def resume(self) -> None:
        """Go on after a restart: a trial gets its time again, and half an application is undone."""
        trial = documents.read(self._trial)
        if trial is None:
            return
        if {"result", "version", "values", "request_id"} <= trial.keys():
            self._expect_link()
        else:
            self._begin(self._undo("the terminal restarted while the configuration was applied"))

    def start(self, call: ConfigCall) -> None:
        """Apply a configuration, and answer later."""
        if documents.read(self._trial):
            self._answers.refuse(call.id, "another configuration is on trial; try again in a few minutes")
            return
        try:
            check(call.params.values)
            self._remember(call.id, call.params.version, call.params.values)
        except (RequestRefused, OSError) as error:
            self._answers.refuse(call.id, str(error))
            return
        self._begin(self._try(call))

    def link_booted(self) -> None:
        """A new link proves that the configuration on trial does not cut it."""
        trial = documents.read(self._trial)
        if trial is None or "result" not in trial:
            return
        self._stop_timer()
        try:
            documents.write(self._current, {"version": trial["version"], "values": trial["values"]})
        except OSError as error:
            self._begin(self._undo(f"it cannot be stored: {error.strerror}"))
            return
        self._log.info("configuration %s is kept: TMS was reached with it", trial["version"])
        documents.remove(self._trial)
        self._answers.done(trial["request_id"], trial["result"])

    def cancel(self) -> None:
        self._stop_timer()
        if self._work:
            self._work.cancel()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._work = asyncio.get_running_loop().create_task(work)
        self._work.add_done_callback(self._end_work)

    def _end_work(self, work: asyncio.Task[None]) -> None:
        self._work = None
        if not work.cancelled() and (error := work.exception()):
            self._log.error("the configuration failed: %r", error)

    async def _try(self, call: ConfigCall) -> None:
        params = call.params
        self._log.info("applying configuration %s", params.version)
        try:
            applied = await self._apply(params.values)
            result = result_of(params.version, params.values, applied)
            self._remember(call.id, params.version, params.values, result=result)
        except (RequestRefused, OSError) as error:
            await self._undo(str(error))
            return
        self._expect_link()
        self._reconnect()

    def _expect_link(self) -> None:
        loop = asyncio.get_running_loop()
        reason = f"TMS could not be reached with it within {self._undo_after_s:.0f} s"
        self._timer = loop.call_later(self._undo_after_s, lambda: self._begin(self._undo(reason)))

    async def _undo(self, reason: str) -> None:
        trial = documents.read(self._trial) or {}
        former = documents.read(self._current) or {}
        self._log.error("configuration %s is undone: %s", trial.get("version"), reason)
        if trial.pop("result", None):
            with contextlib.suppress(OSError):  # on a full disk, only a restart in this moment would keep it
                documents.write(self._trial, trial)  # so that no link and no restart keeps it
        try:
            await self._apply(former.get("values", {}))
        except RequestRefused as refusal:
            reason += f"; and version {_version(former)} could not be applied again: {refusal}"
        documents.remove(self._trial)
        if "request_id" in trial:
            self._answers.refuse(trial["request_id"], f"undone: {reason}")

    def _remember(self, request_id: RequestId, version: int, values: Mapping[str, Any], **more: Any) -> None:
        documents.write(self._trial, {"request_id": request_id, "version": version, "values": dict(values), **more})

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


def check(values: Mapping[str, Any]) -> None:
    """Raises RequestRefused."""
    size = len(json_text.encode(values))
    if size > CONFIG_BYTES:
        raise RequestRefused(f"the values have {size} bytes; at most {CONFIG_BYTES} are possible")


def result_of(version: int, values: Mapping[str, Any], applied: AppliedConfiguration) -> dict[str, Any]:
    refused = {key: str(reason) for key, reason in applied.refused.items() if key in values}
    return {
        "version": version,
        "applied": sorted(values.keys() - refused.keys()),
        "refused": refused,
        "needs_restart": applied.needs_restart,
    }


def _version(document: Mapping[str, Any]) -> int:
    version = document.get("version")
    return version if type(version) is int else 0
