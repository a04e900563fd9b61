"""The runbooks that the page of an incident shows."""

from typing import NamedTuple

from django.db.models import Count
from django.urls import reverse

from tms.alerts.models import AlertQuerySet
from tms.boards.formatting import runbooks
from tms.fleet.sites.names import Bilingual

MAX_RULES = 3


class RuleRunbook(NamedTuple):
    rule: Bilingual
    url: str
    """The address of the page of the rule."""
    html: str
    """The runbook as HTML; empty if the rule has none."""


def runbooks_of(alerts: AlertQuerySet) -> tuple[RuleRunbook, ...]:
    """The runbooks of the rules of these alerts of an incident, those with most alerts first."""
    rules = alerts.values_list("rule", "rule__name", "rule__name_ja", "rule__runbook")
    counted = rules.annotate(number=Count("pk", distinct=True)).order_by("-number", "rule")
    return tuple(
        RuleRunbook(Bilingual(name, name_ja), reverse("rule", args=(pk,)), runbooks.as_html(text))
        for pk, name, name_ja, text, _number in counted[:MAX_RULES]
    )
