"""What was counted of the published objective."""

from collections import Counter

from tms.metrics import instruments


def counted() -> Counter[tuple[str, str]]:
    """How many observations there are, by indicator and outcome."""
    samples = (sample for family in instruments.SLO_SECONDS.collect() for sample in family.samples)
    return Counter(
        {
            (sample.labels["indicator"], sample.labels["outcome"]): int(sample.value)
            for sample in samples
            if sample.name.endswith("_count")
        }
    )
