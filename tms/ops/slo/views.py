"""The page of the service levels."""

from collections.abc import Sequence
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tms.accounts.decorators import sign_in_required
from tms.metrics.slo import Indicator, offline_within_s
from tms.ops.slo.report import DEFAULT, SPANS, TARGET_SHARE, Bar, SloCounts, SloReport, slo_report

LABELS = {"1h": _("1 h"), "24h": _("24 h"), "30d": _("30 d")}
TITLES = {
    Indicator.OFFLINE: _("Terminal marked offline"),
    Indicator.BOARD: _("Alert on boards"),
    Indicator.NOTIFICATION: _("Notification delivered"),
    Indicator.ACKNOWLEDGEMENT: _("Acknowledgement on boards"),
    Indicator.RIGHTS: _("Changed rights on boards"),
}
BEGINNINGS = {
    Indicator.OFFLINE: _("from the terminal's last frame"),
    Indicator.BOARD: _("from the event that opens or worsens it"),
    Indicator.NOTIFICATION: _("from the event, without the policy's group wait"),
    Indicator.ACKNOWLEDGEMENT: _("from the acknowledgement"),
    Indicator.RIGHTS: _("from the change of a person's rights"),
}
QUANTILES = (0.5, 0.95, 0.99)
WIDTH, HEIGHT, GAP = 240.0, 40.0, 0.2
LOWEST = 0.9
"""A bar of this share or less has the minimum height, because the relevant values lie above."""
MIN_HEIGHT = 4.0


class Drawn(NamedTuple):
    """A bar in a box of WIDTH by HEIGHT."""

    x: float
    y: float
    width: float
    height: float
    bar: Bar
    is_missed: bool


class SloRatio(NamedTuple):
    label: str | Promise
    percent: str
    is_missed: bool
    is_chosen: bool


class IndicatorCard(NamedTuple):
    report: SloReport
    title: str | Promise
    beginning: str | Promise
    shares: list[SloRatio]
    quantiles: list[tuple[str, str]]
    drawn: list[Drawn]


@require_safe
@never_cache
@sign_in_required
def slo(request: HttpRequest) -> HttpResponse:
    span = request.GET.get("span", "")
    span = span if span in SPANS else DEFAULT
    context = {
        "nav_item": "slo",
        "cards": [card(one, span) for one in slo_report(span, at=timezone.now())],
        "span": span,
        "spans": [(name, label, name == span) for name, label in LABELS.items()],
        "ours_s": offline_within_s(is_caused_by_tms=True),
    }
    return render(request, "ops/slo.html", context)


def card(report: SloReport, span: str) -> IndicatorCard:
    shares = [SloRatio(LABELS[name], percent(one), one.is_missed, name == span) for name, one in report.ratios.items()]
    quantiles = [
        (gettext("p%(share)s") % {"share": f"{share * 100:g}"}, seconds(report.chosen.within_s(share)))
        for share in QUANTILES
    ]
    return IndicatorCard(
        report, TITLES[report.indicator], BEGINNINGS[report.indicator], shares, quantiles, draw_bars(report.bars)
    )


def percent(counts: SloCounts) -> str:
    """Rounded down, so that 99.99% does not show as 100%."""
    return "–" if counts.share is None else f"{int(counts.share * 1000) / 10:g}%"


def seconds(bound: float | None) -> str:
    return "–" if bound is None else gettext("%(number)s s") % {"number": f"{bound:g}"}


def draw_bars(bars: Sequence[Bar]) -> list[Drawn]:
    """The ones with data."""
    step = WIDTH / max(1, len(bars))
    return [_draw(bar, n * step, step * (1 - GAP)) for n, bar in enumerate(bars) if bar.share is not None]


def _draw(bar: Bar, x: float, width: float) -> Drawn:
    share = bar.share or 0.0
    height = max(MIN_HEIGHT, (share - LOWEST) / (1 - LOWEST) * HEIGHT)
    return Drawn(round(x, 2), round(HEIGHT - height, 2), round(width, 2), round(height, 2), bar, share < TARGET_SHARE)
