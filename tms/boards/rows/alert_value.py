"""What an alert says of its value: how far out it was when it opened, and what the limit is."""

from collections.abc import Callable, Mapping

from django.utils.translation import gettext

from tms.boards.rows.alerts import AlertRow
from tms.lib.durations import written
from tms.telemetry import metric_names


def overrun(alert: AlertRow) -> str:
    """Of a rule with limits; the limits are those of the threshold that was reached."""
    if alert.value is None or alert.limit is None:
        return ""
    return TEXTS.get(alert.shape, _beyond)(alert, alert.value, alert.limit)


def _beyond(alert: AlertRow, value: float, limit: float) -> str:
    return gettext("%(metric)s %(value)s, limit %(limit)s") % _values(alert, value, limit)


def _outside(alert: AlertRow, value: float, limit: float) -> str:
    lower = metric_names.worded(alert.metric, alert.lower_limit)
    return gettext("%(metric)s %(value)s, limits %(lower)s and %(limit)s") % {
        **_values(alert, value, limit),
        "lower": lower,
    }


def _changing(alert: AlertRow, value: float, limit: float) -> str:
    """A rate may be far below what a value is rounded to."""
    metric = metric_names.metric(alert.metric)
    value_text, limit_text = (f"{abs(rate):.3g}{metric.unit}" for rate in (value, limit))
    values = {"metric": metric.label, "value": value_text, "limit": limit_text}
    return gettext("%(metric)s changes by %(value)s a minute, limit %(limit)s") % values


def _absent(alert: AlertRow, value: float, limit: float) -> str:
    values = {"metric": metric_names.metric(alert.metric).label, "limit": written(limit)}
    return gettext("%(metric)s was not reported for %(limit)s") % values


def _clock(alert: AlertRow, value: float, limit: float) -> str:
    return gettext("its clock is wrong by %(value)s, limit %(limit)s") % {
        "value": written(round(value)),
        "limit": written(limit),
    }


def _values(alert: AlertRow, value: float, limit: float) -> dict[str, object]:
    return {
        "metric": metric_names.metric(alert.metric).label,
        "value": metric_names.worded(alert.metric, value),
        "limit": metric_names.worded(alert.metric, limit),
    }


TEXTS: Mapping[str, Callable[[AlertRow, float, float], str]] = {
    "outside": _outside,
    "rising": _changing,
    "falling": _changing,
    "absent": _absent,
    "clock": _clock,
}
"""By the shape of the rule."""
