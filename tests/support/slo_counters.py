"""Samples of the service level."""

from collections import Counter

from tms.metrics import instruments


def counted() -> Counter[tuple[str, str]]:
    """Number of samples, by indicator and outcome."""
    samples = (sample for family in instruments.SLO_SECONDS.collect() for sample in family.samples)
    return Counter(
        {
            (sample.labels["indicator"], sample.labels["outcome"]): int(sample.value)
            for sample in samples
            if sample.name.endswith("_count")
        }
    )
