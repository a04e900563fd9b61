"""Computes numbers for CloudWatch from samples of the Prometheus registry. Pure.

Missing samples give None, not 0. `before` are the samples of the previous measurement; in the first measurement of a
process its counters began at 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from types import MappingProxyType
from typing import NamedTuple, Protocol

type Labels = Mapping[str, str]
ALL: Labels = MappingProxyType({})

OVERFLOW = 2
"""Values above a histogram's last bound count as this multiple of the bound."""


class MetricSample(NamedTuple):
    labels: Labels
    value: float


type Samples = Mapping[str, Sequence[MetricSample]]
"""Samples by name, as Prometheus reads them: a counter ends in `_total`, a histogram's parts in `_bucket`."""


class Distribution(NamedTuple):
    """Aggregated observations: `counts[n]` of `values[n]`."""

    values: tuple[float, ...]
    counts: tuple[float, ...]


type Measured = float | Distribution


class Measure(Protocol):
    @property
    def names(self) -> frozenset[str]:
        """The samples that it needs."""

    @property
    def is_level(self) -> bool:
        """Whether it measures the current value, not the change since the last measurement."""

    def of(self, samples: Samples, *, before: Samples) -> Measured | None: ...


@dataclass(frozen=True, slots=True)
class Level:
    """A gauge: the sum of the samples that have `labels`."""

    metric: str
    labels: Labels = ALL
    is_level: bool = True

    @property
    def names(self) -> frozenset[str]:
        return frozenset({self.metric})

    def of(self, samples: Samples, *, before: Samples) -> float | None:
        return total(samples.get(self.metric, ()), self.labels)


@dataclass(frozen=True, slots=True)
class Rise:
    """The increase of a counter, over all samples that have `labels`."""

    metric: str
    labels: Labels = ALL
    is_level: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset({f"{self.metric}_total"})

    def of(self, samples: Samples, *, before: Samples) -> float | None:
        return increase(f"{self.metric}_total", self.labels, samples, before)


@dataclass(frozen=True, slots=True)
class Counted:
    """The number of observations of a histogram, over all samples that have `labels`."""

    metric: str
    labels: Labels = ALL
    is_level: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset({f"{self.metric}_count"})

    def of(self, samples: Samples, *, before: Samples) -> float | None:
        return increase(f"{self.metric}_count", self.labels, samples, before)


@dataclass(frozen=True, slots=True)
class Observations:
    """The observations of a histogram, each as the upper bound of its bucket: never better than it was. None without
    any.
    """

    metric: str
    is_level: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset({f"{self.metric}_bucket"})

    def of(self, samples: Samples, *, before: Samples) -> Distribution | None:
        [name] = self.names
        now, then = buckets(samples.get(name, ())), buckets(before.get(name, ()))
        fresh = {bound: number - then.get(bound, 0.0) for bound, number in now.items()}
        observed = [(value, number) for value, number in finite(differences(fresh)) if number > 0]
        if not observed:
            return None
        values, counts = zip(*observed, strict=True)
        return Distribution(values, counts)


@dataclass(frozen=True, slots=True)
class Share:
    """`part` as a percentage of `whole`; both are gauges."""

    part: str
    whole: str
    is_level: bool = True

    @property
    def names(self) -> frozenset[str]:
        return frozenset({self.part, self.whole})

    def of(self, samples: Samples, *, before: Samples) -> float | None:
        part, whole = total(samples.get(self.part, ())), total(samples.get(self.whole, ()))
        return None if part is None or not whole else 100.0 * part / whole


@dataclass(frozen=True, slots=True)
class WorstShare:
    """The highest percentage of a `part` in the `whole` with the same labels; both are gauges."""

    part: str
    whole: str
    is_level: bool = True

    @property
    def names(self) -> frozenset[str]:
        return frozenset({self.part, self.whole})

    def of(self, samples: Samples, *, before: Samples) -> float | None:
        whole_samples = samples.get(self.whole, ())
        shares = ((total([part]), total(whole_samples, part.labels)) for part in samples.get(self.part, ()))
        return max((100.0 * part / whole for part, whole in shares if part is not None and whole), default=None)


def increase(name: str, labels: Labels, samples: Samples, before: Samples) -> float | None:
    """The increase of a counter between two measurements; None without samples."""
    now = total(samples.get(name, ()), labels)
    return None if now is None else max(0.0, now - (total(before.get(name, ()), labels) or 0.0))


def total(samples: Iterable[MetricSample], labels: Labels = ALL) -> float | None:
    values = [sample.value for sample in samples if labels.items() <= sample.labels.items()]
    return sum(values) if values and all(map(isfinite, values)) else None


def buckets(samples: Iterable[MetricSample]) -> dict[float, float]:
    """The number of observations at or below each bound, over all other labels; bounds rise."""
    cumulative: dict[float, float] = {}
    for sample in samples:
        bound = float(sample.labels["le"])
        cumulative[bound] = cumulative.get(bound, 0.0) + sample.value
    return dict(sorted(cumulative.items()))


def differences(cumulative: Mapping[float, float]) -> Iterable[tuple[float, float]]:
    """Each bound with the number of observations between it and the one below."""
    below = 0.0
    for bound, number in cumulative.items():
        yield bound, number - below
        below = number


def finite(observed: Iterable[tuple[float, float]]) -> Iterable[tuple[float, float]]:
    last = 0.0
    for bound, number in observed:
        yield (OVERFLOW * last if bound == inf else bound), number
        last = bound
