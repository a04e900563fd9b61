"""What `tms-conformance` says about clients: about right ones, and about those that break one rule."""

import asyncio

import pytest

from tests.agent.conformance.simple_client import (
    CountsFromZeroAgain,
    ForgetsReports,
    IgnoresDrain,
    ReconnectsAtOnce,
    ReportsEvents,
    SimpleClient,
    TakesConfigurations,
    TakesEventsForHistory,
    TakesEverything,
    TakesIdsForNumbers,
)
from tests.support.inventory import ROOT
from tms_agent.conformance.check import Result, State
from tms_agent.conformance.process import starter
from tms_agent.conformance.results import catalogue
from tms_agent.conformance.runner import Plan, run, select
from tms_agent.conformance.schemas import faults_in

BREAKS = {
    SimpleClient: set(),
    CountsFromZeroAgain: {"seq"},
    ReconnectsAtOnce: {"back-off"},
    IgnoresDrain: {"drain"},
    TakesIdsForNumbers: {"answer-id"},
    ForgetsReports: {"resend"},
}


def without_success(results: list[Result]) -> dict[str, str]:
    return {one.check.name: f"{one.state.value}: {one.why}" for one in results if one.state is not State.PASSED}


async def test_a_broken_client_fails_the_check_of_what_it_breaks_and_no_other():
    core = select(["core"])
    plans = [Plan(core, client.start, parallel=10, patience_s=10) for client in BREAKS]

    runs = await asyncio.gather(*map(run, plans))

    found = [without_success(results) for results in runs]
    assert {client: set(names) for client, names in zip(BREAKS, found, strict=True)} == BREAKS, found


@pytest.mark.parametrize(
    ("client", "checks", "failed"),
    [
        (ReportsEvents, ["events-of-interruption"], {}),
        (
            TakesEventsForHistory,
            ["events-of-interruption"],
            {"events-of-interruption": "failed: report 1 is late, with an event of a moment ago"},
        ),
        (TakesConfigurations, ["config", "update-signature"], {}),
        (
            TakesEverything,
            ["config", "update-signature"],
            {
                "config": 'failed: $.result.version is "0", not an integer',
                "update-signature": 'failed: answered {"jsonrpc": "2.0", "id": "update", "result": {"version": ...',
            },
        ),
    ],
)
async def test_what_only_some_clients_do_is_tested(client, checks, failed):
    results = await run(Plan(select(checks), client.start))

    assert without_success(results) == failed


async def test_the_client_in_javascript_passes_the_core_and_hostile_servers():
    client = starter(["node", str(ROOT / "docs/examples/terminal.mjs")])

    results = await run(Plan(select(["core", "hostile"]), client, parallel=16))

    assert without_success(results) == {}


async def test_a_client_that_was_started_by_hand_is_tested_without_a_restart():
    clients: list[SimpleClient] = []
    plan = Plan(
        select(["ping", "boot-id"]),
        start=None,
        stable_s=0,
        announce=lambda url, credential: clients.append(SimpleClient(url, credential)),
    )

    results = await run(plan)
    clients[0].kill()

    assert without_success(results) == {"boot-id": "not tested: needs COMMAND, to start the client"}


async def test_a_client_that_ends_at_once_fails_without_a_long_wait():
    [result] = await run(
        Plan(select(["interval"]), starter(["sh", "-c", "echo no such option; exit 3"]), patience_s=3600)
    )

    assert (result.state, result.why) == (State.FAILED, "the client ended: status 3")
    assert result.log == "no such option"


def test_the_documentation_lists_the_checks():
    assert catalogue(select([])) in (ROOT / "docs/agent.md").read_text()


REPORT = {"seq": 1, "at": "2026-11-25T09:30:30+09:00"}
EVENT = {"at": REPORT["at"], "code": "door_open"}


@pytest.mark.parametrize(
    ("method", "params", "fault"),
    [
        ("boot", {}, "$.params has no boot_id"),
        ("boot", {"boot_id": "a\nb"}, "$.params.boot_id has a control or bidirectional character"),
        ("boot", {"boot_id": "b", "last_seq": True}, "$.params.last_seq is true, not an integer"),
        ("boot", {"boot_id": "b", "uptime_s": -1}, "$.params.uptime_s is -1, not from 0 to inf"),
        ("report", {**REPORT, "seq": "1"}, '$.params.seq is "1", not an integer'),
        ("report", {**REPORT, "seq": 2**53}, "$.params.seq is 9007199254740992, not from 0 to 9007199254740991"),
        ("report", {**REPORT, "late": 1}, "$.params.late is 1, not true or false"),
        ("report", {**REPORT, "status": None}, "$.params.status is null, not one of ok, degraded, fault"),
        ("report", {**REPORT, "metrics": {"a": "1"}}, '$.params.metrics.a is "1", not a number'),
        ("report", {**REPORT, "metrics": {"a": 1e16}}, "$.params.metrics.a is 1e+16, not from -1e+15 to 1e+15"),
        ("report", {**REPORT, "events": {}}, "$.params.events is {}, not an array"),
        ("report", {**REPORT, "events": [{**EVENT, "text": 5}]}, "$.params.events[0].text is 5, not a string"),
        ("goodbye", {"reason": "bored"}, '$.params.reason is "bored", not one of reboot, update, closing, shutdown'),
        ("shout", {}, '$.method is "shout", not one of boot, heartbeat, report, goodbye, progress'),
    ],
)  # fmt: skip
def test_a_fault_in_a_frame_is_named_with_its_path(method, params, fault):
    assert list(faults_in({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})) == [fault]


@pytest.mark.parametrize(
    ("report", "what"),
    [
        ({"at": "2026-11-25T09:30:30"}, "not an instant with an offset"),
        ({"at": "1970-01-01T00:00:00Z"}, "not between the years 2000 and 2100"),
        ({"metrics": {"CPU": 1}}, "which does not match"),
        ({"events": [{**EVENT, "code": "tms.own"}]}, "which does not match"),
        ({"metrics": {f"m{number}": 1 for number in range(65)}}, "has 65 members, not at most 64"),
    ],
)
def test_a_report_that_tms_would_refuse_has_a_fault(report, what):
    [fault] = faults_in({"jsonrpc": "2.0", "method": "report", "params": {**REPORT, **report}})

    assert what in fault
