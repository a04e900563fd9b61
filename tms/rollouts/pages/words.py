"""States of rollouts in words: the state of a row, the first line of a page, and what comes next."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.rollouts.models import Rollout, RolloutState, Wave, WaveKind, WaveState
from tms.rollouts.pages.progress import ItemCounts

DECISION, RUNNING, PLANNED, FINISHED = "decision", "running", "planned", "finished"
GROUPS: Mapping[str, str | Promise] = {
    DECISION: _("Needs a decision"),
    RUNNING: pgettext_lazy("rollouts", "Running"),
    PLANNED: pgettext_lazy("rollouts", "Planned"),
    FINISHED: pgettext_lazy("rollouts", "Finished"),
}
GROUP_OF: Mapping[str, str] = {
    RolloutState.STOPPED: DECISION,
    RolloutState.HELD: DECISION,
    RolloutState.RUNNING: RUNNING,
    RolloutState.PAUSED: RUNNING,
    RolloutState.DRAFT: PLANNED,
    RolloutState.PLANNED: PLANNED,
}
"""The others are finished."""
PAST = (RolloutState.FINISHED, RolloutState.ROLLED_BACK, RolloutState.CANCELLED, RolloutState.EXPIRED)
ICONS: Mapping[str, str] = {
    RolloutState.DRAFT: "edit",
    RolloutState.PLANNED: "calendar",
    RolloutState.RUNNING: "play",
    RolloutState.HELD: "warning",
    RolloutState.PAUSED: "pause",
    RolloutState.STOPPED: "critical",
    RolloutState.CANCELLED: "stop",
    RolloutState.ROLLED_BACK: "undo",
    RolloutState.EXPIRED: "clock",
    RolloutState.FINISHED: "check",
}
ENDINGS: Mapping[str, str | Promise] = {
    "effects": pgettext_lazy("why a rollout stopped", "by its effects"),
    "failures": pgettext_lazy("why a rollout stopped", "too many installations failed"),
    "withdrawn": pgettext_lazy("why a rollout paused", "the artifact was withdrawn"),
    "undone": pgettext_lazy("why a rollout stopped", "a terminal undid its configuration"),
    "permission": pgettext_lazy("why a rollout stopped", "its starter may not run it any more"),
}


class FirstLine(NamedTuple):
    """What a page says first."""

    text: str
    more: str = ""


def wave_name(wave: Wave) -> str:
    if wave.name:
        return wave.name
    if wave.kind == WaveKind.SHARE:
        return f"{wave.size}%"
    return str(WaveKind(wave.kind).label)


def current(waves: Sequence[Wave]) -> Wave | None:
    """The wave that is going; None before the first and after the last."""
    going = [wave for wave in waves if wave.state in (WaveState.INSTALLING, WaveState.WATCHED)]
    return going[-1] if going else None


def coming(waves: Sequence[Wave]) -> Wave | None:
    return next((wave for wave in waves if wave.state == WaveState.WAITING), None)


def awaits_approval(wave: Wave | None) -> bool:
    return wave is not None and wave.asked_at is not None and wave.approved_at is None


def first_line(rollout: Rollout, waves: Sequence[Wave], counts: ItemCounts) -> FirstLine:
    """The state of a rollout in words."""
    ending = str(ENDINGS.get(rollout.reason, ""))
    match rollout.state:
        case RolloutState.RUNNING if rollout.rolls_back_id:
            return FirstLine(gettext("Rolling back, %(n)s of %(total)s") % {"n": counts.updated, "total": counts.total})
        case RolloutState.RUNNING:
            return FirstLine(_running(waves))
        case RolloutState.HELD:
            wave = coming(waves)
            return FirstLine(gettext("Held before wave %(n)s") % {"n": wave.number} if wave else gettext("Held"))
        case RolloutState.PAUSED:
            return FirstLine(pgettext("rollout", "Paused"), ending)
        case RolloutState.STOPPED:
            return FirstLine(_stopped(waves), ending)
        case RolloutState.FINISHED if not rollout.enough_evidence and not rollout.rolls_back_id:
            return FirstLine(gettext("Finished, not enough evidence"))
        case RolloutState.PLANNED if awaits_approval(waves[0] if waves else None):
            return FirstLine(gettext("Waits for approval"))
    return FirstLine(str(RolloutState(rollout.state).label), ending)


def _running(waves: Sequence[Wave]) -> str:
    wave, total = current(waves), len(waves)
    if wave is None or (wave.state == WaveState.WATCHED and awaits_approval(coming(waves))):
        return gettext("Waits for approval") if awaits_approval(coming(waves)) else pgettext("rollout", "Running")
    if wave.state == WaveState.WATCHED:
        return gettext("Watching wave %(n)s of %(total)s") % {"n": wave.number, "total": total}
    return gettext("Running, wave %(n)s of %(total)s") % {"n": wave.number, "total": total}


def _stopped(waves: Sequence[Wave]) -> str:
    wave = current(waves)
    if wave is None:
        return pgettext("rollout", "Stopped")
    if wave.kind == WaveKind.CANARY:
        return gettext("Stopped in the canary")
    return gettext("Stopped in wave %(n)s") % {"n": wave.number}


class NextStep(NamedTuple):
    """What comes next, or how it ended; `at` stands behind the note."""

    text: str
    note: str | Promise = ""
    at: datetime | None = None


def next_step(rollout: Rollout, waves: Sequence[Wave], counts: ItemCounts) -> NextStep:
    wave = coming(waves)
    match rollout.state:
        case RolloutState.STOPPED:
            note = gettext("stopped %(why)s") % {"why": ENDINGS.get(rollout.reason, "")}
            return NextStep(gettext("Roll back, or continue"), note.strip(), rollout.state_at)
        case RolloutState.HELD:
            text = gettext("Wave %(n)s waits") % {"n": wave.number} if wave else pgettext("rollout", "Held")
            return NextStep(text, _("evidence above 10 since"), rollout.state_at)
        case RolloutState.PAUSED:
            return NextStep(gettext("Resume, or stop"), pgettext("rollout", "paused"), rollout.state_at)
        case RolloutState.PLANNED | RolloutState.DRAFT:
            return _start(rollout, waves)
        case RolloutState.RUNNING:
            return _next_wave(rollout, waves)
    return _ending(rollout, counts)


def _start(rollout: Rollout, waves: Sequence[Wave]) -> NextStep:
    if rollout.state == RolloutState.DRAFT:
        return NextStep(gettext("Complete and start it"))
    if awaits_approval(waves[0] if waves else None):
        return NextStep(gettext("Waits for a second person"), _("starts"), rollout.starts_at)
    return NextStep(gettext("Wave 1"), _("starts"), rollout.starts_at)


def _next_wave(rollout: Rollout, waves: Sequence[Wave]) -> NextStep:
    now, wave = current(waves), coming(waves)
    if wave is None or now is None:
        return NextStep(gettext("The last wave"), _("ends by"), rollout.until)
    if awaits_approval(wave):
        text = gettext("Wave %(n)s, with approval") % {"n": wave.number}
    else:
        text = gettext("Wave %(n)s, %(name)s") % {"n": wave.number, "name": wave_name(wave)}
    if wave.not_before:
        return NextStep(text, pgettext("next wave", "not before"), wave.not_before)
    return NextStep(text, gettext("after wave %(n)s") % {"n": now.number})


def _ending(rollout: Rollout, counts: ItemCounts) -> NextStep:
    at = rollout.ended_at or rollout.state_at
    if rollout.state != RolloutState.FINISHED:
        return NextStep(str(RolloutState(rollout.state).label), "", at)
    if counts.attention:
        return NextStep(gettext("Finished, %(n)s failed") % {"n": f"{counts.attention:,}"}, "", at)
    if not rollout.enough_evidence and not rollout.rolls_back_id:
        return NextStep(gettext("Not enough evidence"), pgettext("rollout", "finished"), at)
    return NextStep(pgettext("rollout", "Finished"), "", at)
