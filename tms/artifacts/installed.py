"""Where artifacts run, as the terminals themselves say."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.artifacts.models import Artifact
from tms.fleet.installed_versions import AGENT, installed_version, running
from tms.fleet.models import Terminal
from tms.query.fields import Field
from tms.query.tree import Operator, Value
from tms.query.value_kinds import TEXT

MAX_VALUES = 20


def runs(artifact: Artifact) -> Q:
    """The terminals of its models that report this version of this product."""
    return Q(running(artifact.name, artifact.version), model__in=artifact.for_models)


def counts(artifacts: Collection[Artifact], person: User) -> Mapping[int, int]:
    """How many of the terminals that the person sees run each of them, in one query."""
    models = {model for one in artifacts for model in one.for_models}
    rows = visible(Terminal.objects.filter(model__in=models), to=person).order_by()
    reported = rows.values_list("model", "firmware", "agent", "software").annotate(number=Count("pk"))
    alike = [
        (Terminal(model=model, firmware=firmware, agent=agent, software=software), number)
        for model, firmware, agent, software, number in reported
    ]
    return {one.pk: sum(number for like, number in alike if _runs_on(one, like)) for one in artifacts}


def version_field(name: str) -> str:
    """The field of queries with the version of a product, unless a terminal reports it beside its firmware."""
    return "agent" if name == AGENT else "firmware"


def _runs_on(artifact: Artifact, terminal: Terminal) -> bool:
    return terminal.model in artifact.for_models and installed_version(terminal, artifact.name) == artifact.version


def _running(operator: Operator, wanted: Value, at: datetime) -> Q:
    """`artifact:"kiosk-firmware 4.8.3"`. Without a value: terminals that run none that TMS has."""
    if not wanted.text:
        return ~_any(Artifact.objects.all())
    name, _space, version = wanted.text.partition(" ")
    return running(name, version.strip()) if version.strip() else _any(Artifact.objects.filter(name=name))


def _any(artifacts: Iterable[Artifact]) -> Q:
    found = Q(pk__in=[])
    for one in artifacts:
        found |= runs(one)
    return found


def _names(person: Any, begun: str) -> Iterable[str]:
    found = Artifact.objects.usable()
    for word in begun.split():
        found = found.filter(Q(name__icontains=word) | Q(version__icontains=word))
    return [f"{name} {version}" for name, version in found.values_list("name", "version")[:MAX_VALUES]]


ARTIFACT_FIELD = Field(
    "artifact", _("Artifact that it runs, by name and version"), TEXT, compare=_running, suggest=_names
)
