"""Metrics as people read them."""

import pytest

from tms.telemetry import metric_names

WORDED = [
    # metric, value, label, reading
    ("cpu_pct", 13.9, "CPU", "14%"),
    ("net_received_bytes_s", 0, "Network received", "0 B/s"),
    ("net_sent_bytes_s", 12_345, "Network sent", "12.3 kB/s"),
    ("network_in_bps", 4_000_000, "Received", "4 Mbit/s"),
    ("load_1m", 0.42, "Load, 1 min", "0.4"),
    ("uptime_s", 1_203, "Uptime", "20 min 3 s"),
    ("uptime_s", 42, "Uptime", "42 s"),
    ("door_open_s", 7_200, "Door open", "2 h"),
    ("queue_length", 3, "Queue length", "3"),
    ("cpu_pct", None, "CPU", "–"),
]


@pytest.mark.parametrize(("name", "value", "label", "reading"), WORDED)
def test_a_metric_has_a_name_for_people_and_its_value_a_unit(name, value, label, reading):
    assert str(metric_names.metric(name).label) == label
    assert metric_names.worded(name, value) == reading
