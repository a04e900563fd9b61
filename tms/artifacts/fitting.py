"""Whether terminals can install an artifact: their model, their agent, and the version that they have."""

from collections import Counter
from enum import StrEnum
from typing import NamedTuple

from django.db.models import Count, QuerySet

from tms.artifacts.manifest import misfit
from tms.artifacts.models import Artifact
from tms.fleet.installed_versions import installed_version
from tms.fleet.models import Terminal

REPORTED = ("model", "firmware", "agent", "software", "features")


class Misfit(StrEnum):
    """Why a terminal cannot install it. The values are the reasons of items of rollouts."""

    MODEL = "model"
    UNKNOWN_VERSION = "unknown"
    TOO_OLD = "too_old"
    TOO_NEW = "too_new"
    NO_UPDATES = "no_updates"
    """Its agent did not name the feature `update`, so TMS cannot send it one."""


class Blocked(NamedTuple):
    """Terminals of one version that cannot install it."""

    version: str
    reason: Misfit
    terminals: int


def blocked(artifact: Artifact, rows: QuerySet[Terminal]) -> list[Blocked]:
    """Most terminals first. The database groups them by what they reported: a fleet has few different answers."""
    groups = rows.order_by().values(*REPORTED).annotate(number=Count("pk", distinct=True))
    tally: Counter[tuple[str, Misfit]] = Counter()
    for group in groups:
        terminal = Terminal(**{name: group[name] for name in REPORTED})
        if reason := reason_of(artifact, terminal):
            tally[installed_version(terminal, artifact.name), reason] += group["number"]
    return [Blocked(version, reason, number) for (version, reason), number in tally.most_common()]


def reason_of(artifact: Artifact, terminal: Terminal) -> Misfit | None:
    if terminal.model not in artifact.for_models:
        return Misfit.MODEL
    if "update" not in terminal.features:
        return Misfit.NO_UPDATES
    installed = installed_version(terminal, artifact.name)
    why = misfit(installed, replaces_from=artifact.replaces_from, replaces_below=artifact.replaces_below)
    return Misfit(why) if why else None
