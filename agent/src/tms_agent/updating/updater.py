"""Carries out an update that TMS asks for: check, download, install, restart, and confirm or roll back.

What it does next is on disk before it does it, so that an update goes on where a power cut ended it. Installed software
is on trial until a link has booted with it.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from tms_agent.log import Log
from tms_agent.protocol import frames
from tms_agent.protocol.downlink import UpdateCall
from tms_agent.protocol.instants import format_instant, parse
from tms_agent.requests import Answers, NotNow, RequestRefused
from tms_agent.storage import documents
from tms_agent.timeouts import timeout
from tms_agent.updating import may_begin
from tms_agent.updating.download import Download, Place
from tms_agent.updating.finished import Finished
from tms_agent.updating.manifest import Manifest, Present, PublicKeys, check, verified

CONFIRM_WITHIN_S = 600.0
RESTART_TAKES = timedelta(minutes=5)
SPARE_BYTES = 32 * 1024 * 1024
"""What stays free beside the file: the reports must still find room."""
STATE, FILE, KEPT = "update.json", "update.file", "update-kept.json"


class Installer(Protocol):
    """Installs one format of updates. Each method may run twice, if the power was cut meanwhile."""

    @property
    def restart_command(self) -> Sequence[str]:
        """Makes the machine start what was installed; empty if the end of the agent does."""

    async def install(self, file: Path, manifest: Manifest) -> None:
        """Raises RequestRefused."""

    async def confirm(self) -> None:
        """The installed software has reached TMS."""

    async def roll_back(self) -> None:
        """The installed software did not reach TMS in time."""


@dataclass(frozen=True)
class UpdateSettings:
    folder: Path
    keys: PublicKeys = field(default_factory=dict)
    installers: dict[str, Installer] = field(default_factory=dict)
    """The installer of each format."""
    confirm_within_s: float = CONFIRM_WITHIN_S
    may_begin: Sequence[str] = ()
    """Asked before the download and before the installation; empty if the terminal may always be updated."""


class Updater:
    """One update at a time."""

    def __init__(
        self,
        settings: UpdateSettings,
        place: Place,
        *,
        present: Callable[[str], Present],
        now: Callable[[], datetime],
        answers: Answers,
        on_goodbye: Callable[[frames.GoodbyeFrame], None],
        log: Log,
    ) -> None:
        """`present`: what this terminal is, and has of a product."""
        self._settings = settings
        self._place = place
        self._present = present
        self._now = now
        self._answers = answers
        self._on_goodbye = on_goodbye
        self._log = log
        self.restart_command: Sequence[str] = ()
        """What remains to be run after the goodbye."""
        self._state_file, self._file = settings.folder / STATE, settings.folder / FILE
        self._kept = settings.folder / KEPT
        """Whose file the one that is there is, if the terminal was in use when it was to be installed."""
        self._finished = Finished(settings.folder)
        self._work: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def formats(self) -> Sequence[str]:
        return tuple(self._settings.installers)

    def resume(self) -> None:
        """Go on after a restart."""
        state = documents.read(self._state_file)
        if state is None:
            return
        if not is_whole(state):
            self._log.error("%s is damaged: the update is given up", self._state_file)
            self._forget()
        elif state.get("is_installed"):
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._settings.confirm_within_s, lambda: self._begin(self._roll_back(state)))
        else:
            self._begin(self._carry_out(state))

    def start(self, call: UpdateCall) -> None:
        """Carry out an update, and answer later."""
        if self._came_before(call):
            self._log.info("an update came again; it is not installed twice")
            return
        try:
            if documents.read(self._state_file):
                raise RequestRefused("another update is under way")
            update = call.params
            manifest = verified(update.manifest, update.signatures, self._settings.keys)
            check(manifest, self._present(manifest.name), formats=self.formats, at=self._now())
            self._check_room(manifest)
            if (documents.read(self._kept) or {}).get("sha256") != manifest.sha256:
                self._file.unlink(missing_ok=True)
            state = state_of(call)
            documents.write(self._state_file, state)
        except (RequestRefused, OSError) as error:
            self._log.warning("update refused: %s", error)
            self._answers.refuse(call.id, str(error))
            return
        self._begin(self._carry_out(state))

    def _came_before(self, call: UpdateCall) -> bool:
        """If it is over, its answer is given again."""
        state = documents.read(self._state_file) or {}
        if (state.get("request_id"), state.get("manifest")) == (call.id, call.params.manifest):
            return True
        answer = self._finished.find(call)
        if answer is None:
            return False
        if "result" in answer:
            self._answers.done(call.id, answer["result"])
        else:
            self._answers.refuse(call.id, str(answer.get("error")))
        return True

    def link_booted(self) -> None:
        """Installed software has proved that it reaches TMS."""
        state = documents.read(self._state_file)
        if state and state.get("is_installed") and not self._work:
            self._stop_timer()
            self._begin(self._confirm(state))

    def cancel(self) -> None:
        self._stop_timer()
        if self._work:
            self._work.cancel()

    def _check_room(self, manifest: Manifest) -> None:
        self._settings.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._settings.folder).free
        if free < manifest.size + SPARE_BYTES:
            raise RequestRefused(f"{free} bytes are free; the update needs {manifest.size} and {SPARE_BYTES} to spare")

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._work = asyncio.get_running_loop().create_task(work)
        self._work.add_done_callback(self._end_work)

    def _end_work(self, work: asyncio.Task[None]) -> None:
        self._work = None
        if not work.cancelled() and (error := work.exception()):
            self._log.error("the update failed: %r", error)

    async def _carry_out(self, state: dict[str, Any]) -> None:
        request_id, manifest = state["request_id"], Manifest.read(state["manifest"])
        try:
            await may_begin.ask(self._settings.may_begin)
            await self._in_time(state, self._fetch(state, manifest))
            await self._ask_again(manifest)
            self._answers.progress(request_id, None, f"installing {manifest.version}")
            self._log.info("installing %s %s", manifest.name, manifest.version)
            await self._in_time(state, self._settings.installers[manifest.format].install(self._file, manifest))
        except NotNow as reason:
            self._log.info("the update waits: %s", reason)
            documents.remove(self._state_file)
            self._answers.postpone(request_id, str(reason))
            return
        except TimeoutError:
            self._fail(state, "not installed by its deadline")
            return
        except (RequestRefused, KeyError, OSError) as error:
            self._fail(state, str(error))
            return
        documents.write(self._state_file, {**state, "is_installed": True})
        self.restart_command = self._settings.installers[manifest.format].restart_command
        back_at = self._now() + RESTART_TAKES
        result = {"version": manifest.version, "back_at": format_instant(back_at)}
        self._finished.add(request_id, state["manifest"], result=result)
        self._answers.done(request_id, result)
        self._on_goodbye(frames.GoodbyeFrame("update", back_at))

    async def _ask_again(self, manifest: Manifest) -> None:
        """The file is kept for later if the terminal is in use by now."""
        try:
            await may_begin.ask(self._settings.may_begin)
        except NotNow:
            documents.write(self._kept, {"sha256": manifest.sha256})
            raise

    async def _fetch(self, state: dict[str, Any], manifest: Manifest) -> None:
        report = Percentage(lambda percent: self._answers.progress(state["request_id"], percent, "downloading"))
        download = Download(
            self._place,
            state["url"],
            to=self._file,
            size=manifest.size,
            sha256=manifest.sha256,
            max_bytes_s=state.get("max_bytes_s"),
            on_progress=report.take,
        )
        await download.run(self._log)

    async def _in_time(self, state: dict[str, Any], work: Awaitable[None]) -> None:
        """Raises TimeoutError at the deadline of the request."""
        async with timeout((parse(state["deadline"]) - self._now()).total_seconds()):
            await work

    async def _confirm(self, state: dict[str, Any]) -> None:
        manifest = Manifest.read(state["manifest"])
        self._log.info("TMS was reached after the update to %s %s", manifest.name, manifest.version)
        if installer := self._settings.installers.get(manifest.format):
            await installer.confirm()  # if it fails, the next link tries again
        self._forget()

    async def _roll_back(self, state: dict[str, Any]) -> None:
        manifest = Manifest.read(state["manifest"])
        self._log.error("%s %s did not reach TMS in time: rolling back", manifest.name, manifest.version)
        self._forget()  # before: the former software must not roll back as well
        if installer := self._settings.installers.get(manifest.format):
            await installer.roll_back()

    def _fail(self, state: dict[str, Any], reason: str) -> None:
        self._log.error("the update failed: %s", reason)
        self._forget()
        self._finished.add(state["request_id"], state["manifest"], error=reason)
        self._answers.refuse(state["request_id"], reason)

    def _forget(self) -> None:
        documents.remove(self._state_file)
        documents.remove(self._kept)
        self._file.unlink(missing_ok=True)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


class Percentage:
    """Passes on whole percents, from the thread that downloads to the event loop."""

    def __init__(self, report: Callable[[float], None]) -> None:
        self._report = report
        self._last = -1
        self._loop = asyncio.get_running_loop()

    def take(self, percent: float) -> None:
        if int(percent) > self._last:
            self._last = int(percent)
            self._loop.call_soon_threadsafe(self._report, float(self._last))


def state_of(call: UpdateCall) -> dict[str, Any]:
    update = call.params
    return {
        "request_id": call.id,
        "manifest": update.manifest,
        "url": update.url,
        "deadline": format_instant(update.deadline),
        "max_bytes_s": update.max_bytes_s,
    }


def is_whole(state: dict[str, Any]) -> bool:
    try:
        Manifest.read(state["manifest"])
        parse(state["deadline"])
    except (RequestRefused, KeyError, ValueError, TypeError, AttributeError):
        return False
    return {"request_id", "url"} <= state.keys()
