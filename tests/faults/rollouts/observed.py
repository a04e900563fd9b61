"""A rollout to simulated terminals, compared with what they installed."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from tests.faults.fault import Finding
from tests.faults.half_done.requests_killed import prepared
from tests.faults.rollouts.updatable import UpdatableTerminal
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.scenario import Scenario

OVER = ("finished", "stopped", "expired", "cancelled", "rolled_back")
"""States of a rollout in which nothing starts by itself any more."""
UNENDED = ("waiting", "postponed", "ordered", "downloading", "installing", "restarting", "settling")

STATE = "SELECT state, reason FROM rollouts_rollout WHERE id = %s"
ITEMS = """
SELECT t.uid, i.state, i.reason, i.error FROM rollouts_rolloutitem i JOIN fleet_terminal t ON t.id = i.terminal_id
WHERE i.rollout_id = %s
"""
COUNTS = "SELECT state, count(*) FROM rollouts_rolloutitem WHERE rollout_id = %s GROUP BY state"
EVIDENCE = "SELECT coalesce(max(evidence), 1) FROM rollouts_evidencepoint WHERE rollout_id = %s"
LEFT_OUT = "SELECT left_out FROM rollouts_watching WHERE rollout_id = %s"


class ObservedRollout:
    """A rollout of `version` that has begun."""

    def __init__(
        self,
        scenario: Scenario[FaultCluster],
        terminals: Sequence[UpdatableTerminal],
        version: str,
        pk: int,
        token: str,
    ) -> None:
        self.scenario, self.terminals, self.version, self.pk = scenario, terminals, version, pk
        self.began_at = time.monotonic()
        self.most: Counter[str] = Counter()
        """The most items that were in a state at one moment."""
        self.token = token

    @classmethod
    async def begin(
        cls, scenario: Scenario[FaultCluster], terminals: Sequence[UpdatableTerminal], version: str, **chosen: float
    ) -> Self:
        """`chosen`: see `tests.faults.scenario.changes.roll_out`."""
        given = ", ".join(f"{name}={value!r}" for name, value in chosen.items())
        made = await prepared(scenario, f"roll_out({version!r}, {given})")
        return cls(scenario, terminals, version, int(str(made["pk"])), str(made["token"]))

    @property
    def installs(self) -> int:
        """How many terminals have begun to install it."""
        return sum(each.software.installs[self.version] > 0 for each in self.terminals)

    async def wait_until_installed(self, share: float, *, within_s: float) -> None:
        """Wait until this share of the terminals installs it. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while self.installs < share * len(self.terminals):
                await asyncio.sleep(0.1)

    async def wait_until_over(self, *, within_s: float) -> tuple[str, str]:
        """The state and its reason, once nothing starts by itself any more or the time is over."""
        deadline = time.monotonic() + within_s
        while True:
            ((state, reason),) = await self.scenario.aquery(STATE, self.pk)
            self.most |= dict(await self.scenario.aquery(COUNTS, self.pk))
            if state in OVER or time.monotonic() > deadline:
                return state, reason
            await asyncio.sleep(1)

    async def counts(self) -> Mapping[str, int]:
        """How many items are in each state, as the REST API says."""
        status, text = await asyncio.to_thread(self._get, f"/api/v1/rollouts/{self.pk}")
        assert status == 200, text
        return dict(json.loads(text)["counts"])

    def _get(self, path: str) -> tuple[int, str]:
        return self.scenario.environment.nodes[0].get(path, **self.headers)

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def items(self) -> dict[str, tuple[str, str, str]]:
        """The state, reason and error of each item, by the terminal."""
        return {uid: item for uid, *item in await self.scenario.aquery(ITEMS, self.pk)}  # type: ignore[misc]

    async def add_figures(self, finding: Finding) -> None:
        """What says nothing about right or wrong."""
        ((highest,),) = await self.scenario.aquery(EVIDENCE, self.pk)
        left_out = await self.scenario.aquery(LEFT_OUT, self.pk)
        finding.figures["highest evidence"] = highest
        finding.figures |= {f"hits left out: {why}": number for why, number in _by_reason(left_out).items()}
        for state in ("not_back", "old_version", "new_version", "failed", "skipped"):
            if self.most[state]:
                finding.figures[f"most items at a time: {state}"] = self.most[state]

    async def expect_right(self, finding: Finding, *, state: str, without: int = 0) -> None:
        """It ended as a good one, each terminal was updated at most once, and its numbers are those of the terminals.

        `without`: how many terminals may be left, each with a reason.
        """
        items, counts = await self.items(), await self.counts()
        described = Counter(" ".join(filter(None, item)) for item in items.values())
        print(f"rollout {self.pk} of {self.version}: {state}; {dict(described)}")
        updated = {each.uid for each in self.terminals if each.software.version == self.version}
        done = {uid for uid, (state, *_) in items.items() if state == "done"}
        silent = [uid for uid, (state, reason, error) in items.items() if state != "done" and not (reason or error)]
        twice = sum(each.has_twice(self.version) for each in self.terminals)
        expected = (
            ("rollouts that did not finish", int(state != "finished"), 0),
            ("terminals that were updated twice", twice, 0),
            ("terminals without the update", len(self.terminals) - len(updated), without),
            ("items that say something else than their terminal", len(done ^ updated), 0),
            ("items without an end", sum(item[0] in UNENDED for item in items.values()), 0),
            ("items that are not done, without a reason", len(silent), 0),
            ("difference of the number done", abs(counts.get("done", 0) - len(updated)), 0),
            ("difference of all numbers", abs(sum(counts.values()) - len(self.terminals)), 0),
        )
        for what, number, at_most in expected:
            finding.expect(what, number, at_most=at_most)
        finding.figures["terminals that undid it meanwhile"] = sum(
            each.software.undone[self.version] > 0 for each in self.terminals
        )
        finding.figures |= {f"items {name}"[:60]: number for name, number in sorted(described.items())}


def _by_reason(rows: Sequence[Sequence[Any]]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for (by_measure,) in rows:
        for reasons in (by_measure if isinstance(by_measure, dict) else json.loads(by_measure)).values():
            found.update(reasons)
    return dict(found)


def updatable(terminals: Iterable[object]) -> list[UpdatableTerminal]:
    return [each for each in terminals if isinstance(each, UpdatableTerminal)]
