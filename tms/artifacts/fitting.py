"""Whether terminals can install an artifact: their model, and the version that they have."""

from enum import StrEnum

from django.db.models import QuerySet

from tms.artifacts.installed import installed_version
from tms.artifacts.manifest import misfit
from tms.artifacts.models import Artifact
from tms.fleet.models import Terminal


class Misfit(StrEnum):
    """Why a terminal cannot install it. The values are the reasons of items of rollouts."""

    MODEL = "model"
    UNKNOWN_VERSION = "unknown"
    TOO_OLD = "too_old"
    TOO_NEW = "too_new"


def unfit(artifact: Artifact, rows: "QuerySet[Terminal]") -> dict[int, Misfit]:
    """Why each of these terminals cannot install it; those that can are missing. One query."""
    reported = rows.values_list("pk", "model", "firmware", "agent")
    found = {pk: _reason(artifact, model, firmware, agent) for pk, model, firmware, agent in reported}
    return {pk: reason for pk, reason in found.items() if reason}


def _reason(artifact: Artifact, model: str, firmware: str, agent: str) -> Misfit | None:
    if model not in artifact.for_models:
        return Misfit.MODEL
    installed = installed_version(artifact.name, firmware, agent)
    why = misfit(installed, replaces_from=artifact.replaces_from, replaces_below=artifact.replaces_below)
    return Misfit(why) if why else None
