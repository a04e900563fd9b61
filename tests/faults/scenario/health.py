"""What `/health/` reports during a fault, and what a load balancer would do about it."""

import asyncio
import contextlib
import re
import statistics
import time
import urllib.request
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.error import HTTPError

from tests.faults.fault import Finding
from tests.faults.run import ROOT
from tests.faults.scenario.scenario import Scenario

EVERY_S = 0.5
NO_ANSWER = 0
VISIBLE_WITHIN_S = 10.0
"""Readiness reports within this time that writes fail."""
HEALTHY_WITHIN_S = 30.0
QUICK_MS = 200.0
PHASES = 3
"""Load balancers that poll at different moments, so that together they miss nothing."""


class TargetHealth(NamedTuple):
    """The load balancer's health check, with the figures of deploy/terraform/balancer.tf."""

    interval_s: float
    timeout_s: float
    failures: int


def configured() -> TargetHealth:
    text = (ROOT / "deploy/terraform/balancer.tf").read_text()
    block = text[text.index("health_check {") :]
    figures = {name: float(value) for name, value in re.findall(r"(\w+)\s*=\s*(\d+)\n", block[: block.index("}")])}
    return TargetHealth(figures["interval"], figures["timeout"], int(figures["unhealthy_threshold"]))


class Answer(NamedTuple):
    at: float
    status: int
    took_s: float


def poll(url: str, *, timeout_s: float) -> Answer:
    began = time.monotonic()
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as answer:
            answer.read()
            status = answer.status
    except HTTPError as error:
        with error:
            status = error.code
    except (OSError, HTTPException):
        status = NO_ANSWER
    return Answer(began, status, time.monotonic() - began)


@dataclass
class HealthObserver:
    """Polls liveness and readiness of each process, and acts as the load balancer in front of nginx."""

    processes: Sequence[str]
    front: str
    target: TargetHealth = field(default_factory=configured)
    live: list[Answer] = field(default_factory=list)
    strict: list[Answer] = field(default_factory=list)
    replaced: int = 0
    balancer_checks: int = 0

    async def poll_repeatedly(self, path: str, answers: list[Answer]) -> None:
        while True:
            polls = [asyncio.to_thread(poll, url + path, timeout_s=self.target.timeout_s) for url in self.processes]
            answers.extend(await asyncio.gather(*polls))
            await asyncio.sleep(EVERY_S)

    async def balance(self, phase: int) -> None:
        """Replace a machine after the configured number of failures in a row, and start counting again."""
        failed = 0
        await asyncio.sleep(self.target.interval_s * phase / PHASES)
        while True:
            answer = await asyncio.to_thread(poll, self.front + "/health/", timeout_s=self.target.timeout_s)
            self.balancer_checks += 1
            failed = 0 if answer.status == 200 else failed + 1
            if failed >= self.target.failures:
                self.replaced += 1
                failed = 0
            await asyncio.sleep(max(0.0, self.target.interval_s - answer.took_s))

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        works = [
            self.poll_repeatedly("/health/", self.live),
            self.poll_repeatedly("/health/?strict", self.strict),
            *(self.balance(phase) for phase in range(PHASES)),
        ]
        tasks = [asyncio.create_task(work) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def first(self, status: int, *, since: float) -> float | None:
        """Seconds until a process first answered `/health/?strict` with `status`."""
        return next(
            (answer.at - since for answer in self.strict if answer.at >= since and answer.status == status), None
        )

    def healthy_after(self, since: float) -> float | None:
        """Seconds from `since` until the first healthy answer after the last unhealthy one; None if there is none."""
        unhealthy = [answer.at for answer in self.strict if answer.at >= since and answer.status != 200]
        healthy = [
            answer.at for answer in self.strict if answer.at > max(unhealthy, default=since) and answer.status == 200
        ]
        return min(healthy) - since if healthy else None


@contextlib.asynccontextmanager
async def health_observed(
    scenario: Scenario[Any], finding: Finding, *, is_reported: bool = True
) -> AsyncIterator["Outage"]:
    """Expect that every process stays live during the outage, and that readiness reports the outage and its end in
    time.
    """
    nodes = getattr(scenario.environment, "nodes", ())
    nginx = getattr(scenario.environment, "nginx", None)
    processes = [node.url for node in nodes] or [scenario.environment.url]
    observer = HealthObserver(processes, nginx.plain_url if nginx else scenario.environment.url)
    async with observer.watching():
        outage = Outage()
        yield outage
        ended_at = outage.ended_at or time.monotonic()
        until = ended_at + HEALTHY_WITHIN_S + 1
        while time.monotonic() < until and (observer.healthy_after(ended_at) is None):
            await asyncio.sleep(EVERY_S)
    finding.expect("machines replaced", observer.replaced, at_most=0)
    finding.expect("liveness failures", sum(answer.status != 200 for answer in observer.live), at_most=0)
    finding.expect(
        "health answers, p95",
        1e3 * statistics.quantiles([a.took_s for a in observer.live], n=20)[-1],
        at_most=QUICK_MS,
        unit="ms",
    )
    if is_reported:
        reported_s = observer.first(503, since=outage.began_at)
        finding.expect("readiness reports it", reported_s, at_most=VISIBLE_WITHIN_S, unit="s")
    finding.expect("ready again", observer.healthy_after(ended_at), at_most=HEALTHY_WITHIN_S, unit="s")
    finding.figures["health, slowest ms"] = 1e3 * max(answer.took_s for answer in observer.live)
    finding.figures["checks by the load balancer"] = observer.balancer_checks


class Outage:
    def __init__(self) -> None:
        self.began_at = time.monotonic()
        self.ended_at: float | None = None

    def begin(self) -> None:
        self.began_at = time.monotonic()

    def end(self) -> None:
        self.ended_at = time.monotonic()
