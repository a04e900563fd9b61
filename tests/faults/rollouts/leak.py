"""A rollout of software that leaks memory: terminals with it crash again and again."""

import asyncio
import json
import time
import urllib.request
from collections.abc import Mapping
from typing import Any

from tests.faults.fault import Fault, Finding
from tests.faults.rollouts.observed import ObservedRollout, updatable
from tests.faults.rollouts.waves import LASTS_S, TERMINALS, WaveScenario, begin

CANARY = 12
CANARY_HOURS = 0.1
"""Six minutes, and as long again without enough evidence: a crash, the hour with it, and what the evaluation waits."""
LEAKS_PCT_PER_HOUR = 2_000.0
"""A terminal crashes 108 s after its start."""
QUIET_S = 60.0
"""How long after the stop nothing may start."""

ORDERED_LATER = """
SELECT count(*) FROM rollouts_rolloutitem i JOIN rollouts_rollout r ON r.id = i.rollout_id
WHERE r.id = %s AND i.ordered_at > r.state_at
"""
BY_MEASURE = """
SELECT measures FROM rollouts_evidencepoint WHERE rollout_id = %s ORDER BY at DESC LIMIT 1
"""


async def leak(scenario: WaveScenario, finding: Finding) -> None:
    terminals = updatable(scenario.observer.terminals)
    async with scenario.during_fault(finding) as window:
        former = {each.uid: each.software.version for each in terminals}
        before = {each.uid: each.software.installs[each.software.version] for each in terminals}
        rollout = await begin(scenario, terminals, leaks=LEAKS_PCT_PER_HOUR, canary_hours=CANARY_HOURS)
        await expect_stop(rollout, finding)
        back = await roll_back(rollout)
        state, _ = await back.wait_until_over(within_s=LASTS_S)
        finding.figures["rolled back after s"] = time.monotonic() - back.began_at
        window.end()
    given = [each for each in terminals if each.software.installs[rollout.version]]
    kept = [each for each in terminals if each.software.version == former[each.uid]]
    once = [each for each in given if each.software.installs[former[each.uid]] == before[each.uid] + 1]
    done = (await back.counts()).get("done", 0)
    for what, number in (
        ("roll backs that did not finish", int(state != "finished")),
        ("terminals without their former version", len(terminals) - len(kept)),
        ("terminals that got it back not once", len(given) - len(once)),
        ("difference of the number rolled back", abs(done - len(given))),
    ):
        finding.expect(what, number, at_most=0)
    finding.figures |= {"crashes": sum(each.crashes for each in terminals), "rolled back": done}


async def expect_stop(rollout: ObservedRollout, finding: Finding) -> None:
    """TMS stops it by itself in the first wave, and nothing starts from then on."""
    state = await rollout.wait_until_over(within_s=LASTS_S)
    finding.figures["stopped after s"] = time.monotonic() - rollout.began_at
    installs = rollout.installs
    await asyncio.sleep(QUIET_S)
    ((ordered,),) = await rollout.scenario.aquery(ORDERED_LATER, rollout.pk)
    finding.expect("rollouts that its effects did not stop", int(state != ("stopped", "effects")), at_most=0)
    finding.expect("terminals with it", installs, at_most=CANARY)
    finding.expect("terminals that began after the stop", rollout.installs - installs, at_most=0)
    finding.expect("orders after the stop", ordered, at_most=0)
    await rollout.add_figures(finding)
    ((measures,),) = await rollout.scenario.aquery(BY_MEASURE, rollout.pk)
    finding.figures |= {f"evidence of {name}": value for name, value in measures.items() if value >= 10}


async def roll_back(rollout: ObservedRollout) -> ObservedRollout:
    """Roll it back by the REST API, as a person would."""
    made = await asyncio.to_thread(_post, rollout, f"/api/v1/rollouts/{rollout.pk}/roll-back", {"reason": "it leaks"})
    return ObservedRollout(rollout.scenario, rollout.terminals, "", made["id"], rollout.token)


def _post(rollout: ObservedRollout, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    headers = {**rollout.headers, "Content-Type": "application/json"}
    url = rollout.scenario.environment.nodes[0].url + path
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return dict(json.load(answer))


FAULTS = (
    Fault(
        "leak-in-canary",
        "a leak is stopped in the canary, and rolled back",
        f"{TERMINALS} terminals shall get software that leaks memory",
        leak,
    ),
)
