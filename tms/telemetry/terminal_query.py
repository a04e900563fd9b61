"""Readings as fields of queries about terminals: `metric.temperature_c>60`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import FloatField, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.query.fields import Field, FieldFamily, MovedBy
from tms.query.tree import Operator
from tms.query.value_kinds import NUMBER, number_compares
from tms.telemetry.metric_names import LABELS

PREFIX = "metric."


def add_fields() -> None:
    TERMINAL_FIELDS.add_family(FieldFamily(PREFIX, _("Newest reading of a metric"), _field, _names))


def _field(metric: str) -> Field:
    reading = Cast(KeyTextTransform(metric, "state__metrics"), FloatField())

    def compare(operator: Operator, wanted: float, at: datetime) -> Q:
        # Without the first part, a terminal without the reading would also be excluded by `-metric.…`.
        return Q(state__metrics__has_key=metric) & number_compares(reading, operator, wanted)

    return Field(PREFIX + metric, LABELS.get(metric, metric), NUMBER, compare=compare, moved_by=MovedBy.READING)


def _names(person: Any, begun: str) -> Iterable[str]:
    return (name for name in LABELS if name.startswith(begun.casefold()))
