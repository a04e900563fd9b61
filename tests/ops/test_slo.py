import threading
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry, Histogram

from tests.support import people
from tests.support.builders import AT, later
from tests.support.polling import wait_for
from tms.ops.models import Observed, SloSample
from tms.ops.slo import recorder
from tms.ops.slo.recorder import SloRecorder
from tms.ops.slo.report import TARGET_SHARE, slo_report

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def seconds(registry):
    return Histogram("tms_slo_seconds", "…", ["indicator", "outcome"], buckets=(0.5, 1, 10), registry=registry)


def stored():
    return sorted(SloSample.objects.values_list("indicator", "outcome", "bound_s", "number"))


def add_samples(*observed, at=AT):
    SloSample.objects.add([Observed(*one) for one in observed], since=recorder.slot(at))


def board(span="24h", at=AT):
    return next(one for one in slo_report(span, at=at) if one.indicator == "board")


def test_each_minute_adds_only_the_new_observations(registry, seconds):
    written = SloRecorder(registry)
    seconds.labels("board", "kept").observe(0.2)
    assert written.write(AT) == 1

    seconds.labels("board", "kept").observe(0.3)
    seconds.labels("board", "missed").observe(5)

    assert written.write(later(60)) == 2
    assert written.write(later(120)) == 0
    assert stored() == [("board", "kept", 0.5, 2), ("board", "missed", 10.0, 1)]


def test_an_observation_above_the_last_bound_counts_as_twice_that_bound(registry, seconds):
    seconds.labels("board", "missed").observe(99)

    SloRecorder(registry).write(AT)

    assert stored() == [("board", "missed", 20.0, 1)]


class BrokenRegistry(CollectorRegistry):
    """Cannot be read at first."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.is_read_again = threading.Event()

    def restricted_registry(self, names):
        self.reads += 1
        if self.reads == 1:
            raise RuntimeError("a collector failed")
        self.is_read_again.set()
        return super().restricted_registry(names)


def test_after_any_error_it_continues_a_minute_later():
    registry = BrokenRegistry()
    written = SloRecorder(registry, every_s=0.01)
    written.start()

    wait_for(registry.is_read_again.is_set)
    written.stop()


def test_observations_of_several_processes_are_summed():
    add_samples(("board", "kept", 0.5, 3))
    add_samples(("board", "kept", 0.5, 4))

    assert stored() == [("board", "kept", 0.5, 7)]


def test_a_stopping_recorder_writes_pending_samples(registry, seconds, transactional_db):
    seconds.labels("offline", "kept").observe(1)
    ending = SloRecorder(registry)
    ending.start()

    ending.stop()

    assert stored() == [("offline", "kept", 1.0, 1)]


def test_a_ratio_and_percentiles_are_computed_for_a_period():
    add_samples(("board", "kept", 0.25, 90), ("board", "kept", 1.0, 8), ("board", "missed", 2.5, 2))

    tally = board().chosen

    assert (tally.share, tally.is_missed, TARGET_SHARE) == (0.98, True, 0.99)
    assert [tally.within_s(share) for share in (0.5, 0.95, 0.99)] == [0.25, 1.0, 2.5]


def test_each_period_has_the_samples_within_it():
    add_samples(("board", "kept", 1.0, 1), at=AT)
    add_samples(("board", "kept", 1.0, 10), at=AT - timedelta(hours=3))
    add_samples(("board", "kept", 1.0, 100), at=AT - timedelta(days=3))

    assert {name: tally.number for name, tally in board().ratios.items()} == {"1h": 1, "24h": 11, "30d": 111}


def test_only_periods_with_samples_have_bars():
    add_samples(("board", "kept", 1.0, 1), at=AT)
    add_samples(("board", "missed", 5.0, 1), at=AT - timedelta(minutes=20))

    bars = board("1h").bars

    assert [(bar.met, bar.missed) for bar in bars] == [(0, 0), (0, 0), (0, 0), (0, 1), (0, 0), (1, 0)]


def test_without_samples_there_is_no_ratio():
    assert (board().chosen.share, board().chosen.within_s(0.99), board().chosen.is_missed) == (None, None, False)


def test_samples_older_than_any_page_shows_are_deleted():
    add_samples(("board", "kept", 1.0, 1), at=AT - timedelta(days=36))
    add_samples(("board", "kept", 1.0, 2), at=AT - timedelta(days=30))

    assert recorder.purge(AT) == 1
    assert stored() == [("board", "kept", 1.0, 2)]


@pytest.mark.parametrize("span", ["1h", "24h", "30d", "nonsense"])
def test_the_page_shows_every_stage_with_its_target(client, span):
    from django.utils import timezone

    add_samples(("board", "kept", 0.25, 995), ("board", "missed", 2.5, 5), at=timezone.now())
    client.force_login(people.person("tanaka"))

    html = client.get(f"/slo/?span={span}").content.decode()

    assert [
        f'id="indicator-{indicator}"' in html for indicator in ("offline", "board", "notification", "acknowledgement")
    ] == [True] * 4
    assert "99.5%" in html
    assert "within <b>80 s</b>" in html


def test_an_anonymous_visitor_is_redirected_to_sign_in(client):
    assert client.get("/slo/")["Location"] == "/sign-in/?next=/slo/"
