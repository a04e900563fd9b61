"""The limit of metric names of a terminal, including late reports; names above it are refused."""

import json

import pytest

from tests.ingest.messages import reports, taken
from tests.support.builders import AT, Link
from tests.support.ingest.commit import booted, state_of, write
from tests.support.threads import in_thread
from tms.ingest.metric_limits import MetricNames
from tms.protocol import frames
from tms.protocol.limits import METRIC_NAMES
from tms.telemetry.models import Report

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]

EACH = 63
"""New names in each report, and one common name."""


def metrics(number: int) -> dict[str, float]:
    return {"m0": 1.0} | {f"m{name}": 1.0 for name in range(EACH * number, EACH * (number + 1))}


@pytest.fixture
def terminal(fleet):
    return fleet.terminal()


def sizes() -> list[int]:
    return [len(metrics) for metrics in Report.objects.order_by("seq").values_list("metrics", flat=True)]


def test_accepted_names_are_known_and_the_first_ones_stay():
    names = MetricNames([f"m{number}" for number in range(METRIC_NAMES - 1)])

    assert names.beyond({"a": 1, "b": 2, "m0": 3}) == {"b"}
    assert names.beyond({"a": 1, "m1": 3}) == set()
    assert names.beyond({"b": 1}) == {"b"}


@pytest.mark.parametrize("late", [False, True])
async def test_names_above_the_limit_are_refused_and_the_rest_of_the_report_is_stored(node, terminal, late):
    session, wire = await node.booted(terminal)

    for number in range(4):
        await taken(session, reports(number + 1, number + 1, metrics=metrics(number), late=late))
    await node.batch.wait_until_idle()

    [error] = [frame["error"] for frame in wire.frames if "error" in frame]
    assert (error["data"]["type"], error["data"]["where"]) == ("tms:part-refused", "$.params.metrics.m192")
    assert error["message"].startswith("m192, m193, m194, m195, m196 and 55 more not stored: limit of 192 metric names")
    assert wire.of("ack")[-1] == {"seq": 4}
    assert await in_thread(sizes) == [EACH, EACH + 1, EACH + 1, 4]


async def test_a_new_link_continues_with_the_names_of_the_state(node, terminal):
    for number in range(2):
        session, wire = await node.booted(terminal)
        for seq in (2 * number + 1, 2 * number + 2):
            await taken(session, reports(seq, seq, metrics=metrics(seq - 1)))
        await node.batch.wait_until_idle()

    assert wire.errors == ["tms:part-refused"]
    assert len((await in_thread(state_of, terminal)).metrics) == METRIC_NAMES


def test_a_boot_with_other_names_resets_the_known_names(terminal):
    link = booted(terminal)
    for number in range(3):
        write(link.report(number + 1, metrics=metrics(number)))

    new = {f"x{number}": 1.0 for number in range(10)}
    again = Link(terminal)
    write(again.boot("boot-2", full=frames.FullState(metrics=new)))

    assert state_of(terminal).metrics == new


async def test_refused_parts_do_not_close_the_link(node, terminal):
    session, wire = await node.booted(terminal)

    for seq in range(1, 31):
        await taken(session, reports(seq, seq, metrics={"a": 1e99, "b": 1}))
    await node.batch.wait_until_idle()

    assert wire.closed is None
    assert wire.errors == ["tms:part-refused"] * 30
    assert await in_thread(lambda: list(Report.objects.values_list("metrics", flat=True))) == [{"b": 1.0}] * 30


async def test_an_event_with_a_reserved_code_triggers_no_rule_and_the_rest_is_stored(node, fleet, terminal):
    await in_thread(fleet.event_rule, "tms.duplicate_credential")
    session, wire = await node.booted(terminal)
    at = AT.isoformat()

    await taken(
        session,
        reports(
            1, 1, metrics={"a": 1}, events=[{"at": at, "code": "tms.duplicate_credential"}, {"at": at, "code": "ok"}]
        ),
    )
    await node.batch.wait_until_idle()

    def seen() -> tuple[list[str], int, list[int]]:
        return list(terminal.events.values_list("code", flat=True)), terminal.alerts.count(), sizes()

    assert wire.errors == ["tms:part-refused"]
    assert await in_thread(seen) == (["ok"], 0, [1])
    assert "`tms.`" in json.dumps(wire.frames)
