"""Where artifacts run, as the terminals themselves say."""

from collections.abc import Collection, Mapping

from django.db.models import Count, F, Q

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.artifacts.models import Artifact
from tms.fleet.models import Terminal

AGENT, AGENT_PREFIX = "tms-agent", "tms-agent/"


def runs(artifact: Artifact) -> Q:
    """The terminals of its models that report this version of this product."""
    versions = (artifact.version, AGENT_PREFIX + artifact.version)
    return Q(model__in=artifact.for_models, **{f"{version_field(artifact.name)}__in": versions})


def installed_version(name: str, firmware: str, agent: str) -> str:
    return agent.removeprefix(AGENT_PREFIX) if name == AGENT else firmware


def counts(artifacts: Collection[Artifact], person: User) -> Mapping[int, int]:
    """On how many of the terminals that the person sees each of them runs: one query for all."""
    models = {model for one in artifacts for model in one.for_models}
    rows = visible(Terminal.objects.filter(model__in=models), to=person).order_by()
    found = (
        rows.values("model", "firmware", "agent")
        .annotate(number=Count("pk"))
        .values_list(F("model"), F("firmware"), F("agent"), "number")
    )
    totals = dict.fromkeys((one.pk for one in artifacts), 0)
    reported = list(found)
    for one in artifacts:
        for model, firmware, agent, number in reported:
            if model in one.for_models and installed_version(one.name, firmware, agent) == one.version:
                totals[one.pk] += number
    return totals


def version_field(name: str) -> str:
    """The column, and the field of queries, with the version of a product."""
    return "agent" if name == AGENT else "firmware"
