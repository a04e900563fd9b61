"""The lifecycle of terminals: which states there are, and how everything treats a terminal in each of them.

This table is the only definition. Totals, the comb of sites, impact, correlation, rules, availability, lists, commands
and jobs read it.

| state          | connects | counted | opens alerts | availability | takes work |
|----------------|----------|---------|--------------|--------------|------------|
| planned        | yes      | apart   | no           | no           | connected  |
| in service     | yes      | yes     | yes          | yes          | yes        |
| out of service | yes      | apart   | no           | no           | yes        |
| retired        | no       | no      | no           | no           | no         |
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import pgettext_lazy


class Lifecycle(TextChoices):
    PLANNED = "planned", pgettext_lazy("lifecycle", "Planned")
    IN_SERVICE = "in_service", pgettext_lazy("lifecycle", "In service")
    OUT_OF_SERVICE = "out_of_service", pgettext_lazy("lifecycle", "Out of service")
    RETIRED = "retired", pgettext_lazy("lifecycle", "Retired")

    @property
    def treatment(self) -> "Treatment":
        return TREATMENTS[self]


@dataclass(frozen=True, slots=True)
class Treatment:
    may_connect: bool = True
    is_counted: bool = False
    """Part of totals, of the comb, of impact and of the shares of correlation. The others have numbers of their own."""
    opens_alerts: bool = False
    has_availability: bool = False
    takes_work: bool = True
    """Commands, configuration and rollouts; a planned terminal only while it is connected."""


TREATMENTS = {
    Lifecycle.PLANNED: Treatment(),
    Lifecycle.IN_SERVICE: Treatment(is_counted=True, opens_alerts=True, has_availability=True),
    Lifecycle.OUT_OF_SERVICE: Treatment(),
    Lifecycle.RETIRED: Treatment(may_connect=False, takes_work=False),
}

CHANGES: dict[Lifecycle, tuple[Lifecycle, ...]] = {
    Lifecycle.PLANNED: (Lifecycle.IN_SERVICE, Lifecycle.RETIRED),
    Lifecycle.IN_SERVICE: (Lifecycle.OUT_OF_SERVICE, Lifecycle.RETIRED),
    Lifecycle.OUT_OF_SERVICE: (Lifecycle.IN_SERVICE, Lifecycle.RETIRED),
    Lifecycle.RETIRED: (Lifecycle.PLANNED, Lifecycle.IN_SERVICE, Lifecycle.OUT_OF_SERVICE),
}
"""The states that may follow each. A retired terminal returns to the state that it had."""


def states(condition: Callable[[Treatment], bool]) -> tuple[Lifecycle, ...]:
    return tuple(state for state in Lifecycle if condition(state.treatment))


COUNTED = states(lambda treatment: treatment.is_counted)
WITHOUT_ALERTS = states(lambda treatment: not treatment.opens_alerts)
WITH_AVAILABILITY = states(lambda treatment: treatment.has_availability)
CONNECTING = states(lambda treatment: treatment.may_connect)
