"""Runs checks: several at the same time, each with a client of its own; or all with the one that somebody started."""

import asyncio
import secrets
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tms_agent.conformance.check import Check, Failed, Level, NotTested, Result, State
from tms_agent.conformance.checks import CHECKS
from tms_agent.conformance.terminal import Start, Terminal
from tms_agent.conformance.watch import Watch

UID, SECRET_BYTES = "conformance", 32
LONGEST_WAIT_S = 75.0
"""The same client may have waited often, and then waits for up to a minute."""


class UnknownCheck(Exception):
    """The message names it."""


@dataclass(frozen=True)
class Plan:
    checks: Sequence[Check]
    start: Start | None
    """None: somebody starts the client by hand."""
    host: str = "127.0.0.1"
    port: int = 0
    """Parallel checks use the ports that follow; 0 is any."""
    parallel: int = 8
    patience_s: float = 20.0
    stable_s: float = 12.0
    """The length of a link after which a client that was started by hand begins with short waits again."""
    announce: Callable[[str, str], None] = lambda url, credential: print(
        f"start the client with the URL {url} and the credential {credential}", flush=True
    )


class Watched:
    """What `watch` saw in all checks."""

    def __init__(self) -> None:
        self.seen: dict[str, str] = {}
        """The first fault of each check, and during which one it occurred; empty while there is none."""

    def note(self, name: str, fault: str, during: str) -> None:
        if fault and self.seen.get(name):
            return
        self.seen[name] = f"during {during}: {fault}" if fault else self.seen.get(name, "")

    def result(self, check: Check) -> Result:
        if check.name not in self.seen:
            return Result(check, State.NOT_TESTED, "it did not occur")
        why = self.seen[check.name]
        return Result(check, State.FAILED if why else State.PASSED, why)


def select(only: Iterable[str]) -> list[Check]:
    """The checks with these names, or of these levels; all without any. Raises UnknownCheck."""
    wanted = set(only)
    known = {check.name for check in CHECKS} | {check.level.value for check in CHECKS}
    if unknown := wanted - known:
        raise UnknownCheck(", ".join(sorted(unknown)))
    return [check for check in _in_order() if not wanted or {check.name, check.level.value} & wanted]


def _in_order() -> list[Check]:
    levels = list(Level)
    return sorted(CHECKS, key=lambda one: levels.index(one.level))


async def run(plan: Plan) -> list[Result]:
    """The results in the order of the plan."""
    watched = Watched()
    acting = _acting(plan.checks)
    results = await (_run_started(plan, acting, watched) if plan.start else _run_by_hand(plan, acting, watched))
    by_name = {one.check.name: one for one in results}
    return [by_name.get(one.name) or watched.result(one) for one in plan.checks]


def _acting(checks: Sequence[Check]) -> list[Check]:
    """Checks that act; a check that only watches needs all those of its level."""
    levels = {one.level for one in checks if one.run is None}
    acting = [one for one in _in_order() if one.run and (one in checks or one.level in levels)]
    return sorted(acting, key=lambda one: not one.is_long)


async def _run_started(plan: Plan, checks: Sequence[Check], watched: Watched) -> list[Result]:
    waiting, results = deque(checks), list[Result]()

    async def work(number: int, folder: Path) -> None:
        port = plan.port + number if plan.port else 0
        while waiting:
            check = waiting.popleft()
            terminal = _terminal(plan, folder / check.name, watched)
            results.append(await _run_alone(check, terminal, port))

    # Removed at the end, and not after each check: that may take long, and nothing else goes on meanwhile.
    with tempfile.TemporaryDirectory(prefix="tms-conformance-", ignore_cleanup_errors=True) as folder:
        await asyncio.gather(*(work(number, Path(folder)) for number in range(plan.parallel)))
    return results


async def _run_alone(check: Check, terminal: Terminal, port: int) -> Result:
    try:
        await terminal.listen(port)
        await terminal.start()
        return await _outcome(check, terminal)
    finally:
        await terminal.close()


async def _run_by_hand(plan: Plan, checks: Sequence[Check], watched: Watched) -> list[Result]:
    """One after the other."""
    terminal = _terminal(replace(plan, patience_s=max(plan.patience_s, LONGEST_WAIT_S)), Path(), watched)
    await terminal.listen(plan.port)
    try:
        plan.announce(terminal.url, terminal.credential)
        await terminal.first()
        return [await _by_hand(check, terminal, plan.stable_s) for check in checks]
    finally:
        await terminal.close()


async def _by_hand(check: Check, terminal: Terminal, stable_s: float) -> Result:
    if check.needs_command:
        return Result(check, State.NOT_TESTED, "needs COMMAND, to start the client")
    terminal.reset()
    try:
        link = await terminal.comes_back()
    except Failed as reason:
        return Result(check, State.NOT_TESTED, str(reason))
    await asyncio.sleep(stable_s)
    link.cut()
    result = await _outcome(check, terminal)
    print(f"{check.name}: {result.state.value}", flush=True)  # somebody waits for a quarter of an hour
    return result


def _terminal(plan: Plan, folder: Path, watched: Watched) -> Terminal:
    key = f"{UID}.{secrets.token_urlsafe(SECRET_BYTES)}"
    watch = Watch(key, watched.note)
    return Terminal(host=plan.host, folder=folder, start=plan.start, patience_s=plan.patience_s, watch=watch)


async def _outcome(check: Check, terminal: Terminal) -> Result:
    assert check.run
    state, why = State.PASSED, ""
    terminal.watch.begin(check.name)
    try:
        await check.run(terminal)
    except NotTested as reason:
        state, why = State.NOT_TESTED, str(reason)
    except Failed as reason:
        state, why = State.FAILED, str(reason)
    return Result(check, state, why, terminal.log() if state is State.FAILED else "")
