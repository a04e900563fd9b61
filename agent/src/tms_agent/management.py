"""What TMS may change on this terminal beside running commands: its configuration and its software."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tms_agent.commands.runner import Commands
from tms_agent.configuring.configurator import UNDO_AFTER_S, Apply, Configurator
from tms_agent.log import Log
from tms_agent.protocol import downlink, frames
from tms_agent.protocol.errors import ErrorType
from tms_agent.updating.download import Place
from tms_agent.updating.manifest import Present
from tms_agent.updating.updater import Updater, UpdateSettings


@dataclass(frozen=True)
class ManagementSettings:
    """What the owner of the terminal has set up. Without anything, TMS may change nothing."""

    folder: Path = field(default_factory=Path)
    """Keeps what was begun."""
    apply: Apply | None = None
    undo_after_s: float = UNDO_AFTER_S
    updates: UpdateSettings | None = None


class RequestAnswers:
    """Answers requests in the same way as commands: kept on disk until TMS has them."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    def done(self, request_id: frames.RequestId, result: Any) -> None:
        self._commands.done(request_id, result)

    def refuse(self, request_id: frames.RequestId, reason: str) -> None:
        self._commands.refuse(request_id, ErrorType.REFUSED, reason)

    def postpone(self, request_id: frames.RequestId, reason: str) -> None:
        self._commands.refuse(request_id, ErrorType.NOT_NOW, reason)

    def progress(self, request_id: frames.RequestId, percent: float | None, text: str) -> None:
        self._commands.progress.note(request_id, None if percent is None else int(percent), text)


class Management:
    def __init__(
        self,
        settings: ManagementSettings,
        place: Place,
        *,
        present: Callable[[str], Present],
        now: Callable[[], datetime],
        commands: Commands,
        reconnect: Callable[[], None],
        on_goodbye: Callable[[frames.GoodbyeFrame], None],
        log: Log,
    ) -> None:
        self._log = log
        answers = RequestAnswers(commands)
        self._configurator = (
            Configurator(
                settings.folder,
                settings.apply,
                answers=answers,
                reconnect=reconnect,
                log=log,
                undo_after_s=settings.undo_after_s,
            )
            if settings.apply
            else None
        )
        self._updater = (
            Updater(settings.updates, place, present=present, now=now, answers=answers, on_goodbye=on_goodbye, log=log)
            if settings.updates and settings.updates.installers
            else None
        )

    @property
    def features(self) -> Sequence[str]:
        parts = {"config": self._configurator, "update": self._updater}
        return tuple(name for name, part in parts.items() if part)

    @property
    def config_version(self) -> int | None:
        """None if it cannot be configured."""
        return self._configurator.version if self._configurator else None

    @property
    def restart_command(self) -> Sequence[str]:
        """What remains to be run once the agent has said goodbye for an update; empty for nothing."""
        return self._updater.restart_command if self._updater else ()

    def resume(self) -> None:
        """Go on with what a restart interrupted."""
        self._each(lambda part: part.resume())

    def link_booted(self) -> None:
        self._each(lambda part: part.link_booted())

    def cancel(self) -> None:
        self._each(lambda part: part.cancel())

    def start(self, call: downlink.ConfigCall | downlink.UpdateCall) -> bool:
        """Carry out the request, and answer later. Returns False if this terminal does not do that."""
        if isinstance(call, downlink.ConfigCall) and self._configurator:
            self._configurator.start(call)
        elif isinstance(call, downlink.UpdateCall) and self._updater:
            self._updater.start(call)
        else:
            return False
        return True

    def _each(self, act: Callable[[Configurator | Updater], None]) -> None:
        for part in self._parts:
            try:
                act(part)
            except Exception:  # noqa: BLE001  (a damaged file of a change must not keep the terminal from TMS)
                self._log.exception("a change that TMS asked for cannot go on")

    @property
    def _parts(self) -> Sequence[Configurator | Updater]:
        return [part for part in (self._configurator, self._updater) if part]
