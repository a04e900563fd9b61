"""The effects of a rollout as rows: a measure each, with its evidence and, where it stands out, a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.fleet.models import Terminal
from tms.rollouts.effects.exclusions import HitLeftOut
from tms.rollouts.effects.measures import MeasureKind
from tms.rollouts.models import Rollout, Watching
from tms.rollouts.pages.curve import EvidenceCurve, curve_of
from tms.rollouts.pages.evidence import EvidenceBar
from tms.rollouts.watching import report
from tms.rollouts.watching.report import EffectsReport, MeasureReport

SHOWN_HITS = 12
KEPT_REPORTS = 64
LABELS: dict[str, str | Promise] = {
    "restarts": pgettext_lazy("measure", "Restarts"),
    "outages_application": pgettext_lazy("measure", "Outages, application"),
    "outages_power": pgettext_lazy("measure", "Outages, power or reboot"),
    "not_back": pgettext_lazy("measure", "Not back after the update"),
    "alerts": pgettext_lazy("measure", "Alerts"),
    "passing_faults": pgettext_lazy("measure", "Passing faults"),
    "lasting_faults": pgettext_lazy("measure", "Lasting faults, over 4 h"),
    "memory": pgettext_lazy("measure", "Memory, change in 3 h"),
    "temperature": pgettext_lazy("measure", "Temperature, change in 3 h"),
    "response_time": pgettext_lazy("measure", "Response time, change in 3 h"),
}


UNITS: Mapping[str, str] = {"memory": "%", "temperature": " °C", "response_time": " ms"}
SENTENCES: Mapping[str, str | Promise] = {
    "restarts": _("Restarted %(hits)s times, %(expected)s expected, at %(sites)s sites."),
    "alerts": _("%(hits)s alerts opened, %(expected)s expected, at %(sites)s sites."),
    "not_back": _("%(hits)s did not come back, %(expected)s expected, at %(sites)s sites."),
    "passing_faults": _("%(hits)s faults, %(expected)s expected, at %(sites)s sites."),
    "lasting_faults": _("%(hits)s faults for more than 4 h, %(expected)s expected, at %(sites)s sites."),
}
OUTAGES = _("%(hits)s outages, %(expected)s expected, at %(sites)s sites.")
READING = _("Rose more on %(terminals)s updated terminals than on waiting ones beside them, at %(sites)s sites.")
LEFT_OUT: Mapping[str, str | Promise] = {
    HitLeftOut.CAUSE: pgettext_lazy("why hits do not count", "network, TMS itself or planned"),
    HitLeftOut.INCIDENT: pgettext_lazy("why hits do not count", "an incident that waiting terminals had as well"),
    HitLeftOut.MAINTENANCE: pgettext_lazy("why hits do not count", "maintenance"),
    HitLeftOut.ABOUT_SOFTWARE: pgettext_lazy("why hits do not count", "alerts about firmware or configuration"),
    HitLeftOut.UNCLEAR: pgettext_lazy("why hits do not count", "unclear, as on waiting terminals"),
}


@dataclass(frozen=True, slots=True)
class EffectRow:
    measure: MeasureReport
    is_past: bool

    @property
    def name(self) -> str:
        return self.measure.name

    @property
    def label(self) -> str | Promise:
        return LABELS.get(self.name, self.name)

    @property
    def bar(self) -> EvidenceBar | None:
        return EvidenceBar.of(self.measure.evidence, is_past=self.is_past)

    @property
    def updated(self) -> str:
        return self._number(self.measure.updated)

    @property
    def waiting(self) -> str:
        return "–" if self.measure.kind is MeasureKind.RETURN else self._number(self.measure.waiting)

    @property
    def sentence(self) -> str:
        """Empty unless it stands out."""
        if not self.measure.stands_out:
            return ""
        text = READING if self.measure.kind is MeasureKind.READING else SENTENCES.get(self.name, OUTAGES)
        values = {name: f"{getattr(self.measure, name):,}" for name in ("hits", "terminals", "sites")}
        return str(text) % (values | {"expected": f"{self.measure.expected:.1f}"})

    def _number(self, value: float | None) -> str:
        if value is None:
            return "–"
        if self.measure.kind is MeasureKind.READING:
            return f"{value:+.2f}{UNITS.get(self.name, '')}"
        return f"{value:,.0f}" if value >= 20 else f"{value:.1f}"


class HitRow(NamedTuple):
    terminal: Terminal
    hits: int


@dataclass(frozen=True, slots=True)
class Effects:
    rows: Sequence[EffectRow]
    mean: EvidenceBar | None
    foot: str
    curve: EvidenceCurve | None
    hit: Sequence[HitRow]

    @property
    def loudest(self) -> EffectRow | None:
        """The measure with most evidence, if there are others to stop it."""
        return max(self.rows, key=lambda row: row.measure.evidence) if len(self.rows) > 1 else None


def effects_of(rollout: Rollout, *, to: User, is_past: bool) -> Effects | None:
    """None before the first evaluation."""
    evaluated_at = Watching.objects.filter(rollout=rollout).values_list("evaluated_at", flat=True).first()
    if evaluated_at is None:
        return None
    found = _report(rollout.pk, evaluated_at)
    times = [point.at for point in found.history]
    by_name = {one.name: [point.measures.get(one.name, 1.0) for point in found.history] for one in found.measures}
    return Effects(
        sorted((EffectRow(one, is_past) for one in found.measures), key=lambda row: not row.measure.stands_out),
        EvidenceBar.of(found.evidence, is_past=is_past),
        _foot(found),
        curve_of(times, [point.evidence for point in found.history], by_name),
        _hits(found, to),
    )


@lru_cache(maxsize=KEPT_REPORTS)
def _report(rollout: int, evaluated_at: datetime) -> EffectsReport:
    """Cached, because a page asks for its numbers each two seconds, and evidence changes once a minute."""
    return report.of(Rollout.objects.get(pk=rollout))


def _foot(found: EffectsReport) -> str:
    days = gettext("%(n)s terminal-days updated.") % {"n": f"{found.updated_days:,.0f}"}
    left = [f"{number:,} {LEFT_OUT.get(reason, reason)}" for reason, number in sorted(found.left_out.items()) if number]
    return f"{days} {gettext('Left out: %(what)s.') % {'what': gettext(', ').join(left)}}" if left else days


def _hits(found: EffectsReport, person: User) -> list[HitRow]:
    """The terminals with most hits, of those that the person sees."""
    hits = dict(found.most_hit[:SHOWN_HITS])
    rows = visible(Terminal.objects.filter(pk__in=hits), to=person).select_related("site", "state")
    return sorted((HitRow(row, hits[row.pk]) for row in rows), key=lambda row: (-row.hits, row.terminal.uid))
