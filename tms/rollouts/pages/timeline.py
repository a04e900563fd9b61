"""What happened in a rollout, newest first."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, pgettext_lazy

from tms.accounts.display_names import Name, name_of
from tms.rollouts.models import Rollout, RolloutEvent, RolloutEventKind, WaveKind

SHOWN = 30
ICONS: Mapping[str, str] = {
    RolloutEventKind.STARTED: "rollouts",
    RolloutEventKind.WAVE_STARTED: "rollouts",
    RolloutEventKind.WAVE_PASSED: "check",
    RolloutEventKind.APPROVAL_ASKED: "person",
    RolloutEventKind.APPROVED: "check",
    RolloutEventKind.HELD: "warning",
    RolloutEventKind.RELEASED: "check",
    RolloutEventKind.STOPPED: "critical",
    RolloutEventKind.CONTINUED: "play",
    RolloutEventKind.PAUSED: "pause",
    RolloutEventKind.RESUMED: "play",
    RolloutEventKind.CANCELLED: "stop",
    RolloutEventKind.ROLLING_BACK: "undo",
    RolloutEventKind.ENDED: "check",
}
SEVERITIES: Mapping[str, str] = {RolloutEventKind.STOPPED: "critical", RolloutEventKind.HELD: "warning"}
TEXTS: Mapping[str, str | Promise] = {
    RolloutEventKind.STARTED: pgettext_lazy("event of a rollout", "Started"),
    RolloutEventKind.WAVE_STARTED: gettext_lazy("Wave %(wave)s started"),
    RolloutEventKind.WAVE_PASSED: gettext_lazy("Wave %(wave)s passed"),
    RolloutEventKind.APPROVAL_ASKED: gettext_lazy("Approval of wave %(wave)s asked for"),
    RolloutEventKind.APPROVED: gettext_lazy("Wave %(wave)s approved"),
    RolloutEventKind.HELD: pgettext_lazy("event of a rollout", "Held"),
    RolloutEventKind.RELEASED: gettext_lazy("Evidence below 10 again"),
    RolloutEventKind.STOPPED: pgettext_lazy("event of a rollout", "Stopped"),
    RolloutEventKind.CONTINUED: pgettext_lazy("event of a rollout", "Continued"),
    RolloutEventKind.PAUSED: pgettext_lazy("event of a rollout", "Paused"),
    RolloutEventKind.RESUMED: pgettext_lazy("event of a rollout", "Resumed"),
    RolloutEventKind.CANCELLED: pgettext_lazy("event of a rollout", "Ended where it was"),
    RolloutEventKind.ROLLING_BACK: pgettext_lazy("event of a rollout", "Roll back started"),
    RolloutEventKind.ENDED: pgettext_lazy("event of a rollout", "Finished"),
}


class RolloutTimelineEntry(NamedTuple):
    pk: int
    at: datetime
    icon: str
    severity: str
    text: str
    comment: str
    by: Name | None


def timeline_of(rollout: Rollout) -> list[RolloutTimelineEntry]:
    events = rollout.events.select_related("by", "wave").order_by("-pk")[:SHOWN]
    return [_entry(event) for event in events]


def last(rollout: Rollout, kind: RolloutEventKind) -> RolloutEvent | None:
    return rollout.events.filter(kind=kind).select_related("by").order_by("-pk").first()


def _entry(event: RolloutEvent) -> RolloutTimelineEntry:
    return RolloutTimelineEntry(
        event.pk,
        event.at,
        ICONS[event.kind],
        SEVERITIES.get(event.kind, ""),
        _text(event),
        event.comment,
        name_of(event.by) if event.by else None,
    )


def _text(event: RolloutEvent) -> str:
    if event.wave and event.kind == RolloutEventKind.WAVE_PASSED and event.wave.kind == WaveKind.CANARY:
        text = gettext("Canary passed")
    else:
        # Of an approval of the whole rollout there is no wave: it is that of the first.
        text = str(TEXTS[event.kind]) % {"wave": event.wave.number if event.wave else 1}
    if event.evidence is not None and event.kind in (
        RolloutEventKind.WAVE_PASSED,
        RolloutEventKind.HELD,
        RolloutEventKind.STOPPED,
    ):
        return gettext("%(text)s, evidence %(n)s") % {"text": text, "n": f"{event.evidence:.3g}"}
    return text
