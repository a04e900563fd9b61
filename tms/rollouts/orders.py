"""Orders of items: what a terminal shall run, what it runs, and the commands that tell it to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.conf import settings

from tms.accounts.models import User
from tms.artifacts import delivery as updates
from tms.artifacts import fitting
from tms.artifacts.models import Artifact
from tms.commands.models import Command
from tms.configuration import delivery as configurations
from tms.configuration.models import ConfigurationVersion, TerminalConfiguration
from tms.fleet.installed_versions import installed_version
from tms.fleet.models import Terminal
from tms.rollouts.models import Rollout, RolloutItem, RolloutKind

DELIVER_WITHIN_S = 20.0
"""What the guards answered must not be used later."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one terminal shall run after its current step, and what it runs."""

    version: str
    installed: str
    """Empty if that is not known."""
    name: str = ""
    """The name of the artifact."""
    refused: str = ""
    """Keys of the configuration that have not got their values."""
    is_superseded: bool = False
    """Whether it shall have another version of the configuration by now."""


class SoftwareBefore(NamedTuple):
    """What a terminal ran before it was ordered."""

    name: str
    """The name of the artifact."""
    running: str
    label: str
    """The version, as people know it."""


class Changes:
    """What a rollout changes on terminals: artifacts in their order, or a version of the configuration."""

    def __init__(self, rollout: Rollout, *, artifacts: Sequence[Artifact] | None = None) -> None:
        """`artifacts`: of one that is not stored."""
        self.rollout = rollout
        steps = [] if artifacts is not None else rollout.steps.select_related("artifact")
        self._steps = list(artifacts or (step.artifact for step in steps))
        self._by_pk: dict[int, Artifact] = {one.pk: one for one in self._steps}

    @property
    def version(self) -> ConfigurationVersion | None:
        return self.rollout.version if self.rollout.kind == RolloutKind.CONFIGURATION else None

    def plan_of(self, item: RolloutItem) -> list[Artifact]:
        return [self._by_pk[pk] for pk in item.plan if pk in self._by_pk] if item.plan else self._steps

    def artifact_of(self, item: RolloutItem) -> Artifact | None:
        """The artifact of its current step."""
        plan = self.plan_of(item)
        return plan[item.step] if item.step < len(plan) else None

    def is_last_step(self, item: RolloutItem) -> bool:
        return self.version is not None or item.step + 1 >= len(self.plan_of(item))

    def wanted_of(self, items: Collection[RolloutItem]) -> dict[int, Wanted]:
        """What each item ran, with its terminal."""
        if self.version is not None:
            return _wanted_configurations(items, self.version)
        found = {}
        for item in items:
            artifact = self.artifact_of(item)
            if artifact is not None:
                running = installed_version(item.terminal, artifact.name)
                found[item.pk] = Wanted(artifact.version, running, artifact.name)
        return found

    def before_of(self, items: Collection[RolloutItem]) -> dict[int, SoftwareBefore]:
        """What each runs before it is ordered."""
        if self.version is None:
            wanted = self.wanted_of(items)
            return {pk: SoftwareBefore(one.name, one.installed, one.installed) for pk, one in wanted.items()}
        rows = TerminalConfiguration.objects.select_related("applied_version")
        known = rows.in_bulk([item.terminal_id for item in items])
        return {item.pk: _before(known.get(item.terminal_id)) for item in items}

    def order(self, items: Collection[RolloutItem], *, by: User | None, at: datetime) -> dict[int, Command]:
        """The command of each item that needs one, by terminal. Call it in a transaction."""
        if self.version is not None:
            terminals = [item.terminal_id for item in items]
            differing = configurations.desire(terminals, self.version, at=at)
            return configurations.order(differing, by=by, at=at, deliver_within_s=DELIVER_WITHIN_S)
        made: dict[int, Command] = {}
        for artifact in self._by_pk.values():
            chosen = [item.terminal for item in items if self.artifact_of(item) == artifact]
            for polls, within_s in ((False, DELIVER_WITHIN_S), (True, float(settings.HAWKBIT_LEASE_S))):
                terminals = [terminal.pk for terminal in chosen if _polls(terminal) is polls]
                made |= self._update(terminals, artifact, by=by, at=at, deliver_within_s=within_s)
        return made

    def _update(
        self, terminals: Collection[int], artifact: Artifact, *, by: User | None, at: datetime, deliver_within_s: float
    ) -> dict[int, Command]:
        if not terminals:
            return {}
        within_s = float(self.rollout.install_within_s)
        return updates.order(
            terminals, artifact, by=by, at=at, answer_within_s=within_s, deliver_within_s=deliver_within_s
        )

    def able(self, terminals: Collection[Terminal]) -> Mapping[int, bool]:
        """Whether each can be told at all."""
        if self.version is not None:
            can = configurations.can_be_configured([terminal.pk for terminal in terminals])
            return {terminal.pk: terminal.pk in can for terminal in terminals}
        return {terminal.pk: "update" in terminal.features for terminal in terminals}

    def unfit(self, items: Collection[RolloutItem]) -> dict[int, str]:
        """Why terminals cannot install the artifact of their step, by terminal."""
        found = {}
        for item in items:
            artifact = self.artifact_of(item)
            if artifact and (why := fitting.reason_of(artifact, item.terminal)):
                found[item.terminal_id] = why.value
        return found


def _polls(terminal: Terminal) -> bool:
    """Whether its updater fetches its orders (`tms.rollouts.hawkbit`)."""
    return "hawkbit" in terminal.features


CONFIGURATION = ""
"""What stands for the name of an artifact."""


def _wanted_configurations(items: Collection[RolloutItem], version: ConfigurationVersion) -> dict[int, Wanted]:
    rows = TerminalConfiguration.objects.in_bulk([item.terminal_id for item in items])
    known = ((item.pk, rows[item.terminal_id]) for item in items if item.terminal_id in rows)
    return {pk: _wanted_configuration(row, version) for pk, row in known}


def _wanted_configuration(row: TerminalConfiguration, version: ConfigurationVersion) -> Wanted:
    reported = "" if row.reported is None else str(row.reported)
    is_applied = row.reported == row.revision
    return Wanted(
        str(row.revision),
        reported,
        CONFIGURATION,
        ", ".join(f"{key}: {why}" for key, why in row.refused.items())[:500] if is_applied else "",
        row.version_id != version.pk,
    )


def _before(row: TerminalConfiguration | None) -> SoftwareBefore:
    reported = str(row.reported) if row and row.reported is not None else ""
    return SoftwareBefore(
        CONFIGURATION, reported, str(row.applied_version.number) if row and row.applied_version else "0"
    )
