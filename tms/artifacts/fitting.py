"""Whether terminals can install an artifact: their model, their agent, and the version that they have."""

from enum import StrEnum

from django.db.models import QuerySet

from tms.artifacts.manifest import misfit
from tms.artifacts.models import Artifact
from tms.fleet.installed_versions import installed_version
from tms.fleet.models import Terminal


class Misfit(StrEnum):
    """Why a terminal cannot install it. The values are the reasons of items of rollouts."""

    MODEL = "model"
    UNKNOWN_VERSION = "unknown"
    TOO_OLD = "too_old"
    TOO_NEW = "too_new"
    NO_UPDATES = "no_updates"
    """Its agent did not name the feature `update`, so TMS cannot send it one."""


def unfit(artifact: Artifact, rows: "QuerySet[Terminal]") -> dict[int, Misfit]:
    """Why each of these terminals cannot install it; those that can are missing. One query."""
    reported = rows.only("model", "firmware", "agent", "software", "features")
    found = {terminal.pk: reason_of(artifact, terminal) for terminal in reported}
    return {pk: reason for pk, reason in found.items() if reason}


def reason_of(artifact: Artifact, terminal: Terminal) -> Misfit | None:
    if terminal.model not in artifact.for_models:
        return Misfit.MODEL
    if "update" not in terminal.features:
        return Misfit.NO_UPDATES
    installed = installed_version(terminal, artifact.name)
    why = misfit(installed, replaces_from=artifact.replaces_from, replaces_below=artifact.replaces_below)
    return Misfit(why) if why else None
