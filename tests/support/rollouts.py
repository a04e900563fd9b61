"""Rollouts of tests, the passes of the clock that advance them, and the answers of their terminals."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from tests.support.artifacts import make_artifact
from tests.support.builders import AT, later
from tms.accounts.models import User
from tms.artifacts.models import Artifact
from tms.commands import services as commands
from tms.commands.models import Command
from tms.commands.services import Answered, CommandProgress
from tms.fleet.models import Presence, Terminal, TerminalState
from tms.rollouts import runner, services
from tms.rollouts.models import Rollout, RolloutItem, WaveKind
from tms.rollouts.values import RolloutValues, WaveValues

ONE_WAVE = (WaveValues(WaveKind.REST, watch_hours=0),)


def values(*, at: datetime = AT, **chosen: Any) -> RolloutValues:
    """Values for an artifact for all kiosks, in one wave, at any hour."""
    if "artifacts" not in chosen and "version" not in chosen:
        chosen["artifacts"] = (Artifact.objects.filter(version="4.8.3").first() or make_artifact(),)
    if "terminals" not in chosen:
        chosen.setdefault("query", "kind:kiosk")
    given = {"name": "Kiosk firmware 4.8.3", "until": at + timedelta(days=7), "waves": ONE_WAVE, "hours": "any"}
    return RolloutValues(**given | {"settle_s": 60, "approval": "none"} | chosen)


def make_rollout(by: User, *, at: datetime = AT, started: bool = True, **chosen: Any) -> Rollout:
    """Planned, and by default started by the clock, so that it has its waves and items."""
    made = services.create(values(at=at, **chosen), by=by, at=at)
    if started:
        runner.advance(at)
        made.refresh_from_db()
    return made


def tick(seconds: float) -> None:
    commands.expire(later(seconds))
    runner.advance(later(seconds))


def deliver(seconds: float, *, session: int = 1) -> list[Command]:
    """Send what is queued."""
    waiting = commands.waiting(at=later(seconds))
    return commands.dequeue(dict.fromkeys(waiting, session), at=later(seconds))


def progress(sent: Collection[Command], text: str, percent: float | None = None) -> None:
    with transaction.atomic():
        commands.record_progress([CommandProgress(one.pk, one.terminal_id, percent, text) for one in sent])


def answer(sent: Collection[Command], seconds: float, *, result: Any = None, error: str = "") -> None:
    with transaction.atomic():
        commands.record_answers([Answered(one.pk, one.terminal_id, result, error) for one in sent], at=later(seconds))


def reboot(terminal: Terminal, seconds: float, *, firmware: str) -> None:
    """It comes back with this firmware."""
    Terminal.objects.filter(pk=terminal.pk).update(firmware=firmware)
    TerminalState.objects.filter(pk=terminal.pk).update(
        presence=Presence.ONLINE, boot_id=f"boot-{seconds}", presence_at=later(seconds), back_at=None
    )


def states(rollout: Rollout) -> list[str]:
    items = RolloutItem.objects.filter(rollout=rollout).order_by("terminal")
    return [f"{item.state} {item.reason}".strip() for item in items]
