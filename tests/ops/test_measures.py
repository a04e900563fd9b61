"""The conversion of Prometheus samples to CloudWatch metrics."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tms.ops.cloudwatch.bridge import read
from tms.ops.cloudwatch.measures import (
    Distribution,
    Level,
    Measure,
    MetricSample,
    Observations,
    Rise,
    Share,
    WorstShare,
)


def samples(**values: float | Mapping[str, float]):
    """`name=3`, or `name={"online": 3, "silent": 1}` for a metric with one label, `by`."""
    return {
        name: [MetricSample({"by": by}, value) for by, value in given_.items()]
        if isinstance(given_, Mapping)
        else [MetricSample({}, given_)]
        for name, given_ in values.items()
    }


def test_a_gauge_is_its_value_for_the_given_labels():
    now = samples(terminals={"online": 7, "silent": 2})

    assert Level("terminals", {"by": "online"}).of(now, before={}) == 7
    assert Level("terminals").of(now, before={}) == 9


@pytest.mark.parametrize(
    "measure",
    [Level("x"), Level("x", {"by": "online"}), Rise("x"), Observations("x"), Share("x", "y"), WorstShare("x", "y")],
    ids=lambda measure: type(measure).__name__,
)
def test_a_missing_value_is_not_zero(measure: Measure):
    assert measure.of({}, before={}) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_value_that_is_not_a_number_is_not_sent(value):
    assert Level("x").of(samples(x=value), before={}) is None


def test_a_counter_is_its_increase_over_all_its_labels():
    before, now = samples(x_total={"a": 5, "b": 1}), samples(x_total={"a": 7, "b": 1, "c": 3})

    assert Rise("x").of(now, before=before) == 5
    assert Rise("x").of(now, before=now) == 0


def test_a_new_counter_starts_at_zero():
    assert Rise("x").of(samples(x_total=4), before={}) == 4


def test_the_worst_share_is_that_of_the_label_nearest_to_its_limit():
    now = samples(age={"sweep": 5, "roll_up": 1_800, "new": 7}, limit={"sweep": 20, "roll_up": 900})

    assert WorstShare("age", "limit").of(now, before={}) == 200


def test_a_share_of_zero_is_not_sent():
    assert Share("part", "whole").of(samples(part=30, whole=120), before={}) == 25
    assert Share("part", "whole").of(samples(part=0, whole=0), before={}) is None


def test_a_histogram_is_its_observations_each_at_the_upper_bound_of_its_bucket():
    registry = CollectorRegistry()
    histogram = Histogram("wait_seconds", "Waits", buckets=(0.1, 1, 10), registry=registry)
    histogram.observe(0.05)
    before = read(registry, {"wait_seconds_bucket"})
    for seconds in (0.01, 0.02, 0.5, 10, 11):
        histogram.observe(seconds)
    now = read(registry, {"wait_seconds_bucket"})

    observed = Observations("wait_seconds").of(now, before=before)

    assert observed == Distribution(values=(0.1, 1, 10, 20), counts=(2, 1, 1, 1))
    assert Observations("wait_seconds").of(now, before=now) is None


@given(st.lists(st.floats(0, 30), max_size=50), st.lists(st.floats(0, 30), min_size=1, max_size=50))
def test_no_observation_is_lost_and_none_is_too_low(earlier, later):
    registry = CollectorRegistry()
    histogram = Histogram("wait_seconds", "Waits", buckets=(0.1, 1, 10, 15), registry=registry)
    for seconds in earlier:
        histogram.observe(seconds)
    before = read(registry, {"wait_seconds_bucket"})
    for seconds in later:
        histogram.observe(seconds)

    observed = Observations("wait_seconds").of(read(registry, {"wait_seconds_bucket"}), before=before)

    assert observed is not None
    assert sum(observed.counts) == len(later)
    assert sum(value * count for value, count in zip(*observed, strict=True)) >= sum(later)


def test_only_the_required_metrics_are_read():
    registry = CollectorRegistry()
    Gauge("wanted", "It", registry=registry).set(3)
    Counter("not_wanted", "It", registry=registry)

    assert read(registry, {"wanted", "nowhere"}) == {"wanted": [MetricSample({}, 3.0)]}
