"""What is compared between updated and waiting terminals."""

from enum import StrEnum
from typing import NamedTuple


class MeasureKind(StrEnum):
    COUNT = "count"
    """Something happens to a terminal, such as a restart: it is hit."""
    READING = "reading"
    """How a metric of it changed; higher is worse."""
    RETURN = "return"
    """Whether it came back after its update: compared with what is usual, as waiting terminals have no update."""


class EffectMeasure(NamedTuple):
    name: str
    kind: MeasureKind


MEASURES = {
    measure.name: measure
    for measure in (
        EffectMeasure("restarts", MeasureKind.COUNT),
        EffectMeasure("outages_application", MeasureKind.COUNT),
        EffectMeasure("outages_power", MeasureKind.COUNT),
        EffectMeasure("not_back", MeasureKind.RETURN),
        EffectMeasure("alerts", MeasureKind.COUNT),
        EffectMeasure("passing_faults", MeasureKind.COUNT),
        EffectMeasure("lasting_faults", MeasureKind.COUNT),
        EffectMeasure("memory", MeasureKind.READING),
        EffectMeasure("temperature", MeasureKind.READING),
        EffectMeasure("response_time", MeasureKind.READING),
    )
}
"""Measures in the order in which pages show them."""
COUNTED = tuple(name for name, measure in MEASURES.items() if measure.kind is MeasureKind.COUNT)
READINGS = tuple(name for name, measure in MEASURES.items() if measure.kind is MeasureKind.READING)
DEFAULT_MEASURES = tuple(name for name in MEASURES if name not in {"outages_power", "temperature", "response_time"})
"""What a rollout is stopped by that chooses nothing. Evidence is a mean: each further measure weakens the others."""
